"""A process that ends with its parent, however that ends."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.process import BaseProcess

SUPERVISED = "POC_GOVERNOR_SUPERVISED"
"""Set by who starts `serve` and holds its standard input open for as long as it is to run."""

SEND_WHEN_PARENT_ENDS = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def held_open() -> list[int]:
    """The descriptor on which the end of such a parent is seen; none where no parent asks for it."""
    return [sys.stdin.fileno()] if os.environ.pop(SUPERVISED, "") else []


def end_with_parent() -> None:
    """A process of `serve` ends with it, and as if killed: the port and the database must be free at once.

    On Linux the kernel sees to that. A pipe wouldn't do: each fork holds the ends of those before it open, so
    one that hangs would keep them alive. It's sent when the thread that forked ends, and there is only one.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        if ctypes.CDLL(None, use_errno=True).prctl(SEND_WHEN_PARENT_ENDS, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != parent.pid:  # it ended before
            os._exit(1)
    else:
        threading.Thread(target=_outlive, args=[parent], daemon=True).start()


def _outlive(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
