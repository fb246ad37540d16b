"""Builds the two libraries for a PyTorch that has none prebuilt, once, at the first
start: from the sources in this package, into a folder of the user's."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

from . import lock, places, shims
from .environment import package, pip_install, say
from .errors import Refusal
from .tools import Tools

_TELL_EVERY = 30.0  # seconds
_BYTES_A_COMPILER = 1500 << 20  # a file that includes all of libtorch takes as much
_VERSION_HEADER = os.path.join("include", "torch", "csrc", "api", "include", "torch", "version.h")
_NOT_FOR_CMAKE = "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR"  # of a make that we were started by
_NOTE = "left-out"  # the file that says what a build had to do without


def obtain(libtorch, libraries, version, why, tried):
    """The folder of the libraries for libtorch, built if it is not there, and what it
    had to leave out. why says why no prebuilt ones are taken; tried(folder) says why
    the program does not start with them, "" where it does."""
    key = places.key(libtorch, version)
    for parent in places.folders():
        folder = os.path.join(parent, key)
        if _fits(folder, libraries):
            return folder, _note(folder)
    tools = _tools(libtorch, why)
    parent = places.writable()
    if parent is None:
        raise Refusal("%s, and no folder can be written to build them in: set SPIKEDHS_CACHE to one that can" % why)
    folder = os.path.join(parent, key)
    what = "the libraries for PyTorch %s" % libtorch.version
    tell = _Teller("another process builds %s, waiting for it" % what, "still waiting")
    try:
        with lock.held(folder + ".lock", tell) as waited:
            if not _fits(folder, libraries):
                if waited and not os.path.exists(folder):
                    raise Refusal("another process could not build %s: see %s.log" % (what, folder))
                _Build(libtorch, tools, what, folder).run(libraries, tried)
    except OSError as e:  # a full disk, for one
        told = what, parent, e
        raise Refusal("%s cannot be built in %s (%s): set SPIKEDHS_CACHE to another folder" % told) from e
    return folder, _note(folder)


def _fits(folder, libraries):
    return shims.present(folder) and not shims.lacking(folder, libraries)


def _note(folder):
    try:
        with open(os.path.join(folder, _NOTE)) as f:
            return f.read().strip()
    except OSError:
        return ""


def _tools(libtorch, why):
    """What building takes, or one line that says how to get it."""
    if not os.path.exists(os.path.join(libtorch.root, _VERSION_HEADER)):
        raise Refusal(
            "%s, and they cannot be built without headers in %s (Debian, Ubuntu: sudo apt-get install libtorch-dev)%s"
            % (why, os.path.join(libtorch.root, "include"), _instead())
        )
    tools = Tools()
    if tools.missing:
        names, ways = (" and ".join(part) for part in zip(*tools.missing))
        raise Refusal("%s, and building them needs %s: %s%s" % (why, names, ways, _instead()))
    return tools


def _instead():
    tags = shims.prebuilt_tags()
    if not tags:
        return ""
    told = shims.prebuilt_releases(), pip_install(), tags[-1].partition("-")[0]
    return "; or take a PyTorch of the prebuilt (%s): run %s 'torch==%s.*'" % told


class _Teller:
    """Says what begins, and every 30 s that it goes on and for how long. how_far() may
    add to that."""

    def __init__(self, begins, goes_on, how_far=lambda: ""):
        self.begins, self.goes_on, self.how_far = begins, goes_on, how_far
        self.next = 0.0

    def __call__(self, seconds):
        if seconds >= self.next:
            say("%s%s (%.0f s)" % (self.goes_on, self.how_far(), seconds) if self.next else self.begins)
            self.next += _TELL_EVERY


class _Build:
    """One build of what into place, aside and renamed; place.log tells about it."""

    def __init__(self, libtorch, tools, what, place):
        self.libtorch, self.tools, self.what = libtorch, tools, what
        self.place, self.log = place, place + ".log"

    def run(self, libraries, tried):
        parent, mark = os.path.dirname(self.place), os.path.basename(self.place) + ".making-"
        for name in os.listdir(parent):  # of builders that were killed
            if name.startswith(mark):
                shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
        aside = tempfile.mkdtemp(prefix=mark, dir=parent)
        old_handler = signal.signal(signal.SIGTERM, _interrupted)
        begin = time.monotonic()
        try:
            folder = self._compile(aside)
            why = shims.lacking(folder, libraries) or tried(folder)
            if why:
                raise Refusal("%s were built but cannot be loaded: %s; see %s" % (self.what, why, self.log))
            self._put_in_place(folder, libraries)
        finally:
            signal.signal(signal.SIGTERM, old_handler)
            shutil.rmtree(aside, ignore_errors=True)
        say("%s are built (%.0f s)" % (self.what, time.monotonic() - begin))

    def _compile(self, aside):
        source, made, out = os.path.join(package, "src"), os.path.join(aside, "build"), os.path.join(aside, "out")
        begins = "building %s, once, takes some minutes; its log is %s" % (self.what, self.log)
        tell = _Teller(begins, "still building", lambda: _how_far(self.log))
        cmake, begin = self.tools.cmake, time.monotonic()
        options = ["-G", self.tools.generator, "-DCMAKE_MAKE_PROGRAM=" + self.tools.maker]
        options += ["-DLIBTORCH=" + self.libtorch.root, "-DGOTORCH_DIR=" + os.path.join(source, "gotorch")]
        options += ["-DCMAKE_SKIP_INSTALL_RPATH=ON"]  # the start says where libtorch is, also after a move
        with open(self.log, "wb") as log:
            for command in (
                [cmake, "-S", source, "-B", made] + options,
                [cmake, "--build", made, "--parallel", str(_jobs())],
                [cmake, "--install", made, "--prefix", out],
            ):
                log.write(b"+ " + os.fsencode(" ".join(command)) + b"\n")
                log.flush()
                if self._call(command, log, lambda: tell(time.monotonic() - begin)):
                    raise Refusal("%s cannot be built%s: see %s" % (self.what, _first_error(self.log), self.log))
        folder = os.path.join(out, "lib", "spikedhs")
        left_out = _warning(self.log)
        if left_out:
            with open(os.path.join(folder, _NOTE), "w") as f:
                f.write(left_out + "\n")
            say(left_out)
        return folder

    def _call(self, command, log, tell):
        environment = {k: v for k, v in os.environ.items() if k not in _NOT_FOR_CMAKE}
        environment["CXX"] = self.tools.compiler
        # A session of its own: whoever ends this process ends all compilers with it.
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            while True:
                tell()
                try:
                    return child.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    pass
        except BaseException:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            raise

    def _put_in_place(self, made, libraries):
        if os.path.exists(self.place):  # damaged, or of a file system without locks
            if _fits(self.place, libraries):
                return
            shutil.rmtree(self.place, ignore_errors=True)
        try:
            os.rename(made, self.place)
        except OSError as e:
            if not _fits(self.place, libraries):
                raise Refusal("%s cannot be put into %s: %s" % (self.what, self.place, e.strerror)) from e


def _interrupted(number, frame):
    raise SystemExit(128 + number)


def _jobs():
    chosen = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", "")
    if chosen.isdigit() and int(chosen) > 0:
        return int(chosen)
    jobs = len(os.sched_getaffinity(0))
    try:
        with open("/proc/meminfo") as f:
            free = next(int(line.split()[1]) for line in f if line.startswith("MemAvailable:")) * 1024
        jobs = min(jobs, free // _BYTES_A_COMPILER)
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    return max(1, jobs)


def _lines(path):
    try:
        with open(path, errors="replace") as f:
            return f.read().splitlines()
    except OSError:
        return []


def _how_far(log):
    """What make or ninja said last about it: ", [ 45%]" or ", [9/20]"."""
    for line in reversed(_lines(log)):
        if line.startswith("[") and "]" in line:
            return ", " + line[: line.index("]") + 1]
    return ""


def _first_error(log):
    """What the log says first about an error, as a part of a sentence."""
    for line in _lines(log):
        line = line.strip()
        if "error:" in line.lower() or line.startswith("CMake Error"):
            return " (%s)" % (line if len(line) <= 200 else line[:200] + "...")
    return ""


def _warning(log):
    """CMake's warning about what it had to leave out, as one line."""
    text = []
    for line in _lines(log):
        if text and not line.strip():
            break
        if text:
            text.append(line.strip())
        elif line.startswith("CMake Warning at"):
            text.append("warning:")
    return " ".join(text)
