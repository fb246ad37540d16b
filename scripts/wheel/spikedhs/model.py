"""Exported models in Python, for inference with PyTorch."""

import json
import os
import warnings
import zipfile

INFO = "spikedhs.json"
# The last format of each kind of model that this version knows.
_FORMATS = {"": 2, "stereo": 1}
_LARGEST_INFO = 64 << 20


class ModelError(ValueError):
    """A file is no model that can be loaded, or the input is none that it takes."""


def load(path, device="cpu"):
    """See spikedhs.load."""
    path = os.fspath(path)
    info = _info(path)
    kind = info.get("kind") or ""
    if kind not in _FORMATS:
        raise ModelError("%s holds a %s network, which this version does not know: install a newer one" % (path, kind))
    newest, written = _FORMATS[kind], info.get("format")
    if not isinstance(written, int) or written < 1:
        raise ModelError("%s is not a model exported by spikedhs: its %s has no format" % (path, INFO))
    if written > newest:
        raise ModelError(
            "%s has format %d, this version knows up to %d: install a newer one" % (path, written, newest)
        )
    make = StereoNetwork if kind == "stereo" else Classifier
    try:
        return make(info, _module(path, device))
    except KeyError as e:
        raise ModelError("%s is not a model exported by spikedhs: its %s has no %s" % (path, INFO, e)) from e


def _info(path):
    """The description inside the archive, which is a zip file. It is read before torch
    is imported, so that a wrong file is told at once."""
    if not os.path.isfile(path):
        raise ModelError("%s is no file: give a model that `spikedhs export` wrote" % path)
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.split("/")[1:] == ["extra", INFO] and entry.file_size <= _LARGEST_INFO:
                    info = json.loads(archive.read(entry).decode("utf-8"))
                    if isinstance(info, dict):
                        return info
        why = "it has no " + INFO
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, EOFError) as e:
        why = str(e).splitlines()[0] if str(e) else type(e).__name__
    raise ModelError("%s is not a model exported by spikedhs: %s" % (path, why))


def _torch():
    try:
        import torch
    except ImportError as e:
        from .environment import pip_install

        why = str(e).splitlines()[0] if str(e) else "no reason given"
        raise ModelError("PyTorch is needed and cannot be imported (%s): run %s torch" % (why, pip_install())) from e
    return torch


def _module(path, device):
    torch = _torch()
    with warnings.catch_warnings():
        # TorchScript is what the program writes and reads; newer PyTorch calls it
        # deprecated each time.
        warnings.filterwarnings("ignore", message=r".*torch\.jit\.load")
        try:
            return torch.jit.load(path, map_location=device)
        except (RuntimeError, ValueError, AssertionError) as e:
            why = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
            about = path, device, torch.__version__, why
            raise ModelError("%s cannot be loaded onto %s by PyTorch %s: %s" % about) from e


class _Exported:
    """What all models have: info, the description as a dict; input_shape, without the
    axis of the batch; module, PyTorch's own object."""

    def __init__(self, info, module):
        self.info, self.module = info, module
        buffers = [b for _, b in module.named_buffers()] + [p for _, p in module.named_parameters()]
        self.device = buffers[0].device if buffers else _torch().device("cpu")

    def _tensor(self, values, what):
        """Numbers as float32 on the model's device."""
        torch = _torch()
        try:
            values = torch.as_tensor(values)
        except (TypeError, ValueError, RuntimeError) as e:
            raise ModelError("%s are no array of numbers: %s" % (what, e)) from e
        if not values.is_floating_point():
            raise ModelError("%s are %s, float32 is needed" % (what, str(values.dtype).replace("torch.", "")))
        return values.to(device=self.device, dtype=torch.float32)


