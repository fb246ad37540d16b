"""SpikeDHS: search, training and inference of spiking neural networks.

    python -m spikedhs ...      the program, with this environment's PyTorch
    spikedhs.__version__        its version
    spikedhs.program            where it lies; started alone it finds no libraries
    spikedhs.load("model.pt")   an exported model, for inference in Python

Importing this package does not import torch; load does.
"""

import os

__all__ = ["__version__", "load", "program"]

try:
    from .version import __version__  # written by scripts/wheel.sh
except ImportError:  # a source tree
    __version__ = "unknown"

program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "spikedhs")


def load(path, device="cpu"):
    """Loads a model that `spikedhs export` wrote, onto a device of PyTorch's.

    A network of images or of recordings of events becomes a Classifier, a stereo
    network a StereoNetwork (module spikedhs.model).
    """
    from .model import load as load_model

    return load_model(path, device)
