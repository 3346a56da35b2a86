"""A process that ends with its parent, however that ends."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from multiprocessing.process import BaseProcess

SUPERVISED = "POC_GOVERNOR_SUPERVISED"
"""Set by who starts `serve` and holds its standard input open for as long as it is to run."""


def held_open() -> list[int]:
    """The descriptor on which the end of such a parent is seen; none where no parent asks for it."""
    return [sys.stdin.fileno()] if os.environ.pop(SUPERVISED, "") else []


def end_with_parent() -> None:
    """A process of `serve` ends with it, and as if killed: the port and the database must be free at once."""
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_outlive, args=[parent], daemon=True).start()


def _outlive(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