class Classifier(_Exported):
    """A network that names what it sees.

    logits = model(images)                  # float32 [N, C, H, W] in 0..1 -> [N, classes]
    names, shares = model.predict(images)   # N names, and [N, classes] probabilities

    A model of recordings of events takes stacks [N, T, C, H, W]; see info["events"].
    """

    def __init__(self, info, module):
        super().__init__(info, module)
        self.classes = list(info["classes"])
        image = (info["channels"], info["height"], info["width"])
        self._events = info.get("events")
        self.input_shape = (info["steps"],) + image if self._events else image
        self._what = "stacks" if self._events else "images"

    def __call__(self, images):
        x = self._tensor(images, self._what)
        if tuple(x.shape[1:]) != self.input_shape or not len(x):
            wanted = ", ".join(map(str, self.input_shape))
            advice = ": add the axis N with [None]" if tuple(x.shape) == self.input_shape else ""
            raise ModelError("%s are %s, the model takes [N, %s]%s" % (self._what, list(x.shape), wanted, advice))
        self._check_values(x)
        with _torch().no_grad():
            return self.module(x)

    def predict(self, images):
        """The most likely class of each image, and the probabilities of all."""
        shares = self(images).softmax(1)
        return [self.classes[i] for i in shares.argmax(1).tolist()], shares

    def _check_values(self, x):
        low, high = (float(v) + 0.0 for v in x.aminmax())  # no -0
        if self._events:
            least, most = {"binary": (0, 1), "ternary": (-1, 1), "counts": (0, 255)}.get(
                self._events.get("stack"), (float("-inf"), float("inf"))
            )
        else:
            least, most = 0, 1
        if low != low or high != high:
            raise ModelError("%s have values that are no numbers (NaN)" % self._what)
        if low < least or high > most:
            advice = ": divide by 255" if not self._events and low >= 0 and 1 < high <= 255 else ""
            told = self._what, low, high, least, most, advice
            raise ModelError("%s have values from %g to %g, the model takes %d to %d%s" % told)


class StereoNetwork(_Exported):
    """A network that sees depth: from events of two cameras to disparities in pixels.

    state = model.initial_state(1)
    disparity, state = model.step(left, right, state)   # [N, C, H, W] each -> [N, H, W]
    window = model(lefts, rights)                       # from rest: [T, N, C, H, W] -> [T, N, H, W]
    """

    classes = ()

    def __init__(self, info, module):
        super().__init__(info, module)
        self.input_shape = (info["channels"], info["height"], info["width"])
        self._state = len(info["state"])

    def initial_state(self, n=1, height=None, width=None):
        """Membranes at rest, for n streams; of the model's own size by default."""
        return self.module.initial_state(n, height or self.input_shape[1], width or self.input_shape[2])

    def step(self, left, right, state):
        """One stack of events of each camera, float32 [N, C, H, W] of -1, 0, 1, oldest
        bin first. The state that is given does not change."""
        left, right = self._views(left, right, 4, "[N, C, H, W]")
        if len(state) != self._state:
            raise ModelError("a state has %d tensors, not %d: initial_state makes one" % (self._state, len(state)))
        with _torch().no_grad():
            return self.module.step(left, right, list(state))

    def __call__(self, lefts, rights):
        lefts, rights = self._views(lefts, rights, 5, "[T, N, C, H, W]")
        with _torch().no_grad():
            return self.module(lefts, rights)

    def predict(self, *_):
        raise ModelError("a stereo network gives disparities, no classes: call the model, or its step")

    def _views(self, left, right, axes, form):
        left, right = self._tensor(left, "left views"), self._tensor(right, "right views")
        if (
            left.shape != right.shape
            or left.dim() != axes
            or left.shape[-3] != self.input_shape[0]
            or not left.numel()
        ):
            raise ModelError(
                "views are %s and %s, the model takes two of %s with C = %d"
                % (list(left.shape), list(right.shape), form, self.input_shape[0])
            )
        for view in left, right:
            low, high = (float(v) for v in view.aminmax())
            if not (-1 <= low and high <= 1):
                raise ModelError("views have values from %g to %g, the model takes -1, 0 and 1" % (low, high))
        return left, right
