"""Building at the first start, with a CMake that is made up: it copies libraries."""

import glob
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest

from fixtures import Environment, Test, needs_compiler, shims, torch, write

CMAKE = """#!/bin/sh
notes=%(notes)s
case $1 in
--version) echo "cmake version ${STUB_VERSION:-3.25.1}"; exit ;;
-S) echo "configure: $*; CXX=$CXX MAKEFLAGS=${MAKEFLAGS-} DESTDIR=${DESTDIR-}" >>$notes
    if [ -n "${STUB_WARNING-}" ]; then printf 'CMake Warning at x.cmake:1 (message):\\n  Left out\\n  by wish.\\n\\nmore\\n'; fi ;;
--build) echo build >>$notes
    if [ -n "${STUB_FAIL-}" ]; then sleep_for=0.5; else sleep_for=${STUB_SECONDS:-0}; fi
    /bin/sleep "$sleep_for"
    if [ -n "${STUB_FAIL-}" ]; then echo "all well so far"; echo "x.cc:1:2: error: no such thing"; exit 1; fi ;;
--install) /bin/mkdir -p "$4/lib/spikedhs"; /bin/cp %(made)s/*.so "$4/lib/spikedhs/" ;;
esac
"""


class BuildTest(Test):
    def setUp(self):
        super().setUp()
        self.environment = Environment(os.path.join(self.tmp, "env"))
        self.torch = torch(self.environment.site, "2.16.0", cuda=False)
        self.made = shims(os.path.join(self.tmp, "made"))
        self.notes = os.path.join(self.tmp, "notes")
        self.tools = self.environment.folder("path")
        for name in "c++", "make":
            write(os.path.join(self.tools, name), "#!/bin/sh\n", 0o755)
        self.cmake = write(os.path.join(self.tools, "cmake"), CMAKE % {"notes": self.notes, "made": self.made}, 0o755)
        self.cache = os.path.join(self.environment.home, ".cache", "spikedhs", "shims")

    def run_it(self, *arguments, **options):
        return self.environment.run(*arguments, **options)

    def told(self, kind):
        if not os.path.exists(self.notes):
            return []
        with open(self.notes) as f:
            return [line.strip() for line in f if line.startswith(kind)]

    def built(self, folder=None):
        """The folders that have the libraries."""
        return [os.path.dirname(p) for p in glob.glob(os.path.join(folder or self.cache, "2.16.0-cpu-abi1-*", "libspikedhs.so"))]

    def nothing_left(self, folder=None):
        self.assertEqual(glob.glob(os.path.join(folder or self.cache, "*.making-*")), [])


