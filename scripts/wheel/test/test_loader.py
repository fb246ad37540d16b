import glob
import os
import shutil
import unittest
from unittest import mock

from fixtures import (
    CUDA_FOLDER,
    CUDA_SYMBOLS,
    Test,
    cuda_packages,
    library,
    needs_compiler,
    shims,
    torch,
    write,
)

from spikedhs import loader
from spikedhs import shims as chosen
from spikedhs.errors import Refusal
from spikedhs.libtorch import Libtorch


def names(libraries):
    return sorted(os.path.basename(lib.path) for lib in libraries.symbols)


@needs_compiler
class TestLibraries(Test):
    def setUp(self):
        super().setUp()
        self.site = os.path.join(self.tmp, "site")

    def made(self, **options):
        return loader.Libraries(Libtorch(torch(self.site, **options), "the test"))

    def test_of_a_wheel(self):
        cuda_packages(self.site)
        libraries = self.made()
        self.assertEqual(
            names(libraries),
            [
                "libc10.so",
                "libc10_cuda.so",
                "libcudart.so.13",
                "libgomp.so.1",
                "libtorch.so",
                "libtorch_cpu.so",
                "libtorch_cuda.so",
            ],
        )
        self.assertEqual(libraries.folders, [])

    def test_of_an_older_wheel(self):
        """Its OpenMP runtime has a name of its own."""
        libraries = self.made(version="2.4.1", cuda=False, openmp="libgomp-a34b3233.so.1")
        self.assertEqual(names(libraries), ["libc10.so", "libgomp-a34b3233.so.1", "libtorch.so", "libtorch_cpu.so"])

    def test_the_openmp_of_the_system(self):
        if not loader._of_system("libgomp.so.1"):
            self.skipTest("there is no libgomp in the system's folders")
        root = torch(self.site, cuda=False)
        os.unlink(os.path.join(root, "lib", "libgomp.so.1"))
        self.assertIn("libgomp.so.1", names(loader.Libraries(Libtorch(root, "the test"))))

    def test_missing_packages_of_cuda(self):
        with self.assertRaisesRegex(
            Refusal,
            r"^PyTorch 2\.15\.0\+cu132 in .*/torch/lib cannot be loaded without libc\w+\.so\.13 of CUDA and 1 more: "
            r"run .* -m pip install torch==2\.15\.0$",
        ):
            self.made()
        cuda_packages(self.site)
        self.made()
        # What only a package of CUDA needs counts too.
        os.unlink(os.path.join(self.site, CUDA_FOLDER, "libcublasLt.so.13"))
        with self.assertRaisesRegex(Refusal, "without libcublasLt.so.13 of CUDA: run"):
            self.made()

    def test_a_package_that_lost_its_files(self):
        """pip thinks that it is there, so only a forced installation brings it."""
        cuda_packages(self.site)
        os.unlink(os.path.join(self.site, CUDA_FOLDER, "libcublas.so.13"))
        write(
            os.path.join(self.site, "nvidia_cublas-13.1.0.3.dist-info", "RECORD"),
            "nvidia/cu13/lib/libcublas.so.13,sha256=x,1\nnvidia/cu13/lib/libcublasLt.so.13,sha256=x,1\n",
        )
        with self.assertRaisesRegex(Refusal, "--force-reinstall --no-deps nvidia-cublas==13.1.0.3$"):
            self.made()

    def test_packages_in_another_folder(self):
        """torch of a --user installation, CUDA of the system's: PyTorch loads it from
        there, and so do we."""
        other = os.path.join(self.tmp, "other")
        cuda_packages(other)
        with mock.patch.object(loader, "search_path", lambda: [self.site, other]):
            libraries = self.made()
        self.assertEqual(libraries.folders, [os.path.join(other, CUDA_FOLDER)])
        self.assertIn("libcudart.so.13", names(libraries))

    def test_cuda_by_the_variable(self):
        cuda_packages(self.tmp)
        with mock.patch.dict(os.environ, LD_LIBRARY_PATH="/nowhere:" + os.path.join(self.tmp, CUDA_FOLDER)):
            self.assertEqual(self.made().folders, [])

    def test_an_inherited_rpath(self):
        """cuBLAS has no path of its own: that of libtorch, which loads it, counts. A
        library with a RUNPATH has but that."""
        cuda_packages(self.site)
        library(os.path.join(self.site, CUDA_FOLDER, "libcublas.so.13"), ["cublasCreate"], needs=["libcublasLt.so.13"])
        self.made()
        library(
            os.path.join(self.site, CUDA_FOLDER, "libcublas.so.13"),
            needs=["libcublasLt.so.13"],
            rpath="/no",
            runpath=True,
        )
        with self.assertRaisesRegex(Refusal, "without libcublasLt.so.13 of CUDA"):
            self.made()

    def test_a_runtime_of_its_own(self):
        """conda: the C++ runtime beside libtorch is newer than the system's, and the
        first one loaded is everybody's."""
        root = torch(self.site, cuda=False)
        library(
            os.path.join(root, "lib", "libtorch_cpu.so"),
            ["at_add"],
            needs=["libstdc++.so.6"],
            rpath="$ORIGIN/../../own",
        )
        library(os.path.join(self.site, "own", "libstdc++.so.6"), ["_Znwm"])
        libraries = loader.Libraries(Libtorch(root, "the test"))
        self.assertEqual(libraries.folders, [os.path.join(self.site, "own")])

    def test_the_cache_of_the_loader(self):
        if not os.path.exists("/etc/ld.so.cache"):
            self.skipTest("this system has no /etc/ld.so.cache")
        path = loader._cached("libc.so.6")
        self.assertEqual(os.path.basename(path), "libc.so.6")
        from spikedhs.elf import Library

        self.assertTrue(Library(path).defines(b"printf"))
        self.assertIsNone(loader._cached("libno_such.so"))
        with open("/etc/ld.so.cache", "rb") as f:
            data = f.read()
        damaged = os.path.join(self.tmp, "cache")
        for size in 0, 10, 30, 60, 200, len(data) // 2:
            with open(damaged, "wb") as f:
                f.write(data[:size])
            self.assertIsNone(loader._cached("libno_such.so", damaged))


