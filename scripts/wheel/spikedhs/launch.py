"""The start: finds the environment's PyTorch, chooses the libraries between it and
the program, and becomes the program (same process, so its exit code and signals are
the program's)."""

import os
import sys

from . import libtorch, shims
from .environment import package, pip_install, say
from .errors import Refusal, Unreadable
from .loader import Libraries

PROGRAM = os.path.join(package, "bin", "spikedhs")


def main():
    """Starts the program with this process's arguments. Does not return."""
    try:
        environment = prepared()
        _restore_signals()
        arguments = [PROGRAM] + sys.argv[1:]
        try:
            os.execve(PROGRAM, arguments, environment)
        except OSError as e:
            raise Refusal("%s cannot be started (%s): run %s" % (PROGRAM, e.strerror, _install_again())) from e
    except Refusal as e:
        say(str(e))
        code = 2
    except OSError as e:  # a folder that went away, a disk that fails
        say("the start failed: %s" % e)
        code = 2
    except KeyboardInterrupt:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        code = 130
    sys.exit(code)


def prepared():
    """The environment in which the program finds its libraries."""
    _check_program()
    torch = libtorch.find()
    torch.require()
    libraries = Libraries(torch)
    folder, about = _choose(torch, libraries)
    _check_glibc(folder)
    return _environment(torch, libraries, folder, about)


def _choose(torch, libraries):
    """The folder of the libraries that fit, and in words where they come from."""
    folder = shims.prebuilt_folder(torch.tag)
    if not torch.is_release:
        why = "PyTorch %s is no release, so there are no prebuilt libraries for it" % torch.version
    elif not shims.present(folder):
        why = "there are no prebuilt libraries for PyTorch %s (%s)" % (torch.version, torch.tag)
    else:
        lacking = shims.lacking(folder, libraries)
        if not lacking:
            return folder, "prebuilt " + torch.tag
        why = "the prebuilt libraries %s do not fit PyTorch %s (%s)" % (torch.tag, torch.version, lacking)
    from . import __version__, build

    def tried(folder):
        return _trial(_environment(torch, libraries, folder, ""))

    folder, left_out = build.obtain(torch, libraries, __version__, why, tried)
    return folder, "built here in %s, since %s%s" % (folder, why, left_out and "; " + left_out)


def _environment(torch, libraries, folder, about):
    """This process's environment and what the program needs. It puts LD_LIBRARY_PATH
    back for what it starts itself."""
    environment = dict(os.environ)
    before = environment.get("LD_LIBRARY_PATH", "")
    folders = [folder, torch.folder] + libraries.folders + [before]
    environment["LD_LIBRARY_PATH"] = ":".join(f for f in folders if f)
    environment["SPIKEDHS_LD_LIBRARY_PATH"] = before
    environment["SPIKEDHS_LIBRARIES"] = about
    environment["SPIKEDHS_OTHER_TORCH"] = ":".join(libtorch.others(torch))
    if sys.executable:
        environment["SPIKEDHS_PYTHON"] = sys.executable
    else:
        environment.pop("SPIKEDHS_PYTHON", None)
    return environment


def _trial(environment):
    """Why the program does not start there, "" where it does: libraries that were
    just built may need another C++ runtime than the one that is found."""
    import subprocess

    try:
        told = subprocess.run(
            [PROGRAM, "version"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=120
        )
    except (OSError, subprocess.SubprocessError) as e:
        return str(e)
    if told.returncode == 0:
        return ""
    lines = told.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended with %d" % told.returncode


def _check_program():
    if not os.path.isfile(PROGRAM):
        raise Refusal("%s is missing: run %s" % (PROGRAM, _install_again()))
    if os.access(PROGRAM, os.X_OK):
        return
    try:  # an archiver that drops modes
        os.chmod(PROGRAM, os.stat(PROGRAM).st_mode | 0o111)
    except OSError:
        pass
    if not os.access(PROGRAM, os.X_OK):
        raise Refusal("%s cannot be executed: its owner has to run chmod +x on it" % PROGRAM)


def _check_glibc(folder):
    """An environment may have been copied to an older system than it was made on."""
    try:
        needed = shims.newest_glibc([PROGRAM] + [os.path.join(folder, name) for name in shims.NAMES])
    except Unreadable:
        return  # the start says what is wrong with the program
    try:
        have = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        have = ""
    numbers = have.partition(" ")[2].split(".")
    if not all(n.isdigit() for n in numbers):
        raise Refusal("this system has no glibc (musl?), which spikedhs and PyTorch need: use another system")
    if tuple(int(n) for n in numbers) < needed:
        raise Refusal(
            "this system has %s and spikedhs needs glibc %s: use a newer system, or build from the sources on this one"
            % (have, ".".join(map(str, needed)))
        )


def _install_again():
    return pip_install() + " --force-reinstall --no-deps with the wheel of spikedhs"


def _restore_signals():
    """Python ignores these two; a program that is started inherits that."""
    import _signal  # the module signal, without its enumerations: it takes 4 ms

    for name in "SIGPIPE", "SIGXFSZ":
        if hasattr(_signal, name):
            _signal.signal(getattr(_signal, name), _signal.SIG_DFL)
