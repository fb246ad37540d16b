import glob
import os
import shutil
import signal
import subprocess
import threading
import time

from fixtures import needs_compiler, shims, torch, write
from stub_cmake import BuildTest


@needs_compiler
class TestBuild(BuildTest):
    def test_once(self):
        done = self.run_it("train")
        self.started(done, "train")
        (folder,) = self.built()
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 2, done.stderr)
        self.assertEqual(
            lines[0],
            "spikedhs: building the libraries for PyTorch 2.16.0, once, takes some minutes; its log is "
            + folder
            + ".log",
        )
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
            "-S %s " % source,
            "-G Unix Makefiles",
            "-DGOTORCH_DIR=%s/gotorch" % source,
            "-DLIBTORCH=" + self.torch,
            "-DCMAKE_SKIP_INSTALL_RPATH=ON",
            "-DCMAKE_MAKE_PROGRAM=%s/make" % self.tools,
            "CXX=%s/c++ MAKEFLAGS= DESTDIR=" % self.tools,
        ):
            self.assertIn(part, line)

    def at_once(self, starts, env):
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.run_it(env=env))) for _ in range(starts)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return results

    def test_several_at_once(self):
        results = self.at_once(4, {"STUB_SECONDS": "2"})
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
        self.assertEqual(
            done.stderr.splitlines()[1:],
            [
                "spikedhs: the libraries for PyTorch 2.16.0 cannot be built (x.cc:1:2: error: no such thing): see "
                + log
            ],
        )
        with open(log) as f:
            self.assertIn("all well so far\nx.cc:1:2: error: no such thing\n", f.read())
        self.assertEqual(self.built(), [])
        self.nothing_left()
        self.started(self.run_it())  # the next start tries again

    def built_log(self):
        (log,) = glob.glob(os.path.join(self.cache, "*.log"))
        return log

    def test_it_fails_while_another_waits(self):
        results = self.at_once(3, {"STUB_FAIL": "1"})
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
        program = "#!/bin/sh\necho first >&2\necho 'libstdc++.so.6: GLIBCXX_3.4.99 not found' >&2\nexit 127\n"
        write(os.path.join(self.environment.package, "bin", "spikedhs"), program, 0o755)
        done = self.run_it()
        self.assertEqual(done.returncode, 2)
        self.assertRegex(
            done.stderr, "were built but cannot be loaded: libstdc.*GLIBCXX_3.4.99 not found; see .*log\n$"
        )
        self.assertEqual(self.built(), [])

    def test_a_symbol_is_missing_in_the_prebuilt(self):
        """The next way is taken, and it is told why."""
        shutil.rmtree(self.torch)
        torch(self.environment.site, "2.15.0", cuda=False)
        self.environment.prebuilt("2.15-cpu-abi1", lacks=["at_added_later"])
        done = self.run_it()
        self.started(done)
        self.assertRegex(
            done.variables["SPIKEDHS_LIBRARIES"],
            r"^built here in .*, since the prebuilt libraries 2\.15-cpu-abi1 do not fit PyTorch 2\.15\.0 "
            r"\(libspikedhs\.so needs the symbol at_added_later, which is not there\)$",
        )

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
        write(os.path.join(self.environment.package, "version.py"), '__version__ = "0.4.0"\n')
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
        first, *lines, last = done.stderr.splitlines()
        self.assertTrue(first.startswith("spikedhs: building the libraries") and "are built" in last, done.stderr)
        self.assertGreaterEqual(len(lines), 2, done.stderr)
        for line in lines:
            self.assertRegex(line, r"^spikedhs: still building, \[ 45%\] \([0-9]+ s\)$")


@needs_compiler
class TestInterrupted(BuildTest):
    def setUp(self):
        super().setUp()
        self.seconds = "100.%d%d" % (os.getpid(), id(self))  # by which its compiler is known

    def start(self):
        child = subprocess.Popen(
            [os.path.join(self.environment.bin, "spikedhs")],
            env=dict(self.environment.variables, STUB_SECONDS=self.seconds),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            # A shell ignores interrupts in what it starts in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        end = time.monotonic() + 60
        while len(self.compilers()) < 2:
            self.assertLess(time.monotonic(), end, "the build does not begin")
            time.sleep(0.05)
        return child

    def compilers(self):
        """The processes of the build that run: CMake, and what it started."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as f:
                    words = f.read().decode(errors="replace").split("\0")
            except OSError:  # it ended
                continue
            if self.cmake in words or self.seconds in words:
                found.append(int(path.split("/")[2]))
        return found

    def ended(self):
        """The compilers are gone, or about to be."""
        end = time.monotonic() + 10
        while self.compilers():
            self.assertLess(time.monotonic(), end, "a compiler runs on")
            time.sleep(0.05)

    def test_by_a_signal(self):
        for number, code in (signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 128 + signal.SIGTERM):
            child = self.start()
            child.send_signal(number)
            out, told = child.communicate(timeout=30)
            self.assertEqual((child.returncode, out), (code, ""))
            self.assertEqual(len(told.splitlines()), 1, told)  # that it builds, and no traceback
            self.ended()
            self.nothing_left()

    def test_killed(self):
        """What it left is removed by the next one, which need not wait."""
        child = self.start()
        child.kill()
        child.communicate()
        self.assertEqual(len(glob.glob(os.path.join(self.cache, "*.making-*"))), 1)
        done = self.run_it()
        self.started(done)
        self.assertNotIn("another process", done.stderr)
        self.nothing_left()

    def tearDown(self):
        for process in self.compilers():
            os.kill(process, signal.SIGKILL)
