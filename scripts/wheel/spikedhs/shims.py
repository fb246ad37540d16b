"""The two libraries between the program and libtorch: which prebuilt pair fits, and
whether a pair has everything it needs from the libraries that are there."""

import os

from .elf import Library, symbol_hash
from .environment import package
from .errors import Unreadable

NAMES = "libspikedhs.so", "libcgotorch.so"

# The files whose symbols are the C and C++ runtime's. Those are left to the loader.
_RUNTIME = ("libc.", "libm.", "libdl.", "libpthread.", "librt.", "ld-linux", "libstdc++.", "libgcc_s.")


def prebuilt_folder(tag):
    return os.path.join(package, "shims", tag)


def prebuilt_tags():
    """What the wheel brings, the oldest PyTorch first."""
    try:
        names = os.listdir(os.path.join(package, "shims"))
    except OSError:
        return []
    return sorted((n for n in names if _order(n) and present(prebuilt_folder(n))), key=_order)


def prebuilt_releases():
    """The versions of PyTorch in words: "2.4, 2.6 and 2.15"."""
    releases = []
    for tag in prebuilt_tags():
        release = tag.partition("-")[0]
        if release not in releases:
            releases.append(release)
    return " and ".join(filter(None, [", ".join(releases[:-1])] + releases[-1:]))


def _order(tag):
    """(major, minor, rest), or nothing where it is no tag."""
    release, _, rest = tag.partition("-")
    major, _, minor = release.partition(".")
    return (int(major), int(minor), rest) if major.isdigit() and minor.isdigit() and rest else None


def present(folder):
    return all(os.path.isfile(os.path.join(folder, name)) for name in NAMES)


def lacking(folder, libraries):
    """Why this pair cannot be loaded with these libraries (loader.Libraries), in a few
    words; "" where it can."""
    try:
        pair = [Library(os.path.join(folder, name)) for name in NAMES]
        for shim, name in zip(pair, NAMES):
            for needed in shim.needed:
                if needed not in NAMES and not needed.startswith(_RUNTIME) and not libraries.has(needed):
                    return "%s needs %s, which is not there" % (name, needed)
            for symbol, file, weak in shim.undefined():
                if weak or file.startswith(_RUNTIME):
                    continue
                h = symbol_hash(symbol)
                if not libraries.defined(symbol, h) and not any(other.defines(symbol, h) for other in pair):
                    return "%s needs the symbol %s, which is not there" % (name, os.fsdecode(symbol))
    except Unreadable as e:
        return str(e)
    return ""


def newest_glibc(paths):
    """The newest version of glibc that these files ask for, as numbers."""
    newest = (2, 0)
    for path in paths:
        for _, _, version in Library(path).versions():
            name, _, number = version.partition("_")
            if name == "GLIBC" and number[:1].isdigit():
                newest = max(newest, tuple(int(n) for n in number.split(".") if n.isdigit()))
    return newest
