"""Made-up PyTorchs and environments for the tests: tiny libraries with the symbols
that are wanted, made by the machine's compiler."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WHEEL = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, WHEEL)

COMPILER = shutil.which("gcc") or shutil.which("cc")
needs_compiler = unittest.skipUnless(COMPILER, "there is no C compiler to make libraries with")

# c10 with the new std::string, and with the old one.
C10 = {1: "_ZN3c105ErrorC2ENSt7__cxx1112basic_stringE", 0: "_ZN3c105ErrorC2ESs"}
CUDA_FOLDER = os.path.join("nvidia", "cu13", "lib")
RPATH = "$ORIGIN/../../nvidia/cu13/lib:$ORIGIN"

_made = {}
_store = tempfile.TemporaryDirectory()


def library(path, defines=(), lacks=(), needs=(), rpath="", hash_style="gnu", runpath=False, weak=()):
    """A shared library. needs are names that need not be there."""
    key = tuple(defines), tuple(lacks), tuple(needs), rpath, hash_style, runpath, tuple(weak), os.path.basename(path)
    if key not in _made:
        folder = tempfile.mkdtemp(dir=_store.name)
        stubs = []
        for name in needs:
            stubs.append(os.path.join(folder, "stub-" + name))
            _compile("", stubs[-1], "-Wl,-soname," + name)
        source = "".join("void %s(void) {}\n" % name for name in defines)
        source += "".join("extern void %s(void);\n" % name for name in lacks)
        source += "".join("extern void %s(void) __attribute__((weak));\n" % name for name in weak)
        source += "void spikedhs_calls(void) { %s }\n" % " ".join(
            ["%s();" % name for name in lacks] + ["if (%s) %s();" % (name, name) for name in weak]
        )
        options = [
            "-Wl,-soname," + os.path.basename(path),
            "-Wl,--hash-style=" + hash_style,
            "-Wl,--no-as-needed",
        ] + stubs
        if rpath:
            options += ["-Wl,-rpath," + rpath, "-Wl,--%s-new-dtags" % ("enable" if runpath else "disable")]
        _made[key] = os.path.join(folder, "made.so")
        _compile(source, _made[key], *options)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(_made[key], path)
    return path


def _compile(source, path, *options):
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-nostdlib", "-w", "-O1", "-x", "c", "-", "-x", "none", "-o", path, *options],
        input=source.encode(),
        check=True,
    )


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def torch(site, version="2.15.0+cu132", abi=1, cuda=True, symbols=("at_add",), openmp="libgomp.so.1", rpath=RPATH):
    """A made-up PyTorch in a folder of packages, with headers as building asks for
    them. Its CUDA packages are cuda_packages'."""
    lib = os.path.join(site, "torch", "lib")
    write(os.path.join(site, "torch", "version.py"), "__version__ = '%s'\ncuda = None\n" % version)
    write(os.path.join(site, "torch", "include", "torch", "csrc", "api", "include", "torch", "version.h"), "")
    library(os.path.join(lib, "libc10.so"), [C10[abi]], rpath=rpath)
    needs = ["libc10.so"] + ([openmp] if openmp else [])
    library(os.path.join(lib, "libtorch_cpu.so"), symbols, needs=needs, rpath=rpath)
    library(os.path.join(lib, "libtorch.so"), needs=["libtorch_cpu.so"], rpath=rpath)
    if openmp:
        library(os.path.join(lib, openmp), ["GOMP_parallel"])
    if cuda:
        library(os.path.join(lib, "libc10_cuda.so"), ["c10_cuda_stream"], needs=["libcudart.so.13"], rpath=rpath)
        library(
            os.path.join(lib, "libtorch_cuda.so"),
            ["torch_cuda_sync"],
            needs=["libc10_cuda.so", "libcublas.so.13"],
            rpath=rpath,
        )
    return os.path.join(site, "torch")


def cuda_packages(site, folder=CUDA_FOLDER):
    library(os.path.join(site, folder, "libcudart.so.13"), ["cudaMalloc"])
    library(
        os.path.join(site, folder, "libcublas.so.13"), ["cublasCreate"], needs=["libcublasLt.so.13"], rpath="$ORIGIN"
    )
    library(os.path.join(site, folder, "libcublasLt.so.13"), ["cublasLtCreate"])