@needs_compiler
class TestBuild(BuildTest):
    def test_once(self):
        done = self.run_it("train")
        self.started(done, "train")
        (folder,) = self.built()
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 2, done.stderr)
        self.assertEqual(lines[0], "spikedhs: building the libraries for PyTorch 2.16.0, once, takes some minutes; its log is "
                                   + folder + ".log")
        self.assertRegex(lines[1], r"^spikedhs: the libraries for PyTorch 2\.16\.0 are built \(\d+ s\)$")
        about = "built here in %s, since there are no prebuilt libraries for PyTorch 2.16.0 (2.16-cpu-abi1)" % folder
        self.assertEqual(done.variables["SPIKEDHS_LIBRARIES"], about)
        self.assertEqual(done.variables["LD_LIBRARY_PATH"], folder + ":" + os.path.join(self.torch, "lib"))
        self.nothing_left()
        again = self.run_it("train")
        self.started(again, "train")
        self.assertEqual((again.stderr, again.variables), ("", done.variables))
        self.assertEqual(len(self.told("build")), 1)

    def test_how_cmake_is_called(self):
        self.started(self.run_it(env={"MAKEFLAGS": "-j1", "DESTDIR": "/x", "LIBTORCH": self.torch}))
        source = os.path.join(self.environment.package, "src")
        (line,) = self.told("configure")
        for part in (
            "-S %s " % source, "-G Unix Makefiles", "-DGOTORCH_DIR=%s/gotorch" % source, "-DLIBTORCH=" + self.torch,
            "-DCMAKE_SKIP_INSTALL_RPATH=ON", "-DCMAKE_MAKE_PROGRAM=%s/make" % self.tools,
            "CXX=%s/c++ MAKEFLAGS= DESTDIR=" % self.tools,
        ):
            self.assertIn(part, line)

    def test_several_at_once(self):
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(self.run_it(env={"STUB_SECONDS": "2"}))) for _ in range(4)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for done in results:
            self.started(done)
        self.assertEqual(len(self.told("build")), 1)
        waited = [done for done in results if "another process builds the libraries for PyTorch 2.16.0" in done.stderr]
        self.assertEqual(len(waited), 3)
        self.assertTrue(all(len(done.stderr.splitlines()) == 1 for done in waited))
        self.nothing_left()

    def test_it_fails(self):
        done = self.run_it(env={"STUB_FAIL": "1"})
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        log = self.built_log()
        self.assertEqual(done.stderr.splitlines()[1:], [
            "spikedhs: the libraries for PyTorch 2.16.0 cannot be built (x.cc:1:2: error: no such thing): see " + log
        ])
        with open(log) as f:
            self.assertIn("all well so far\nx.cc:1:2: error: no such thing\n", f.read())
        self.assertEqual(self.built(), [])
        self.nothing_left()
        self.started(self.run_it())  # the next start tries again

    def built_log(self):
        (log,) = glob.glob(os.path.join(self.cache, "*.log"))
        return log

    def test_it_fails_while_another_waits(self):
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.run_it(env={"STUB_FAIL": "1"}))) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([done.returncode for done in results], [2, 2, 2])
        waited = [d.stderr for d in results if "another process could not build the libraries" in d.stderr]
        self.assertEqual(len(waited) + len(self.told("build")), 3)
        self.assertTrue(waited)
        self.assertIn("see " + self.built_log(), waited[0])

    def test_what_was_built_does_not_fit(self):
        shims(self.made, lacks=["at_not_there"])
        done = self.run_it()
        self.assertEqual(done.returncode, 2)
        self.assertIn("were built but cannot be loaded: libspikedhs.so needs the symbol at_not_there", done.stderr)
        self.assertEqual(self.built(), [])
        self.nothing_left()

    def test_the_program_does_not_start_with_it(self):
        program = "#!/bin/sh\nif [ $1 = version ]; then echo first >&2; echo 'libstdc++.so.6: GLIBCXX_3.4.99 not found' >&2; exit 127; fi\n"
        write(os.path.join(self.environment.package, "bin", "spikedhs"), program, 0o755)
        done = self.run_it()
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "were built but cannot be loaded: libstdc.*GLIBCXX_3.4.99 not found; see .*log\n$")
        self.assertEqual(self.built(), [])

    def test_a_symbol_is_missing_in_the_prebuilt(self):
        """The next way is taken, and it is told why."""
        shutil.rmtree(self.torch)
        torch(self.environment.site, "2.15.0", cuda=False)
        self.environment.prebuilt("2.15-cpu-abi1", lacks=["at_added_later"])
        done = self.run_it()
        self.started(done)
        self.assertRegex(done.variables["SPIKEDHS_LIBRARIES"],
                         r"^built here in .*, since the prebuilt libraries 2\.15-cpu-abi1 do not fit PyTorch 2\.15\.0 "
                         r"\(libspikedhs\.so needs the symbol at_added_later, which is not there\)$")

    def test_what_is_left_out_is_told(self):
        done = self.run_it(env={"STUB_WARNING": "1"})
        self.started(done)
        self.assertIn("spikedhs: warning: Left out by wish.\n", done.stderr)
        self.assertTrue(done.variables["SPIKEDHS_LIBRARIES"].endswith("; warning: Left out by wish."))
        self.assertEqual(self.run_it().variables, done.variables)

    def test_another_pytorch_gets_its_own(self):
        self.started(self.run_it())
        c10 = os.path.join(self.torch, "lib", "libc10.so")
        os.utime(c10, (1, 1))
        self.started(self.run_it())
        self.assertEqual(len(self.built()), 2)
        write(os.path.join(self.environment.package, "_version.py"), 'version = "0.4.0"\n')
        self.started(self.run_it())
        self.assertEqual(len(self.built()), 3)
        self.assertEqual(len(self.told("build")), 3)

    def test_damaged_ones_are_built_again(self):
        self.started(self.run_it())
        (folder,) = self.built()
        with open(os.path.join(folder, "libcgotorch.so"), "r+b") as f:
            f.truncate(3000)
        self.started(self.run_it())
        self.assertEqual(len(self.told("build")), 2)
        os.unlink(os.path.join(folder, "libcgotorch.so"))
        self.started(self.run_it())
        self.assertEqual(len(self.told("build")), 3)
        self.assertEqual(self.built(), [folder])

    def test_progress(self):
        code = "from spikedhs import build; build._TELL_EVERY = 1.0; from spikedhs.launch import main; main()"
        done = self.run_it(command=[self.environment.python, "-c", code], env={"STUB_SECONDS": "3.5"})
        self.started(done)
        self.assertRegex(done.stderr, r"(?m)^spikedhs: building the libraries for PyTorch 2\.16\.0, .* \([1-3] s\)$")
        self.assertIn(len(done.stderr.splitlines()), (4, 5, 6), done.stderr)


