"""The Python environment that spikedhs is installed in."""

import os
import sys

# The folder of this package, and the one it lies in: site-packages.
package = os.path.dirname(os.path.abspath(__file__))
site = os.path.dirname(package)


def search_path():
    """The folders in which this Python looks for packages, without the current one:
    what lies there (a checkout of PyTorch, this project's folder torch) is not
    installed."""
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # it was removed
        here = None
    return [p for p in sys.path if p and os.path.isabs(p) and os.path.realpath(p) != here]


def quoted(path):
    """A path as a shell takes it."""
    plain = all(c.isalnum() or c in "/._-+=:@%,~" for c in path)
    return path if plain and path else "'" + path.replace("'", "'\"'\"'") + "'"


def pip_install():
    """The command that installs into this environment, without the package. uv makes
    environments without pip."""
    python = quoted(sys.executable or "python3")
    if not any(os.path.isdir(os.path.join(p, "pip")) for p in search_path()):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            if folder and os.access(os.path.join(folder, "uv"), os.X_OK):
                return "uv pip install --python " + python
    return python + " -m pip install"


def say(text):
    """One line to standard error. Also where that is closed."""
    try:
        os.write(2, os.fsencode("spikedhs: " + " ".join(text.split("\n")) + "\n"))
    except OSError:
        pass
