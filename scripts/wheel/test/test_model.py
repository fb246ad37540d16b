import json
import os
import unittest
import warnings
import zipfile

from fixtures import Environment, Test, write

import spikedhs
from spikedhs.model import ModelError

try:
    import torch
except ImportError:
    torch = None

needs_torch = unittest.skipUnless(torch, "this Python has no PyTorch")

IMAGES = {
    "format": 1,
    "version": "0.3.0",
    "dataset": "fashion-mnist",
    "classes": ["shirt", "boot", "bag"],
    "steps": 6,
    "channels": 1,
    "height": 2,
    "width": 3,
    "genotype": {},
    "parameters": 18,
}
EVENTS = dict(
    IMAGES,
    format=2,
    steps=4,
    channels=2,
    events={
        "order": "N,T,C,H,W",
        "slices": "time",
        "stack": "binary",
        "sensor": [3, 2],
        "size": 0,
        "columns": "auto",
    },
)
STEREO = {"kind": "stereo", "format": 1, "channels": 2, "height": 2, "width": 3, "steps": 2, "state": ["a", "b"]}


class TestFiles(Test):
    """What is told before torch is needed."""

    def archive(self, info, name="model/extra/spikedhs.json"):
        path = os.path.join(self.tmp, "model.pt")
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("model/version", "3\n")
            z.writestr(name, info if isinstance(info, str) else json.dumps(info))
        return path

    def refused_with(self, path, pattern):
        with self.assertRaisesRegex(ModelError, pattern) as e:
            spikedhs.load(path)
        self.assertNotIn("\n", str(e.exception))

    def test_no_model(self):
        self.refused_with(self.tmp + "/absent.pt", "absent.pt is no file: give a model that `spikedhs export` wrote$")
        self.refused_with(self.tmp, "is no file")
        self.refused_with(write(self.tmp + "/text.pt", "text"), "text.pt is not a model exported by spikedhs: ")
        self.refused_with(write(self.tmp + "/empty.pt", ""), "is not a model exported by spikedhs: ")
        self.refused_with(
            self.archive("{}", "model/data/0"), "not a model exported by spikedhs: it has no spikedhs.json"
        )
        self.refused_with(self.archive("{]"), "not a model exported by spikedhs: ")
        self.refused_with(self.archive("[1]"), "not a model exported by spikedhs: it has no spikedhs.json")
        self.refused_with(self.archive({"classes": []}), "its spikedhs.json has no format")

    def test_cut_off(self):
        path = self.archive(IMAGES)
        with open(path, "rb") as f:
            data = f.read()
        for size in range(0, len(data), 7):
            with open(path, "wb") as f:
                f.write(data[:size])
            self.refused_with(path, "is not a model exported by spikedhs: ")

    def test_of_a_newer_program(self):
        self.refused_with(
            self.archive(dict(IMAGES, format=3)), "has format 3, this version knows up to 2: install a newer one"
        )
        self.refused_with(self.archive(dict(STEREO, format=2)), "has format 2, this version knows up to 1")
        self.refused_with(
            self.archive(dict(STEREO, kind="flow")), "holds a flow network, which this version does not know"
        )

    def test_without_torch(self):
        environment = Environment(os.path.join(self.tmp, "env"))
        code = "import spikedhs, sys\ntry: spikedhs.load(sys.argv[1])\nexcept ValueError as e: print(e)"
        done = environment.run(command=[environment.python, "-c", code, self.archive(IMAGES)])
        self.assertRegex(
            done.stdout,
            r"^PyTorch is needed and cannot be imported \(No module named 'torch'\): run .* install torch\n$",
        )


