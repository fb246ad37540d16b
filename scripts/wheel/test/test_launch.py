import json
import os
import shutil
import signal
import subprocess

from fixtures import (
    COMPILER,
    CUDA_FOLDER,
    CUDA_SYMBOLS,
    Environment,
    Test,
    cuda_packages,
    library,
    needs_compiler,
    torch,
    write,
)

TAG = "2.15-cuda-abi1"


class LaunchTest(Test):
    def setUp(self):
        super().setUp()
        self.environment = Environment(os.path.join(self.tmp, "env"))

    def module(self, *arguments, **options):
        return self.environment.run(*arguments, command=[self.environment.python, "-m", "spikedhs"], **options)

    def with_torch(self, tag=TAG, lacks=CUDA_SYMBOLS, **options):
        cuda_packages(self.environment.site)
        torch(self.environment.site, **options)
        self.environment.prebuilt(tag, lacks=lacks)


@needs_compiler
class TestStart(LaunchTest):
    def test_what_the_program_gets(self):
        self.with_torch()
        folder = os.path.join(self.environment.package, "shims", TAG)
        lib = os.path.join(self.environment.site, "torch", "lib")
        for before in None, "", "/usr/x:/usr/y":
            for run in self.environment.run, self.module:
                done = run("train", "--set", "a b", env={"LD_LIBRARY_PATH": before})
                self.started(done, "train", "--set", "a b")
                self.assertEqual(done.stderr, "")
                self.assertEqual(
                    done.variables,
                    {
                        "LD_LIBRARY_PATH": ":".join([folder, lib] + ([before] if before else [])),
                        "SPIKEDHS_LD_LIBRARY_PATH": before or "",
                        "SPIKEDHS_LIBRARIES": "prebuilt " + TAG,
                        "SPIKEDHS_OTHER_TORCH": "",
                        "SPIKEDHS_PYTHON": self.environment.python
                        if run == self.module
                        else os.path.join(self.environment.bin, self.environment.version),
                    },
                )

    def test_no_argument_and_odd_ones(self):
        self.with_torch()
        for arguments in (), ("",), ("-c", "-m"), ("--", "x\ny"), ("ä", "*"):
            done = self.environment.run(*arguments)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout.startswith("program: " + " ".join(arguments) + "\n"))

    def test_exit_code_and_signals_are_the_programs(self):
        self.with_torch()
        for run in self.environment.run, self.module:
            self.assertEqual(run("exit", "7").returncode, 7)
            self.assertEqual(run("exit", "130").returncode, 130)
            self.assertEqual(run("kill", "TERM").returncode, -signal.SIGTERM)
            # Python ignores SIGPIPE and SIGXFSZ; the program must not inherit that.
            status = run("pipe", restore_signals=True).stdout
            ignored = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:")), 16)
            self.assertEqual(ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1), 0, status)

    def test_every_tag(self):
        """Of all the prebuilt, exactly the one of the PyTorch that is there."""
        cuda_packages(self.environment.site)
        tags = ["%s-%s-abi%d" % (v, k, a) for v in ("2.4", "2.11", "2.15") for k in ("cuda", "cpu") for a in (0, 1)]
        for tag in tags:
            self.environment.prebuilt(tag, lacks=["at_add"] + ["torch_cuda_sync"] * ("cuda" in tag))
        for tag in tags:
            release, kind, abi = tag.split("-")
            shutil.rmtree(os.path.join(self.environment.site, "torch"), ignore_errors=True)
            torch(self.environment.site, release + ".1", cuda=kind == "cuda", abi=int(abi[3:]))
            self.assertEqual(self.environment.run().variables["SPIKEDHS_LIBRARIES"], "prebuilt " + tag)

    def test_up_and_down(self):
        """PyTorch changes after the installation."""
        cuda_packages(self.environment.site)
        self.environment.prebuilt("2.15-cuda-abi1")
        self.environment.prebuilt("2.6-cpu-abi1")
        for version, cuda, expected in (
            ("2.15.0", True, "2.15-cuda-abi1"),
            ("2.6.0", False, "2.6-cpu-abi1"),
            ("2.15.1", True, TAG),
        ):
            shutil.rmtree(os.path.join(self.environment.site, "torch"), ignore_errors=True)
            torch(self.environment.site, version, cuda=cuda)
            self.assertEqual(self.environment.run().variables["SPIKEDHS_LIBRARIES"], "prebuilt " + expected)

    def test_two_pytorchs(self):
        """The environment's own is taken, whatever else is on the path."""
        self.with_torch()
        other = os.path.join(self.tmp, "other")
        torch(other, "2.11.0", cuda=False)
        self.environment.prebuilt("2.11-cpu-abi1", lacks=["at_add"])
        for run in self.environment.run, self.module:
            variables = run(env={"PYTHONPATH": other}).variables
            self.assertEqual(variables["SPIKEDHS_LIBRARIES"], "prebuilt " + TAG)
            self.assertEqual(variables["SPIKEDHS_OTHER_TORCH"], os.path.join(other, "torch"))
            self.assertEqual(run().variables["SPIKEDHS_OTHER_TORCH"], "")
        shutil.rmtree(os.path.join(self.environment.site, "torch"))
        done = self.environment.run(env={"PYTHONPATH": other})
        self.assertEqual(done.variables["SPIKEDHS_OTHER_TORCH"], "")
        self.assertEqual(done.variables["SPIKEDHS_LIBRARIES"], "prebuilt 2.11-cpu-abi1")
        self.assertIn(os.path.join(other, "torch", "lib"), done.variables["LD_LIBRARY_PATH"].split(":"))
        self.refused(self.environment.run(), "there is no PyTorch")
        done = self.environment.run(env={"LIBTORCH": os.path.join(other, "torch")})
        self.assertEqual(done.variables["SPIKEDHS_LIBRARIES"], "prebuilt 2.11-cpu-abi1")

    def test_in_a_folder_with_other_things(self):
        """A torch, a spikedhs and modules of Python's in the current folder."""
        here = os.path.join(self.tmp, "here")
        for name in "torch/__init__.py", "spikedhs/__init__.py", "struct.py", "mmap.py", "os.py", "site.py":
            write(os.path.join(here, name), "raise SystemExit('the wrong %s')\n" % name)
        torch(here, "2.9.0", cuda=False)
        self.refused(self.environment.run(cwd=here), "there is no PyTorch")
        self.with_torch()
        for env in {}, {"PYTHONPATH": ""}, {"PYTHONSAFEPATH": "1"}:
            self.started(self.environment.run(cwd=here, env=env))
        os.rename(os.path.join(here, "spikedhs"), os.path.join(here, "another"))
        self.started(self.module(cwd=here))

    def test_in_a_folder_that_is_gone(self):
        self.with_torch()
        gone = os.path.join(self.tmp, "gone")
        os.makedirs(gone)
        script = os.path.join(self.environment.bin, "spikedhs")
        done = self.environment.run(command=["/bin/sh", "-c", 'rmdir "$PWD"; exec "$0" train', script], cwd=gone)
        self.started(done, "train")

    def test_cuda_of_another_folder(self):
        other = os.path.join(self.tmp, "other")
        cuda_packages(other)
        torch(self.environment.site)
        self.environment.prebuilt(TAG, lacks=CUDA_SYMBOLS)
        done = self.environment.run(env={"PYTHONPATH": other, "LD_LIBRARY_PATH": "/last"})
        self.assertEqual(done.variables["LD_LIBRARY_PATH"].split(":")[2:], [os.path.join(other, CUDA_FOLDER), "/last"])

    def test_nothing_heavy_is_imported(self):
        self.with_torch()
        code = """if True:
            import json, os, sys
            before = set(sys.modules)
            def execve(*_):
                os.write(1, json.dumps(sorted(set(sys.modules) - before)).encode())
                os._exit(0)
            os.execve = execve
            from spikedhs.launch import main
            main()
        """
        done = self.environment.run(command=[self.environment.python, "-c", code])
        imported = set(json.loads(done.stdout))
        self.assertIn("spikedhs.launch", imported)
        self.assertLessEqual({m for m in imported if not m.startswith("spikedhs")}, {"mmap", "struct", "_struct"})
        self.assertFalse(imported & {"spikedhs.build", "spikedhs.places", "spikedhs.model", "torch"})

    def test_the_modes_were_lost(self):
        self.with_torch()
        program = os.path.join(self.environment.package, "bin", "spikedhs")
        os.chmod(program, 0o644)
        self.started(self.environment.run())
        self.assertTrue(os.access(program, os.X_OK))


