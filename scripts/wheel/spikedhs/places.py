"""Where libraries that are built here are kept: the user's cache, else the folder of
this package, else a temporary folder of the user's own."""

import hashlib
import os
import stat

from .environment import package


def key(libtorch, version):
    """The name of the folder for one PyTorch. Another version of this package, or
    libtorch installed anew, gives another one."""
    about = os.stat(libtorch.c10)
    seen = "%s %d %d" % (version, about.st_size, about.st_mtime_ns)
    name = "".join(c if c.isalnum() or c in ".+" else "_" for c in libtorch.version)
    kind = "cuda" if libtorch.cuda else "cpu"
    return "%s-%s-abi%d-%s" % (name, kind, libtorch.abi, hashlib.sha256(seen.encode()).hexdigest()[:12])


def folders():
    """The folders that may hold them, the best first. A temporary folder counts where
    it is the user's alone: others may write beside it."""
    cache = _cache()
    if cache:
        yield os.path.join(cache, "shims")
    yield os.path.join(package, "built")
    temporary = _temporary()
    if _own(temporary):
        yield os.path.join(temporary, "shims")


def writable():
    """The first of the folders that can be written, made if it is not there; None
    where none can."""
    cache, temporary = _cache(), _temporary()
    for folder in (cache and os.path.join(cache, "shims"), os.path.join(package, "built")):
        if folder and _makes(folder):
            return folder
    try:
        os.mkdir(temporary, 0o700)
    except OSError:
        pass  # it is there, or cannot be
    folder = os.path.join(temporary, "shims")
    return folder if _own(temporary) and _makes(folder) else None


def _cache():
    chosen = os.environ.get("SPIKEDHS_CACHE")
    if chosen:
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    if not base:
        home = os.path.expanduser("~")
        base = os.path.join(home, ".cache") if os.path.isabs(home) else ""
    return os.path.join(os.path.abspath(base), "spikedhs") if base else None


def _temporary():
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", "spikedhs-%d" % os.getuid())


def _own(folder):
    try:
        about = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o077


def _makes(folder):
    """Whether files can be made in a folder; asked by making one, since rights do not
    tell of a file system that is full or cannot be written."""
    probe = os.path.join(folder, ".probe-" + os.urandom(6).hex())
    try:
        os.makedirs(folder, exist_ok=True)
        with open(probe, "xb") as f:
            f.write(b"1")
        os.unlink(probe)
        return True
    except OSError:
        return False
