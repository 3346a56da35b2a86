"""Waiting for what somebody else does: the one way in which tests wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 90.0
"""Seconds after which nobody believes that it still comes: longer than it takes until a forgotten subject is
woken, which is 45 s and a tick of 20 s."""
EVERY = 0.02


def eventually(
    found: Callable[[], T | None],
    what: str,
    *,
    within: float = PATIENCE,
    every: float = EVERY,
    news: Callable[[], object] | None = None,
    at_least_every: float = 0.5,
) -> T:
    """Ask until the answer is true, and return it; fail with what was waited for.

    Where asking is expensive, `news` says cheaply whether something has happened: the question is then asked
    only when its answer changes, and every half a second in any case.
    """
    deadline = time.monotonic() + within
    while True:
        known, asked = news() if news else None, time.monotonic()
        if answer := found():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within:.0f} s it is not so that {what}")
        time.sleep(every)
        while news and news() == known and time.monotonic() < asked + at_least_every:
            time.sleep(every)
