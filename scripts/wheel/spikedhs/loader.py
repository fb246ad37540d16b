"""Where the dynamic loader will find the libraries that libtorch needs: its
libraries, those of CUDA and the OpenMP runtime. The rest is the system's, and left
to the loader.

A wheel's libtorch has an RPATH that leads to the packages of CUDA beside it. Where
one is in another folder of Python's path (a --user installation on a system's), the
loader would not find it; PyTorch loads it by hand then, and we add its folder.
"""

import os
import struct

from .elf import Library
from .environment import pip_install, search_path
from .errors import Refusal, Unreadable

# What pip's packages of CUDA bring. libcuda.so is the driver's and not among them.
_CUDA = tuple(
    "libcublas libcudart libcudnn libcudss libcufft libcufile libcupti libcurand libcusolver libcusparse "
    "libnccl libnvJitLink libnvToolsExt libnvrtc libnvshmem".split()
)
_OPENMP = ("libgomp", "libiomp", "libomp")
# The C++ runtime, where libtorch has its own (conda): ours must be the same one.
_RUNTIME = ("libstdc++.so.", "libgcc_s.so.")
# The C library, the system's in any case.
_C = ("libc.so.", "libm.so.", "libdl.so.", "libpthread.so.", "librt.so.", "ld-linux")

_OF_64_BIT = 0x0300  # in the loader's cache: x86-64, not 32 bit
_SYSTEM = ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")


class Libraries:
    """What is loaded with libtorch.

    symbols: the libraries in which a symbol of a shim may be. folders: what the
    loader has to be told beside libtorch's own folder.
    """

    def __init__(self, libtorch):
        self.symbols, self.folders, self._runtimes = [], [], None
        self._folder = libtorch.folder
        self._loaded, self._files, self._missing = {}, set(), []
        self._preferred = [p for p in os.environ.get("LD_LIBRARY_PATH", "").split(":") if p]
        queue = []
        for path in libtorch.libraries():
            queue.append((self._open(path), []))
            self.symbols.append(queue[-1][0])
        while queue:
            library, inherited = queue.pop(0)
            # An RPATH also holds for what a library loads; a RUNPATH takes its place.
            own = [] if library.runpath else _expanded(library.rpath, library.path)
            paths = own + inherited
            for name in library.needed:
                if name not in self._loaded and not name.startswith(_C):
                    found = self._need(name, library, paths)
                    if found:
                        queue.append((found, paths))
        if self._missing:
            raise Refusal(self._lacking(libtorch))

    def has(self, name):
        """Whether a library that a shim names will be found."""
        return name in self._loaded or bool(_first([self._folder] + self._preferred, name) or _of_system(name))

    def defined(self, symbol, h):
        """Whether one of them has a symbol, or the C++ runtime: a shim was linked when a
        libtorch was there that brings newer parts of the runtime itself, and so names
        them without a version; elsewhere they are the system's."""
        return any(library.defines(symbol, h) for library in self.symbols) or any(
            library.defines(symbol, h) for library in self._runtime()  # opened when it is asked
        )

    def _runtime(self):
        if self._runtimes is None:
            self._runtimes = []
            for name in "libstdc++.so.6", "libgcc_s.so.1":
                path = _first(self._preferred + self.folders, name) or _of_system(name)
                if path:
                    self._runtimes.append(Library(path))
        return self._runtimes

    def _open(self, path):
        try:
            library = Library(path)
        except Unreadable as e:
            raise Refusal("%s: install PyTorch anew" % e)
        self._loaded[os.path.basename(path)] = self._loaded[library.soname] = library
        self._files.add(_identity(path))
        return library

    def _need(self, name, library, paths):
        """Finds one library; returns it where its own needs are to be looked at."""
        cuda, openmp, runtime = name.startswith(_CUDA), name.startswith(_OPENMP), name.startswith(_RUNTIME)
        path = _first(paths if not library.runpath else [], name)
        if path is None and (cuda or openmp or runtime):
            path = _first(self._preferred, name)
            if path and runtime:
                return None  # the loader's first choice in any case
        if path is None:
            path = _first(_expanded(library.runpath, library.path), name)
        if path is None and cuda:
            path = self._of_other_package(name)
        if path is None and (cuda or openmp):
            path = _of_system(name)
            if path is None and cuda:
                self._missing += [name] if name not in self._missing else []
        if path is None or _identity(path) in self._files:
            return None
        if runtime:
            self._add(os.path.dirname(path))
            return None
        found = self._open(path)
        if openmp or name.startswith("libcudart"):
            self.symbols.append(found)
        return found

    def _add(self, folder):
        folder = os.path.normpath(folder)
        if folder not in self.folders:
            self.folders.append(folder)

    def _of_other_package(self, name):
        import glob

        for folder in search_path():
            for path in glob.iglob(os.path.join(glob.escape(folder), "nvidia", "*", "lib", name)):
                self._add(os.path.dirname(path))
                return path
        return None

    def _lacking(self, libtorch):
        """One sentence about the libraries of CUDA that are not there."""
        name, more = self._missing[0], len(self._missing) - 1
        others = " and %d more" % more if more else ""
        told = libtorch.version, libtorch.folder, name, others, _remedy(libtorch, name)
        return "PyTorch %s in %s cannot be loaded without %s of CUDA%s: run %s" % told


def _remedy(libtorch, name):
    """The command that brings a library: of the package that should have it, or all
    that this PyTorch depends on."""
    import glob

    pip = pip_install()
    site = os.path.dirname(libtorch.root)
    for record in glob.glob(os.path.join(glob.escape(site), "nvidia_*.dist-info", "RECORD")):
        try:
            with open(record, errors="replace") as f:
                if "/%s," % name in f.read():
                    package = os.path.basename(os.path.dirname(record))[: -len(".dist-info")].split("-")
                    return pip + " --force-reinstall --no-deps %s==%s" % (package[0].replace("_", "-"), package[1])
        except (OSError, IndexError):
            pass
    return pip + " torch==%s" % libtorch.version.partition("+")[0]


def _expanded(paths, library):
    origin = os.path.dirname(os.path.abspath(library))
    return [p.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for p in paths]


def _identity(path):
    """The loader takes two paths for one library where they are one file."""
    about = os.stat(path)
    return about.st_dev, about.st_ino


def _first(folders, name):
    for folder in folders:
        path = folder + "/" + name
        if os.path.exists(path):
            return path
    return None


def _of_system(name):
    return _first(_SYSTEM, name) or _cached(name)


def _cached(name, file="/etc/ld.so.cache"):
    """The path of a library in the loader's cache, which ldconfig writes."""
    try:
        with open(file, "rb") as f:
            data = f.read()
        start = data.find(b"glibc-ld.so.cache1.1")
        wanted = os.fsencode(name)
        if start < 0:
            return None
        (count,) = struct.unpack_from("<I", data, start + 20)
        for i in range(min(count, (len(data) - start - 48) // 24)):
            kind, key, value = struct.unpack_from("<iII", data, start + 48 + 24 * i)
            if kind & 0xFF00 == _OF_64_BIT and data[start + key : start + key + len(wanted) + 1] == wanted + b"\0":
                path = os.fsdecode(data[start + value : data.index(b"\0", start + value)])
                if os.path.exists(path):
                    return path
    except (OSError, ValueError, struct.error):
        pass
    return None
