import contextlib
import itertools
import os
import shutil
import sys
import sysconfig
from importlib.machinery import ModuleSpec, PathFinder
from unittest import mock

from fixtures import C10, Test, library, needs_compiler, torch, write

from spikedhs import libtorch
from spikedhs.errors import Refusal


@needs_compiler
class TestFind(Test):
    """Which PyTorch is taken, in one process, with Python's paths made up."""

    def setUp(self):
        super().setUp()
        self.places = {
            name: os.path.join(self.tmp, name) for name in ("beside", "pure", "first", "second", "chosen", "here")
        }
        for folder in self.places.values():
            os.makedirs(folder)

    def put(self, place, version, **options):
        return torch(self.places[place], version, cuda=False, **options)

    @contextlib.contextmanager
    def world(self, path=("first", "second"), chosen=None):
        variables = {"LIBTORCH": chosen} if chosen else {}
        before = os.getcwd()
        with (
            mock.patch.object(libtorch, "site", self.places["beside"]),
            mock.patch.object(sys, "path", [self.places.get(p, p) for p in path]),
            mock.patch.object(sys, "meta_path", [PathFinder]),
            mock.patch.dict(os.environ, variables),
            mock.patch.object(sysconfig, "get_path", lambda name: self.places["pure"]),
        ):
            if not chosen:
                os.environ.pop("LIBTORCH", None)
            os.chdir(self.places["here"])
            loaded = sys.modules.pop("torch", None)  # by the tests of models
            try:
                yield
            finally:
                os.chdir(before)
                if loaded:
                    sys.modules["torch"] = loaded

    def found(self, **world):
        with self.world(**world):
            return libtorch.find()

    def test_the_order(self):
        order = ["chosen", "beside", "pure", "first", "second"]
        for i, place in enumerate(order):
            self.put(place, "2.%d.0" % (10 + i))
        chosen = os.path.join(self.places["chosen"], "torch")
        for i, place in enumerate(order):
            found = self.found(chosen=chosen if i == 0 else None)
            self.assertEqual(
                (found.version, found.root), ("2.%d.0" % (10 + i), os.path.join(self.places[place], "torch"))
            )
            shutil.rmtree(os.path.join(self.places[place], "torch"))
        with self.assertRaisesRegex(Refusal, "there is no PyTorch for .* -m pip install torch$"):
            self.found()

    def test_a_folder_named_torch_is_none(self):
        """This project's own folder torch, a checkout of PyTorch, a damaged one."""
        write(os.path.join(self.places["beside"], "torch", "__init__.py"), "")
        write(os.path.join(self.places["first"], "torch", "lib", "libc10.so"), "")
        self.put("second", "2.11.0")
        self.assertEqual(self.found().version, "2.11.0")

    def test_never_the_current_folder(self):
        self.put("here", "2.14.0")
        for path in [""], ["here"], [".", "here"], ["", "here", "here"]:
            with self.assertRaisesRegex(Refusal, "there is no PyTorch"):
                self.found(path=path)
        link = os.path.join(self.tmp, "link")
        os.symlink(self.places["here"], link)
        with self.assertRaisesRegex(Refusal, "there is no PyTorch"):
            self.found(path=[link])

    def test_an_import_hook(self):
        root = self.put("here", "2.9.0")

        class Hook:
            @staticmethod
            def find_spec(name, path=None, target=None):
                spec = ModuleSpec(name, None, is_package=True)
                spec.submodule_search_locations = [root]
                return spec if name == "torch" else None

        with self.world():
            with mock.patch.object(sys, "meta_path", [Hook]):
                self.assertEqual(libtorch.find().version, "2.9.0")

    def test_a_wrong_choice(self):
        for chosen in self.places["here"], self.places["here"] + "/absent":
            with self.assertRaisesRegex(Refusal, "^LIBTORCH=%s holds no PyTorch" % chosen):
                self.found(chosen=chosen)

    def test_a_choice_relative_to_here(self):
        self.put("here", "2.8.0")
        self.assertEqual(self.found(chosen="torch").root, os.path.join(self.places["here"], "torch"))

    def test_too_old(self):
        for version, fits in (
            ("1.13.1", False),
            ("2.3.1+cu121", False),
            ("2.4.0", True),
            ("2.15.0", True),
            ("3.0.0", True),
        ):
            self.put("beside", version)
            found = self.found()
            if fits:
                found.require()
            else:
                with self.assertRaisesRegex(Refusal, r"too old: 2\.4 or newer.*--upgrade torch$"):
                    found.require()


