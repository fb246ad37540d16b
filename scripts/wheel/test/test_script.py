"""The shell script that pip puts on the PATH, in the layouts that pip makes."""

import os
import shutil
import subprocess

from fixtures import Environment, Test, needs_compiler, torch, write


@needs_compiler
class TestLayouts(Test):
    def setUp(self):
        super().setUp()
        self.environment = Environment(os.path.join(self.tmp, "env"))
        self.torch(self.environment.site, self.environment.package)
        self.script = os.path.join(self.environment.bin, "spikedhs")

    def torch(self, site, package):
        torch(site, "2.15.0", cuda=False)
        from fixtures import shims

        shims(os.path.join(package, "shims", "2.15-cpu-abi1"))

    def installed(self, root, kind="site-packages", lib="lib"):
        """Another installation, outside of the environment; its script and packages."""
        site = os.path.join(root, lib, self.environment.version, kind)
        Environment.install(site, os.path.join(root, "bin"))
        self.torch(site, os.path.join(site, "spikedhs"))
        return os.path.join(root, "bin", "spikedhs"), site

    def run_it(self, *command, **options):
        return self.environment.run(command=list(command), **options)

    def test_an_environment(self):
        self.started(self.run_it(self.script, "x"), "x")
        self.started(self.run_it("/bin/sh", "spikedhs", cwd=self.environment.bin))
        self.started(self.run_it("./spikedhs", cwd=self.environment.bin))
        self.started(self.run_it("/bin/sh", "-c", "spikedhs", env={"PATH": self.environment.bin}))

    def test_a_link_to_it(self):
        """As pipx makes them."""
        link = os.path.join(self.tmp, "local", "bin", "spikedhs")
        os.makedirs(os.path.dirname(link))
        os.symlink(self.script, link)
        done = self.run_it(link, env={"PATH": "/usr/bin:/bin"})
        self.started(done)
        self.assertIn(self.environment.site, done.variables["LD_LIBRARY_PATH"])

    def test_a_moved_environment(self):
        moved = os.path.join(self.tmp, "moved here")
        os.rename(self.environment.root, moved)
        done = self.run_it(os.path.join(moved, "bin", "spikedhs"), "x")
        self.started(done, "x")
        self.assertTrue(done.variables["SPIKEDHS_PYTHON"].startswith(moved))
        self.assertTrue(all(p.startswith(moved) for p in done.variables["LD_LIBRARY_PATH"].split(":")))

    def test_its_python_is_gone(self):
        for name in "python", "python3", self.environment.version:
            os.unlink(os.path.join(self.environment.bin, name))
            os.symlink("/nowhere/python3", os.path.join(self.environment.bin, name))
        self.refused(self.run_it(self.script), "the Python of %s is gone" % self.environment.root, "python3 -m venv")

    def test_the_python_of_a_copied_one_is_gone(self):
        write(os.path.join(self.environment.root, "pyvenv.cfg"), "home = /nowhere/bin\nversion = 3.11.7")
        self.refused(self.run_it(self.script), "was made from /nowhere/bin, which is gone", "python3 -m venv")
        write(os.path.join(self.environment.root, "pyvenv.cfg"), "version = 3.11.7\nhome = /nowhere/bin")
        self.refused(self.run_it(self.script), "was made from /nowhere/bin, which is gone")

    def test_its_python_is_another_version(self):
        os.rename(
            os.path.join(self.environment.root, "lib", self.environment.version),
            os.path.join(self.environment.root, "lib", "python3.1"),
        )
        self.refused(
            self.run_it(self.script), "cannot use the package in", "(it is Python 3.", "install it again with pip"
        )

    def test_the_package_is_gone(self):
        shutil.rmtree(self.environment.package)
        self.refused(
            self.run_it(self.script), "there is no package spikedhs beside " + self.environment.bin, "with pip"
        )

    def test_the_package_is_damaged(self):
        write(os.path.join(self.environment.package, "launch.py"), "def main(:\n")
        self.refused(self.run_it(self.script), "cannot use the package in", "install it again with pip")

    def test_of_a_user(self):
        """pip install --user: the Python is that of the version, from the PATH; its own
        folder of packages need not be known to it (PYTHONNOUSERSITE)."""
        script, site = self.installed(os.path.join(self.tmp, "home", ".local"))
        for env in {}, {"PYTHONNOUSERSITE": "1"}:
            done = self.run_it(script, "x", env=dict(env, PATH=self.environment.bin + ":/usr/bin:/bin"))
            self.started(done, "x")
            self.assertIn(os.path.join(site, "torch", "lib"), done.variables["LD_LIBRARY_PATH"])

    def test_of_a_system(self):
        """Packages of a Python in the same folder; Debian's dist-packages; Fedora's lib64."""
        for kind, lib in ("site-packages", "lib"), ("dist-packages", "lib"), ("site-packages", "lib64"):
            root = os.path.join(self.tmp, kind + lib)
            script, site = self.installed(root, kind, lib)
            os.symlink(self.environment.python, os.path.join(root, "bin", self.environment.version))
            done = self.run_it(script, "x")
            self.started(done, "x")
            self.assertIn(os.path.join(site, "torch", "lib"), done.variables["LD_LIBRARY_PATH"])

    def test_a_python3_beside_it_that_is_another(self):
        """/usr/local/bin/python3 is no reason to take it for a package of Debian's Python."""
        root = os.path.join(self.tmp, "local")
        script, site = self.installed(root, "dist-packages")
        write(os.path.join(root, "bin", "python3"), "#!/bin/sh\necho the wrong one\n", 0o755)
        self.started(self.run_it(script, env={"PATH": self.environment.bin}))

    def test_a_target(self):
        target = os.path.join(self.tmp, "target")
        Environment.install(target, os.path.join(target, "bin"))
        self.torch(target, os.path.join(target, "spikedhs"))
        done = self.run_it(os.path.join(target, "bin", "spikedhs"), "x", env={"PATH": self.environment.bin})
        self.started(done, "x")
        self.assertIn(os.path.join(target, "torch", "lib"), done.variables["LD_LIBRARY_PATH"])

    def test_no_python_of_that_version(self):
        script, site = self.installed(os.path.join(self.tmp, "user"))
        os.rename(os.path.dirname(site), os.path.join(os.path.dirname(os.path.dirname(site)), "python3.1"))
        self.refused(self.run_it(script), "belongs to python3.1, which is not there")

    def test_the_last_of_several_installations_counts(self):
        script, site = self.installed(os.path.join(self.tmp, "user"))
        older = os.path.join(self.tmp, "user", "lib", "python3.99", "site-packages", "spikedhs")
        write(os.path.join(older, "__init__.py"), "")
        os.utime(older, (1, 1))
        self.started(self.run_it(script, env={"PATH": self.environment.bin}))
        os.utime(os.path.join(site, "spikedhs"), (0, 0))
        self.refused(self.run_it(script, env={"PATH": self.environment.bin}), "belongs to python3.99")

    def test_in_every_shell(self):
        for shell in "dash", "bash", "ksh", "busybox":
            path = shutil.which(shell)
            if path:
                command = [path, "sh"] if shell == "busybox" else [path]
                self.started(self.run_it(*(command + [self.script, "a b"])), "a b")

    def test_the_first_line(self):
        """pip changes scripts that begin with python, and no others."""
        with open(self.script) as f:
            self.assertEqual(f.readline(), "#!/bin/sh\n")
        subprocess.run(["/bin/sh", "-n", self.script], check=True)