@needs_compiler
class TestLacking(Test):
    """Whether a pair of shims fits libraries."""

    def setUp(self):
        super().setUp()
        self.site = os.path.join(self.tmp, "site")
        cuda_packages(self.site)
        self.pair = os.path.join(self.tmp, "pair")

    def lacking(self, lacks, needs=("libtorch_cpu.so", "libc10.so"), **options):
        shims(self.pair, lacks, needs)
        return chosen.lacking(self.pair, loader.Libraries(Libtorch(torch(self.site, **options), "the test")))

    def test_all_there(self):
        self.assertEqual(self.lacking(CUDA_SYMBOLS), "")

    def test_each_library_counts(self):
        """A symbol is missed when the library that has it has it no more."""
        self.assertIn(
            "libspikedhs.so needs the symbol torch_cuda_sync,", self.lacking(["torch_cuda_sync"], cuda=False)
        )
        self.assertIn("the symbol GOMP_parallel,", self.lacking(["at_add", "GOMP_parallel"], openmp=None))
        self.assertIn("libcgotorch.so needs the symbol at_add,", self.lacking([], symbols=["at_sub"]))
        self.assertIn("libspikedhs.so needs the symbol at_new,", self.lacking(["at_new"]))

    def test_of_the_runtime(self):
        """A pip PyTorch has parts of a newer C++ runtime, a distribution's does not: the
        system's library has them then. Debian 13's PyTorch was refused for that."""
        self.assertEqual(self.lacking(["at_add", "_ZNSt8ios_base7_M_moveERS_"]), "")
        self.assertIn("the symbol _ZNSt8ios_base7_M_away,", self.lacking(["at_add", "_ZNSt8ios_base7_M_away"]))

    def test_needed_libraries(self):
        self.assertEqual(self.lacking([], ["libtorch_cpu.so", "libc.so.6", "libcudart.so.13"]), "")
        shutil.rmtree(os.path.join(self.site, "torch"))  # with CUDA until here
        self.assertEqual(
            self.lacking([], ["libtorch_cuda.so"], cuda=False),
            "libspikedhs.so needs libtorch_cuda.so, which is not there",
        )

    def test_weak_ones_are_left_to_the_loader(self):
        libraries = loader.Libraries(Libtorch(torch(self.site), "the test"))
        shims(self.pair, [])
        library(os.path.join(self.pair, "libspikedhs.so"), ["sd_add"], weak=["not_there"])
        self.assertEqual(chosen.lacking(self.pair, libraries), "")

    def test_damaged(self):
        libraries = loader.Libraries(Libtorch(torch(self.site), "the test"))
        shims(self.pair)
        path = os.path.join(self.pair, "libcgotorch.so")
        with open(path, "r+b") as f:
            f.truncate(os.path.getsize(path) // 2)
        self.assertIn(path + " is no library that can be read", chosen.lacking(self.pair, libraries))
        os.unlink(path)
        self.assertFalse(chosen.present(self.pair))
        self.assertIn(path, chosen.lacking(self.pair, libraries))

    def test_versions_of_the_runtime_are_left_to_the_loader(self):
        """A real library: all that it lacks is the C library's, with versions."""
        libraries = loader.Libraries(Libtorch(torch(self.site), "the test"))
        real = loader._of_system("libgomp.so.1") or loader._of_system("libgcc_s.so.1")
        if not real:
            self.skipTest("neither libgomp nor libgcc_s in the system's folders")
        os.makedirs(self.pair)
        for name in chosen.NAMES:
            shutil.copy(real, os.path.join(self.pair, name))
        self.assertEqual(chosen.lacking(self.pair, libraries), "")
        self.assertGreater(chosen.newest_glibc([real]), (2, 0))


class TestPrebuilt(Test):
    def test_the_list(self):
        self.assertEqual(chosen.prebuilt_tags(), [])
        with mock.patch.object(chosen, "package", self.tmp):
            for tag in (
                "2.15-cuda-abi1",
                "2.4-cpu-abi0",
                "2.4-cuda-abi0",
                "2.11-cuda-abi1",
                "left over",
                "2.9-cpu-abi1",
            ):
                for name in chosen.NAMES if not tag.startswith("2.9") else chosen.NAMES[:1]:
                    write(os.path.join(self.tmp, "shims", tag, name), "")
            self.assertEqual(
                chosen.prebuilt_tags(), ["2.4-cpu-abi0", "2.4-cuda-abi0", "2.11-cuda-abi1", "2.15-cuda-abi1"]
            )
            self.assertEqual(chosen.prebuilt_releases(), "2.4, 2.11 and 2.15")


class TestRealLibtorch(Test):
    """With $LIBTORCH, the libraries of a real one."""

    def test_symbols(self):
        root = os.environ.get("LIBTORCH")
        if not root:
            self.skipTest("LIBTORCH does not name a PyTorch to look at")
        found = Libtorch(root, "the test")
        try:
            libraries = loader.Libraries(found)
        except Refusal as e:
            self.assertIn("cannot be loaded without lib", str(e))  # unpacked without its dependencies
            self.assertFalse(glob.glob(os.path.join(os.path.dirname(root), "nvidia")))
            return
        for name in b"GOMP_parallel", b"_ZN2at9NativeRTC", b"_ZN3c105Error":
            there = any(lib.defines(name) for lib in libraries.symbols)
            self.assertEqual(there, name == b"GOMP_parallel")


if __name__ == "__main__":
    unittest.main()