@needs_compiler
class TestInterrupted(BuildTest):
    def start(self):
        child = subprocess.Popen(
            [os.path.join(self.environment.bin, "spikedhs")], env=dict(self.environment.variables, STUB_SECONDS="100"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
        )
        end = time.monotonic() + 60
        while not self.told("build"):
            self.assertLess(time.monotonic(), end, "the build does not begin")
            time.sleep(0.05)
        return child

    def sleepers(self):
        """The processes of the made-up compiler that still run."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if self.cmake.encode() in words:
                found.append(words)
        return found

    def test_by_a_signal(self):
        for number, code in (signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 128 + signal.SIGTERM):
            child = self.start()
            self.assertTrue(self.sleepers())
            child.send_signal(number)
            out, told = child.communicate(timeout=30)
            self.assertEqual((child.returncode, out), (code, ""))
            self.assertEqual(len(told.splitlines()), 1, told)  # that it builds, and no traceback
            self.assertEqual(self.sleepers(), [])
            self.nothing_left()
            os.unlink(self.notes)

    def test_killed(self):
        """What it left is removed by the next one, which need not wait."""
        child = self.start()
        child.kill()
        child.communicate()
        for words in self.sleepers():
            self.assertIn(b"--build", words)
        self.assertEqual(len(glob.glob(os.path.join(self.cache, "*.making-*"))), 1)
        done = self.run_it()
        self.started(done)
        self.assertNotIn("another process", done.stderr)
        self.nothing_left()

    def tearDown(self):
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as f:
                    if self.cmake.encode() in f.read().split(b"\0"):
                        os.kill(int(path.split("/")[2]), signal.SIGKILL)
            except OSError:
                pass


@needs_compiler
class TestPlaces(BuildTest):
    """A file where a folder is wanted stands for one that cannot be written, which
    root could."""

    def test_the_variables(self):
        for name, at in ("SPIKEDHS_CACHE", "shims"), ("XDG_CACHE_HOME", "spikedhs/shims"):
            folder = os.path.join(self.tmp, name)
            self.started(self.run_it(env={name: folder}))
            self.assertEqual(len(self.built(os.path.join(folder, at))), 1)
        self.assertEqual(self.built(), [])

    def test_a_home_that_cannot_be_written(self):
        write(os.path.join(self.environment.home, ".cache"), "")
        self.started(self.run_it())
        self.assertEqual(len(self.built(os.path.join(self.environment.package, "built"))), 1)
        self.assertEqual(self.run_it().stderr, "")

    def test_neither_can_the_package(self):
        write(os.path.join(self.environment.home, ".cache"), "")
        write(os.path.join(self.environment.package, "built"), "")
        temporary = self.environment.folder("temporary")
        env = {"TMPDIR": temporary}
        self.started(self.run_it(env=env))
        own = os.path.join(temporary, "spikedhs-%d" % os.getuid())
        self.assertEqual(os.stat(own).st_mode & 0o777, 0o700)
        self.assertEqual(len(self.built(os.path.join(own, "shims"))), 1)
        self.assertEqual(self.run_it(env=env).stderr, "")
        # What others can write to is not loaded from, nor is a link.
        os.chmod(own, 0o770)
        self.refused(self.run_it(env=env), "no folder can be written to build them in: set SPIKEDHS_CACHE")
        os.chmod(own, 0o700)
        os.rename(own, own + ".real")
        os.symlink(own + ".real", own)
        self.refused(self.run_it(env=env), "no folder can be written")
        os.unlink(own)
        os.rename(own + ".real", own)
        self.started(self.run_it(env=env))
        if os.getuid() == 0:
            os.chown(own, 12345, -1)
            self.refused(self.run_it(env=env), "no folder can be written")

    @unittest.skipIf(os.getuid() == 0, "root can write to any folder")
    def test_a_home_without_rights(self):
        os.chmod(self.environment.home, 0o555)
        self.addCleanup(os.chmod, self.environment.home, 0o755)
        self.started(self.run_it(cwd=self.tmp))

    def test_a_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        code = "from spikedhs import build; build._Build.__init__ = lambda self, libtorch, tools, what, place: "
        code += "self.__dict__.update(libtorch=libtorch, tools=tools, what=what, place=place, log='/dev/full'); "
        code += "from spikedhs.launch import main; main()"
        self.refused(self.run_it(command=[self.environment.python, "-c", code]),
                     "cannot be built in " + self.cache, "No space left on device", "set SPIKEDHS_CACHE")


@needs_compiler
class TestTools(BuildTest):
    def without(self, *names):
        for name in names:
            os.unlink(os.path.join(self.tools, name))
        return self.run_it()

    def test_what_is_missing(self):
        self.refused(self.without("c++"), "building them needs a C++ compiler: install g++ (Debian")
        self.refused(self.without("cmake"), "needs a C++ compiler and CMake: install g++", "-m pip install cmake")
        self.refused(self.without("make"), "CMake and make or ninja:", "-m pip install ninja")

    def test_an_old_cmake(self):
        self.refused(self.run_it(env={"STUB_VERSION": "3.16.3"}), "needs CMake 3.18 or newer (%s is 3.16)" % self.cmake,
                     "-m pip install cmake")
        self.refused(self.run_it(env={"STUB_VERSION": "of some day"}), "needs CMake: run")

    def test_cmake_of_pip(self):
        """Of its package, where the script beside Python names another environment."""
        place = os.path.join(self.environment.site, "cmake", "data", "bin", "cmake")
        os.makedirs(os.path.dirname(place))
        os.rename(self.cmake, place)
        write(os.path.join(self.environment.bin, "cmake"), "#!/moved/python\n", 0o755)
        self.started(self.run_it())

    def test_beside_python(self):
        for name in "cmake", "c++", "make":
            os.rename(os.path.join(self.tools, name), os.path.join(self.environment.bin, name))
        self.started(self.run_it())

    def test_ninja(self):
        os.rename(os.path.join(self.tools, "make"), os.path.join(self.environment.bin, "ninja"))
        self.started(self.run_it())
        self.assertIn("-G Ninja ", self.told("configure")[0])

    def test_a_chosen_compiler(self):
        self.refused(self.run_it(env={"CXX": "no-such-compiler -m64"}), "CXX=no-such-compiler -m64 is no program")
        write(os.path.join(self.tools, "g++-14"), "#!/bin/sh\n", 0o755)
        self.started(self.run_it(env={"CXX": "g++-14 -m64"}))
        self.assertIn("CXX=g++-14 -m64 ", self.told("configure")[0])

    def test_the_order_of_compilers(self):
        for name in "clang++", "g++":
            write(os.path.join(self.tools, name), "#!/bin/sh\n", 0o755)
        os.unlink(os.path.join(self.tools, "c++"))
        self.started(self.run_it())
        self.assertIn("CXX=%s/g++ " % self.tools, self.told("configure")[0])