@needs_torch
class TestLoad(Test):
    def saved(self, source, info):
        """A module with a buffer and methods, as the program writes them."""

        class Network(torch.jit.ScriptModule):
            def __init__(self):
                super().__init__()
                self.register_buffer("weight", torch.arange(18, dtype=torch.float32).reshape(3, 6) / 10)
                for method in source.split("def ")[1:]:
                    self.define("def " + method)

        module = Network()
        path = os.path.join(self.tmp, "model.pt")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module.save(path, _extra_files={"spikedhs.json": json.dumps(info)})
        return path

    def load(self, source, info):
        path = self.saved(source, info)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # also those that newer PyTorch has for TorchScript
            return spikedhs.load(path)

    CLASSIFY = "def forward(self, images):\n    return torch.matmul(torch.flatten(images, 1), self.weight.t())\n"

    def test_images(self):
        model = self.load(self.CLASSIFY, IMAGES)
        self.assertEqual(
            (model.classes, model.input_shape, model.info["dataset"]), (IMAGES["classes"], (1, 2, 3), "fashion-mnist")
        )
        images = torch.tensor([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]).reshape(2, 1, 2, 3)
        logits = model(images)
        self.assertTrue(torch.allclose(logits, torch.tensor([[0.0, 0.6, 1.2], [0.5, 1.1, 1.7]])))
        self.assertFalse(logits.requires_grad)
        names, shares = model.predict(images)
        self.assertEqual(names, ["bag", "bag"])
        self.assertTrue(torch.allclose(shares, logits.softmax(1)))
        self.assertTrue(torch.equal(model(images.double()), logits))
        self.assertTrue(torch.equal(model(images.tolist()), logits))

    def test_wrong_images(self):
        model = self.load(self.CLASSIFY, IMAGES)
        good = torch.rand(2, 1, 2, 3)
        for images, pattern in (
            (good[0], r"images are \[1, 2, 3\], the model takes \[N, 1, 2, 3\]: add the axis N with \[None\]$"),
            (good[:, :, :1], r"images are \[2, 1, 1, 3\], the model takes \[N, 1, 2, 3\]$"),
            (good[:0], r"images are \[0, 1, 2, 3\]"),
            ((good * 255).byte(), "images are uint8, float32 is needed"),
            (good * 255, "images have values from .* to .*, the model takes 0 to 1: divide by 255"),
            (good - 5, "images have values from -.*, the model takes 0 to 1$"),
            (good / 0 * 0, "no numbers"),
            ("text", "images are no array of numbers"),
        ):
            with self.assertRaisesRegex(ModelError, pattern):
                model(images)
            with self.assertRaisesRegex(ModelError, pattern):
                model.predict(images)

    def test_recordings_of_events(self):
        source = "def forward(self, x):\n    return torch.matmul(torch.flatten(x.mean([1, 2]), 1), self.weight.t())\n"
        model = self.load(source, EVENTS)
        self.assertEqual(model.input_shape, (4, 2, 2, 3))
        stacks = torch.zeros(2, 4, 2, 2, 3)
        stacks[1, :, :, 1, 2] = 1
        names, shares = model.predict(stacks)
        self.assertEqual((names[1], tuple(shares.shape)), ("bag", (2, 3)))
        with self.assertRaisesRegex(ModelError, r"stacks are \[2, 3, 2, 2, 3\], the model takes \[N, 4, 2, 2, 3\]"):
            model(stacks[:, :3])
        with self.assertRaisesRegex(ModelError, "stacks have values from -1 to 0, the model takes 0 to 1$"):
            model(-stacks)
        for kind, low, high in ("ternary", -1, 1), ("counts", 0, 255):
            model = self.load(source, dict(EVENTS, events=dict(EVENTS["events"], stack=kind)))
            model(stacks * low)
            model(stacks * high)
            with self.assertRaisesRegex(ModelError, "the model takes %d to %d$" % (low, high)):
                model(stacks * (high + 1))

    STEREO_SOURCE = (
        "def initial_state(self, n: int, height: int = 2, width: int = 3) -> List[Tensor]:\n"
        "    return [torch.zeros([n, height, width]), torch.zeros([n, 1])]\n"
        "def step(self, left: Tensor, right: Tensor, state: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:\n"
        "    v = state[0] + left.sum(1) - right.sum(1)\n"
        "    return v * self.weight[0, 1], [v, state[1]]\n"
        "def forward(self, left: Tensor, right: Tensor) -> Tensor:\n"
        "    state = self.initial_state(left.size(1), left.size(3), left.size(4))\n"
        "    list: List[Tensor] = []\n"
        "    for t in range(left.size(0)):\n"
        "        d, state = self.step(left[t], right[t], state)\n"
        "        list.append(d)\n"
        "    return torch.stack(list, 0)\n"
    )

    def test_stereo(self):
        model = self.load(self.STEREO_SOURCE, STEREO)
        self.assertEqual((model.input_shape, model.info["steps"], len(model.classes)), ((2, 2, 3), 2, 0))
        left, right = torch.ones(2, 1, 2, 2, 3), torch.zeros(2, 1, 2, 2, 3)
        window = model(left, right)
        self.assertEqual(tuple(window.shape), (2, 1, 2, 3))
        state = model.initial_state(1)
        first, after = model.step(left[0], right[0], state)
        second, _ = model.step(left[1], right[1], after)
        self.assertTrue(torch.equal(torch.stack([first, second]), window))
        self.assertEqual(tuple(model.initial_state(3, 4, 5)[0].shape), (3, 4, 5))
        for call, pattern in (
            (lambda: model.predict(left, right), "gives disparities, no classes: call the model, or its step"),
            (lambda: model(left[0], right[0]), r"views are .* takes two of \[T, N, C, H, W\] with C = 2"),
            (lambda: model.step(left, right, state), r"takes two of \[N, C, H, W\] with C = 2"),
            (lambda: model(left, right[:1]), "views are"),
            (lambda: model(left[:, :, :1], right[:, :, :1]), "with C = 2"),
            (
                lambda: model.step(left[0], right[0], state[:1]),
                "a state has 2 tensors, not 1: initial_state makes one",
            ),
            (lambda: model(left * 3, right), "views have values from 3 to 3, the model takes -1, 0 and 1"),
        ):
            with self.assertRaisesRegex(ModelError, pattern):
                call()

    def test_a_description_with_gaps(self):
        for info, missing in (IMAGES, "classes"), (IMAGES, "height"), (STEREO, "state"):
            path = self.saved(self.CLASSIFY, {k: v for k, v in info.items() if k != missing})
            with self.assertRaisesRegex(ModelError, "its spikedhs.json has no '%s'" % missing):
                spikedhs.load(path)

    def test_a_device_that_is_not_there(self):
        path = self.saved(self.CLASSIFY, IMAGES)
        if torch.cuda.is_available():
            self.assertEqual(spikedhs.load(path, "cuda").device.type, "cuda")
        else:
            with self.assertRaisesRegex(ModelError, r"^\S+ cannot be loaded onto cuda by PyTorch .+: [^\n]+$"):
                spikedhs.load(path, "cuda")

    def test_damaged_code(self):
        path = self.saved(self.CLASSIFY, IMAGES)
        damaged = os.path.join(self.tmp, "damaged.pt")
        with zipfile.ZipFile(path) as z, zipfile.ZipFile(damaged, "w") as out:
            for entry in z.infolist():
                data = z.read(entry)
                out.writestr(entry.filename, b"nonsense" if entry.filename.endswith("data.pkl") else data)
        with self.assertRaisesRegex(ModelError, "damaged.pt cannot be loaded onto cpu by PyTorch"):
            spikedhs.load(damaged)

    def test_of_the_program(self):
        """A model that the program wrote: SPIKEDHS_MODEL names it."""
        path = os.environ.get("SPIKEDHS_MODEL")
        if not path:
            self.skipTest("SPIKEDHS_MODEL does not name an exported model")
        model = spikedhs.load(path)
        if model.info.get("kind") == "stereo":
            views = torch.zeros((model.info["steps"], 1) + model.input_shape)
            shape = views.shape[:2] + views.shape[3:]
            self.assertEqual(model(views, views).shape, shape)
            disparity, _ = model.step(views[0], views[0], model.initial_state(1))
            self.assertEqual(disparity.shape, shape[1:])
        else:
            names, shares = model.predict(torch.zeros((2,) + tuple(model.input_shape)))
            self.assertEqual((len(names), tuple(shares.shape)), (2, (2, len(model.classes))))


if __name__ == "__main__":
    unittest.main()
