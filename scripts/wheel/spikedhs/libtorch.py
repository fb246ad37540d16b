"""Finds the environment's PyTorch without importing it, which would take seconds.

The order is: the folder in $LIBTORCH; the torch beside this package; the
environment's own folders of packages; the rest of Python's path, but never the
current folder. The first one counts, too old or not: what Python would import is
what the program uses.
"""

import os
import sys

from .elf import Library
from .environment import pip_install, search_path, site
from .errors import Refusal, Unreadable

OLDEST = (2, 4)
_CPU = "libtorch_cpu.so"


class Libtorch:
    """One PyTorch.

    root: the folder with lib/. folder: where its libraries are, for the loader.
    version: as it names itself. release: (major, minor). cuda, abi: as in a tag.
    found_by: who led here.
    """

    def __init__(self, root, found_by):
        self.root, self.found_by = root, found_by
        self.folder = _library_folder(root)
        self.version = _version(root, self.folder)
        self.release = _release(self.version)
        self.cuda = os.path.exists(os.path.join(self.folder, "libtorch_cuda.so"))
        self.abi = _abi(self.c10)

    @property
    def c10(self):
        return os.path.join(self.folder, "libc10.so")

    @property
    def is_release(self):
        """Whether prebuilt libraries can be for it. A build from some commit between
        two releases can have the symbols of one and other layouts."""
        public, _, local = self.version.partition("+")
        return ".dev" not in public and not ("a" in public and local)

    @property
    def tag(self):
        """The name of the prebuilt libraries for it."""
        return "%d.%d-%s-abi%d" % (self.release + ("cuda" if self.cuda else "cpu", self.abi))

    def libraries(self):
        """The paths of its own libraries, the largest first: it has most symbols."""
        names = [_CPU, "libc10.so", "libtorch.so"] + (["libtorch_cuda.so", "libc10_cuda.so"] if self.cuda else [])
        paths = [os.path.join(self.folder, name) for name in names]
        return [p for p in paths if os.path.exists(p) or p.endswith("libc10.so")]

    def require(self):
        """Refuses one that is too old."""
        if self.release < OLDEST:
            raise Refusal(
                "PyTorch %s in %s is too old: %d.%d or newer is needed, run %s --upgrade torch"
                % ((self.version, self.root) + OLDEST + (pip_install(),))
            )


def find():
    """The environment's PyTorch."""
    chosen = os.environ.get("LIBTORCH")
    if chosen:
        root = os.path.abspath(chosen)
        if not _holds(root):
            raise Refusal("LIBTORCH=%s holds no PyTorch (lib/%s): correct it or unset it" % (chosen, _CPU))
        return Libtorch(root, "LIBTORCH")
    for root, found_by in _places():
        if _holds(root):
            return Libtorch(root, found_by)
    raise Refusal("there is no PyTorch for %s: run %s torch" % (sys.executable or "this Python", pip_install()))


def others(used):
    """PyTorchs beside the environment's own that are not used, for doctor: those that
    are found where used (a Libtorch) was not."""
    roots = []
    for folder in search_path():
        root = os.path.join(folder, "torch")
        if _holds(root) and os.path.realpath(root) != os.path.realpath(used.root) and root not in roots:
            roots.append(root)
    return roots


def _places():
    yield os.path.join(site, "torch"), "beside spikedhs"
    import sysconfig  # takes some milliseconds, seldom needed

    for name in "purelib", "platlib":
        yield os.path.join(sysconfig.get_path(name), "torch"), "of this Python"
    for folder in search_path():
        yield os.path.join(folder, "torch"), "on Python's path"
    # What only an import hook leads to: an editable installation, for one. The
    # search does not import a package.
    import importlib.util

    before, sys.path[:] = sys.path[:], search_path()
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError, AttributeError):
        spec = None
    finally:
        sys.path[:] = before
    for folder in (spec and spec.submodule_search_locations) or ():
        yield folder, "by an import hook"


def _holds(root):
    return os.path.exists(os.path.join(root, "lib", _CPU))


def _library_folder(root):
    """Where the loader is to look. A distribution's PyTorch has links in torch/lib to
    the system's libraries; conda's are in the environment's lib, and what they need is
    beside them there. A link into another torch/lib (uv's cache) is left as it is:
    the packages of CUDA are beside the link."""
    folder = os.path.join(root, "lib")
    real = os.path.dirname(os.path.realpath(os.path.join(folder, _CPU)))
    of_wheel = os.path.basename(os.path.dirname(real)) == "torch"
    if not of_wheel and all(os.path.exists(os.path.join(real, n)) for n in (_CPU, "libc10.so", "libtorch.so")):
        return real
    return folder


def _version(root, folder):
    """What it calls itself: a wheel in version.py, an unpacked libtorch in
    build-version or its headers, a distribution's in the name of the library."""
    for line in _lines(os.path.join(root, "version.py")):
        if line.startswith("__version__"):
            text = line.partition("=")[2].strip().strip("'\"")
            if text:
                return text
    for line in _lines(os.path.join(root, "build-version")):
        if line.strip():
            return line.strip()
    numbers = {}
    for header in "headeronly/version.h", "csrc/api/include/torch/version.h":
        for line in _lines(os.path.join(root, "include", "torch", header)):
            words = line.split()
            if len(words) == 3 and words[0] == "#define" and words[2].isdigit():
                numbers.setdefault(words[1], words[2])
    names = ["TORCH_VERSION_" + part for part in ("MAJOR", "MINOR", "PATCH")]
    if all(name in numbers for name in names):
        return ".".join(numbers[name] for name in names)
    try:
        soname = Library(os.path.join(folder, _CPU)).soname
    except Unreadable as e:
        raise Refusal("%s: install PyTorch anew" % e)
    text = soname.partition(".so.")[2]
    if text:
        return text
    raise Refusal("the version of PyTorch in %s cannot be told (no version.py, no headers): install another" % root)


def _lines(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read(1 << 20).splitlines()
    except OSError:
        return []


def _release(version):
    parts = version.split(".")
    numbers = []
    for part in parts[:2]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            raise Refusal("PyTorch calls itself %s, which is no version: install another" % version)
        numbers.append(int(digits))
    return tuple(numbers + [0] * (2 - len(numbers)))


def _abi(c10):
    """1 where c10's own symbols use the new std::string, as scripts/libtorch.sh asks."""
    try:
        return int(Library(c10).names_contain((b"_ZN3c10", b"_ZNK3c10"), b"__cxx11"))
    except Unreadable as e:
        raise Refusal("%s: install PyTorch anew" % e)
