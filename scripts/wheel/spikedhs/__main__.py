"""python -m spikedhs: the program, with the PyTorch of this Python."""

import os
import sys

# The current folder, which `python -m` puts first: a file in it could stand in for a
# module of Python's.
if sys.path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]

from .launch import main  # noqa: E402

main()