CPU_SYMBOLS = ["at_add", C10[1], "GOMP_parallel"]
CUDA_SYMBOLS = CPU_SYMBOLS + ["torch_cuda_sync", "c10_cuda_stream", "cudaMalloc"]


def shims(folder, lacks=CPU_SYMBOLS, needs=("libtorch_cpu.so", "libc10.so")):
    library(os.path.join(folder, "libspikedhs.so"), ["sd_add"], lacks=lacks, needs=needs)
    library(os.path.join(folder, "libcgotorch.so"), ["Torch_Add"], lacks=["at_add", "sd_add"], needs=needs)
    return folder


# Stands in for the program: tells what it was started with.
PROGRAM = """#!/bin/sh
echo "program: $*"
for name in LD_LIBRARY_PATH SPIKEDHS_LD_LIBRARY_PATH SPIKEDHS_LIBRARIES SPIKEDHS_OTHER_TORCH SPIKEDHS_PYTHON; do
    eval "echo $name=\\$$name"
done
case ${1:-} in
exit) exit "$2" ;;
kill) kill -"$2" $$ ;;
pipe) exec /bin/cat /proc/self/status ;;
esac
"""


class Environment:
    """A virtual environment with spikedhs in it, without pip."""

    def __init__(self, root):
        self.root = root
        self.home = os.path.join(os.path.dirname(root), "home")
        self.bin = os.path.join(root, "bin")
        self.version = "python%d.%d" % sys.version_info[:2]
        self.site = os.path.join(root, "lib", self.version, "site-packages")
        self.package = os.path.join(self.site, "spikedhs")
        os.makedirs(self.bin)
        os.makedirs(self.site)
        os.makedirs(self.home)
        base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        for name in "python3", self.version, "python":
            os.symlink(base, os.path.join(self.bin, name))
        write(
            os.path.join(root, "pyvenv.cfg"),
            "home = %s\ninclude-system-site-packages = false\n" % os.path.dirname(base),
        )
        self.install(self.site, self.bin)
        self.variables = {"PATH": self.folder("path"), "HOME": self.home, "LC_ALL": "C.UTF-8"}

    def folder(self, name):
        path = os.path.join(os.path.dirname(self.root), name)
        os.makedirs(path, exist_ok=True)
        return path

    @staticmethod
    def install(site, bin, program=PROGRAM):
        package = os.path.join(site, "spikedhs")
        shutil.copytree(os.path.join(WHEEL, "spikedhs"), package, ignore=shutil.ignore_patterns("__pycache__"))
        write(os.path.join(package, "version.py"), '__version__ = "0.3.0+gtest"\n')
        write(os.path.join(package, "bin", "spikedhs"), program, 0o755)
        os.makedirs(bin, exist_ok=True)
        shutil.copy(os.path.join(WHEEL, "bin", "spikedhs"), os.path.join(bin, "spikedhs"))

    @property
    def python(self):
        return os.path.join(self.bin, "python3")

    def prebuilt(self, tag, **options):
        return shims(os.path.join(self.package, "shims", tag), **options)

    def run(self, *arguments, command=None, cwd=None, env=None, **options):
        command = command or [os.path.join(self.bin, "spikedhs")]
        variables = {k: v for k, v in dict(self.variables, **(env or {})).items() if v is not None}
        done = subprocess.run(
            command + list(arguments),
            cwd=cwd or self.home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=120,
            **options,
        )
        done.variables = dict(
            line.split("=", 1) for line in done.stdout.splitlines() if line.startswith(("LD_", "SPIKEDHS_"))
        )
        return done


class Test(unittest.TestCase):
    """A test with a folder of its own, which goes away."""

    maxDiff = None

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.tmp = os.path.realpath(place.name)

    def refused(self, done, *parts):
        """It ended with 2 and one line that has these parts."""
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("spikedhs: "), lines[0])
        for part in parts:
            self.assertIn(part, lines[0])

    def started(self, done, *arguments):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[0], "program: " + " ".join(arguments))
