import os
import unittest

from fixtures import needs_compiler, write
from stub_cmake import BuildTest


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
        self.refused(
            self.run_it(command=[self.environment.python, "-c", code]),
            "cannot be built in " + self.cache,
            "No space left on device",
            "set SPIKEDHS_CACHE",
        )


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
        self.refused(
            self.run_it(env={"STUB_VERSION": "3.16.3"}),
            "needs CMake 3.18 or newer (%s is 3.16)" % self.cmake,
            "-m pip install cmake",
        )
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
