"""The programs that building the libraries takes: a C++ compiler, CMake, and make or
ninja. pip's packages of CMake and ninja are looked for in this environment too."""

import os
import shlex
import shutil
import subprocess
import sys

from .environment import pip_install, search_path, site
from .errors import Refusal

OLDEST_CMAKE = (3, 18)


class Tools:
    """What was found. missing: what was not, as (name, how to get it)."""

    def __init__(self):
        self.missing = []
        self.compiler = self._compiler()
        self.cmake = self._cmake()
        self.generator, self.maker = self._maker()

    def _compiler(self):
        """As $CXX names it, arguments included, or a path."""
        chosen = os.environ.get("CXX", "").strip()
        if chosen:
            if _found(shlex.split(chosen)[0]) is None:
                raise Refusal("CXX=%s is no program that can be run: correct it or unset it" % chosen)
            return chosen
        for name in "c++", "g++", "clang++":
            path = _found(name)
            if path:
                return shlex.quote(path)
        self.missing.append(("a C++ compiler", "install g++ (Debian, Ubuntu: sudo apt-get install g++)"))
        return None

    def _cmake(self):
        """The program of pip's package itself comes first: the script that calls it
        does not survive a moved environment."""
        packaged = [os.path.join(p, "cmake", "data", "bin", "cmake") for p in [site] + search_path()]
        old = ""
        for path in [p for p in packaged if os.access(p, os.X_OK)] + [_found("cmake")]:
            version = path and _version(path)
            if version and version >= OLDEST_CMAKE:
                return path
            if version:
                old = " %d.%d or newer (%s is %d.%d)" % (OLDEST_CMAKE + (path,) + version)
        self.missing.append(("CMake" + old, "run %s cmake" % pip_install()))
        return None

    def _maker(self):
        for name, generator in ("make", "Unix Makefiles"), ("gmake", "Unix Makefiles"), ("ninja", "Ninja"):
            path = _found(name)
            if path:
                return generator, path
        self.missing.append(("make or ninja", "run %s ninja" % pip_install()))
        return None, None


def _found(name):
    own = [os.path.dirname(sys.executable or ""), os.path.normpath(os.path.join(site, "..", "..", "..", "bin"))]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(filter(None, own)))


def _version(cmake):
    """(major, minor), or None where it does not run."""
    try:
        told = subprocess.run([cmake, "--version"], capture_output=True, text=True, timeout=60, errors="replace")
        words = told.stdout.split()
        return tuple(int(n) for n in words[words.index("version") + 1].split(".")[:2])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
