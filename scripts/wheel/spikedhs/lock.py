"""One builder at a time for one folder."""

import contextlib
import errno
import fcntl
import os
import time


@contextlib.contextmanager
def held(path, waiting):
    """Holds the lock of that file. waiting(seconds) is called before the first wait
    and while it lasts. Gives whether there was a wait. Where the file system has no
    locks nobody waits: what is built is put in place whole in any case."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    try:
        begin, waited = time.monotonic(), False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as e:
                if e.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
                    break
            waited = True
            waiting(time.monotonic() - begin)
            time.sleep(0.2)
        yield waited
    finally:
        os.close(handle)