@needs_compiler
class TestWhatItIs(Test):
    def open(self, root):
        return libtorch.Libtorch(root, "the test")

    def test_the_tag(self):
        versions = {
            "2.4.1": "2.4",
            "2.15.0+cu132": "2.15",
            "2.6.0+debian": "2.6",
            "2.16.0a0+git1234567": "2.16",
            "2.16.0.dev20260901+cu132": "2.16",
            "3.0.0rc1": "3.0",
            "2.11": "2.11",
        }
        for (version, release), cuda, abi in itertools.product(versions.items(), (True, False), (0, 1)):
            folder = os.path.join(self.tmp, "%s-%d-%d" % (version, cuda, abi))
            found = self.open(torch(folder, version, abi=abi, cuda=cuda))
            self.assertEqual(found.tag, "%s-%s-abi%d" % (release, "cuda" if cuda else "cpu", abi))
            self.assertEqual(found.version, version)
            self.assertEqual(
                [os.path.basename(p) for p in found.libraries()],
                ["libtorch_cpu.so", "libc10.so", "libtorch.so"] + ["libtorch_cuda.so", "libc10_cuda.so"] * cuda,
            )

    def test_what_is_no_release(self):
        for version, release in {
            "2.15.0": True,
            "2.15.0+cu132": True,
            "2.6.0+debian": True,
            "1.13.0a0": True,
            "2.16.0rc2": True,
            "2.16.0a0+git1234567": False,
            "2.16.0.dev20260901+cu132": False,
            "2.6.0a0+ecf3bae40a.nv25.01": False,
        }.items():
            found = self.open(torch(os.path.join(self.tmp, version), version, cuda=False))
            self.assertIs(found.is_release, release, version)

    def test_no_version(self):
        root = torch(self.tmp, "of some day")
        with self.assertRaisesRegex(Refusal, "calls itself of some day, which is no version"):
            self.open(root)

    def unpacked(self):
        """A libtorch without a Python."""
        root = torch(self.tmp, cuda=False)
        os.unlink(os.path.join(root, "version.py"))
        return root

    def test_the_version_of_headers(self):
        root = self.unpacked()
        lines = "#pragma once\n/// text of 3 words\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 9\n"
        lines += '#define TORCH_VERSION_PATCH 1\n#define TORCH_VERSION \\\n  "2.9.1"\n'
        older = write(os.path.join(root, "include/torch/csrc/api/include/torch/version.h"), lines)
        self.assertEqual(self.open(root).version, "2.9.1")
        write(older, "#include <torch/headeronly/version.h>\n")
        write(os.path.join(root, "include/torch/headeronly/version.h"), lines.replace("MINOR 9", "MINOR 15"))
        self.assertEqual(self.open(root).version, "2.15.1")
        write(os.path.join(root, "build-version"), "2.15.2+cpu\n")
        self.assertEqual(self.open(root).version, "2.15.2+cpu")

    def test_the_version_of_a_library(self):
        root = self.unpacked()
        with self.assertRaisesRegex(Refusal, "the version of PyTorch in .* cannot be told"):
            self.open(root)
        made = library(os.path.join(self.tmp, "libtorch_cpu.so.2.6"), ["at_add"])
        shutil.copy(made, os.path.join(root, "lib", "libtorch_cpu.so"))
        self.assertEqual(self.open(root).version, "2.6")

    def test_damaged_libraries(self):
        root = torch(self.tmp)
        write(os.path.join(root, "lib", "libc10.so"), "x" * 200)
        with self.assertRaisesRegex(Refusal, "libc10.so is no library that can be read: .*install PyTorch anew"):
            self.open(root)
        os.unlink(os.path.join(root, "lib", "libc10.so"))
        with self.assertRaisesRegex(Refusal, "libc10.so is no library.*install PyTorch anew"):
            self.open(root)


@needs_compiler
class TestFolder(Test):
    """Where the loader has to look, where torch/lib has links."""

    def system(self, folder, names):
        """The libraries in a folder of the system's, and torch/lib with links to them."""
        root = os.path.join(self.tmp, "python", "torch")
        write(os.path.join(root, "version.py"), "__version__ = '2.6.0+debian'\n")
        os.makedirs(os.path.join(root, "lib"))
        for name in "libtorch_cpu.so", "libc10.so", "libtorch.so":
            real = library(os.path.join(self.tmp, folder, name + names), [C10[1]] if "c10" in name else ["at_add"])
            os.symlink(os.path.relpath(real, os.path.join(root, "lib")), os.path.join(root, "lib", name))
        return libtorch.Libtorch(root, "the test")

    def test_of_debian(self):
        """The system's libraries have versions in their names; only the links have the
        names that the shims ask for."""
        found = self.system("usr/lib", ".2.6")
        self.assertEqual(found.folder, os.path.join(found.root, "lib"))
        self.assertEqual((found.abi, found.tag), (1, "2.6-cpu-abi1"))

    def test_of_conda(self):
        found = self.system("env/lib", "")
        self.assertEqual(found.folder, os.path.join(self.tmp, "env/lib"))

    def test_of_uv(self):
        """The packages of CUDA are beside the links, not in the cache they lead to."""
        found = self.system("cache/torch/lib", "")
        self.assertEqual(found.folder, os.path.join(found.root, "lib"))
