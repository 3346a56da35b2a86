"""A process that ends with its parent, however that ends: it sees its standard input being closed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

SUPERVISED = "POC_GOVERNOR_SUPERVISED"
"""Set by a parent that holds the standard input of this process open."""


def end_with_parent(end: Callable[[], object]) -> None:
    """Call `end`, from a thread, when the parent is gone; of no effect where no parent asks for it."""

    def wait() -> None:
        # Not through Python's buffer: its lock, held at our own exit, would abort the interpreter.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        end()

    if os.environ.get(SUPERVISED):
        threading.Thread(target=wait, daemon=True).start()