@needs_compiler
class TestRefusals(LaunchTest):
    def test_no_pytorch(self):
        for run in self.environment.run, self.module:
            self.refused(run("doctor"), "there is no PyTorch for", " -m pip install torch")

    def test_in_an_environment_of_uv(self):
        """There is no pip in it."""
        write(os.path.join(self.environment.folder("path"), "uv"), "", 0o755)
        self.refused(self.module(), ": run uv pip install --python %s torch" % self.environment.python)
        os.makedirs(os.path.join(self.environment.site, "pip"))
        self.refused(self.module(), ": run %s -m pip install torch" % self.environment.python)

    def test_too_old(self):
        torch(self.environment.site, "2.3.1+cu121")
        self.refused(
            self.environment.run(),
            "PyTorch 2.3.1+cu121 in",
            "is too old: 2.4 or newer",
            "-m pip install --upgrade torch",
        )

    def test_a_wrong_libtorch(self):
        self.refused(
            self.environment.run(env={"LIBTORCH": "/nowhere"}), "LIBTORCH=/nowhere holds no PyTorch", "unset it"
        )

    def test_newer_without_a_compiler(self):
        self.with_torch()
        torch(self.environment.site, "2.16.0", cuda=False)
        self.refused(
            self.environment.run(),
            "no prebuilt libraries for PyTorch 2.16.0 (2.16-cuda-abi1)",
            "a C++ compiler and CMake",
            "sudo apt-get install g++",
            "-m pip install cmake",
            "take a PyTorch of the prebuilt (2.15)",
            "install 'torch==2.15.*'",
        )

    def test_no_release(self):
        """Between two releases a build can have the symbols of one and other layouts."""
        self.with_torch(version="2.15.0a0+git1234567")
        self.refused(
            self.environment.run(), "PyTorch 2.15.0a0+git1234567 is no release, so there are no prebuilt libraries"
        )

    def test_a_symbol_is_missing(self):
        self.with_torch(lacks=["at_added_later"])
        self.refused(
            self.environment.run(),
            "the prebuilt libraries 2.15-cuda-abi1 do not fit PyTorch 2.15.0+cu132",
            "libspikedhs.so needs the symbol at_added_later",
        )

    def test_without_headers(self):
        self.with_torch(version="2.16.0")
        shutil.rmtree(os.path.join(self.environment.site, "torch", "include"))
        self.refused(self.environment.run(), "cannot be built without headers in", "apt-get install libtorch-dev")

    def test_cuda_is_gone(self):
        self.with_torch()
        shutil.rmtree(os.path.join(self.environment.site, "nvidia"))
        self.refused(self.environment.run(), "cannot be loaded without lib", "-m pip install torch==2.15.0")

    def test_damaged_libtorch(self):
        self.with_torch()
        write(os.path.join(self.environment.site, "torch", "lib", "libtorch_cpu.so"), "")
        self.refused(self.environment.run(), "libtorch_cpu.so is no library that can be read", "install PyTorch anew")

    def test_the_program_is_missing(self):
        self.with_torch()
        os.unlink(os.path.join(self.environment.package, "bin", "spikedhs"))
        self.refused(self.environment.run(), "bin/spikedhs is missing", "--force-reinstall")

    def test_the_program_is_damaged(self):
        self.with_torch()
        program = os.path.join(self.environment.package, "bin", "spikedhs")
        library(program, ["main"])
        with open(program, "r+b") as f:
            f.truncate(100)
        os.chmod(program, 0o755)
        self.refused(self.environment.run(), program + " cannot be started (", "--force-reinstall")

    def test_another_owners_program_without_modes(self):
        self.with_torch()
        program = os.path.join(self.environment.package, "bin", "spikedhs")
        os.chmod(program, 0o644)
        code = "import os, sys; os.chmod = lambda *_: (_ for _ in ()).throw(PermissionError()); "
        code += "from spikedhs.launch import main; main()"
        self.refused(
            self.environment.run(command=[self.environment.python, "-c", code]), "cannot be executed", "chmod +x"
        )

    def test_an_older_glibc(self):
        """The environment was copied to an older system."""
        self.with_torch()
        code = "import os; os.confstr = lambda _: 'glibc 2.1'; from spikedhs.launch import main; main()"
        library_with_glibc = os.path.join(self.environment.package, "bin", "spikedhs")
        subprocess.run(
            [COMPILER, "-x", "c", "-", "-o", library_with_glibc],
            check=True,
            input=b'#include <stdio.h>\nint main(void) { puts("program: "); return 0; }',
        )
        self.started(self.environment.run())
        self.refused(
            self.environment.run(command=[self.environment.python, "-c", code]),
            "this system has glibc 2.1 and spikedhs needs glibc 2.",
            "use a newer system",
        )
        code = code.replace("'glibc 2.1'", "None")
        self.refused(self.environment.run(command=[self.environment.python, "-c", code]), "this system has no glibc")

    def test_an_error_of_the_system(self):
        self.with_torch()
        code = "from spikedhs import launch; launch.libtorch.find = lambda: open('/nowhere'); launch.main()"
        self.refused(
            self.environment.run(command=[self.environment.python, "-c", code]),
            "the start failed: [Errno 2] No such file or directory: '/nowhere'",
        )

    def test_no_standard_error(self):
        done = self.environment.run(
            command=["/bin/sh", "-c", '"$0" 2>&-; echo $?', os.path.join(self.environment.bin, "spikedhs")]
        )
        self.assertEqual(done.stdout, "2\n")


class TestPackage(Test):
    def test_version_and_program(self):
        environment = Environment(os.path.join(self.tmp, "env"))
        code = "import spikedhs, sys; print(spikedhs.__version__, spikedhs.program, 'torch' in sys.modules)"
        done = environment.run(command=[environment.python, "-c", code])
        self.assertEqual(done.stdout, "0.3.0+gtest %s False\n" % os.path.join(environment.package, "bin", "spikedhs"))
