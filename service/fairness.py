"""Shares: no installation takes all looks of a process while others wait."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

MOST = 1 / 4
"""Of a process's looks, how many are at one installation while others wait."""


class Shares:
    """How many looks of this process each installation has; one that has its share is crowded.

    Only memory: a process that is killed leaves no share taken.
    """

    def __init__(self, looks: int) -> None:
        self._most = ceil(looks * MOST)
        self._taken: Counter[int | None] = Counter()
        self._lock = threading.Lock()
        self.looks = looks

    @contextmanager
    def taken(self, installation_id: int | None) -> Iterator[bool]:
        """Take one, and give it back at the end; whether its installation had its share already."""
        with self._lock:
            crowded = installation_id is not None and self._taken[installation_id] >= self._most
            self._taken[installation_id] += 1
        try:
            yield crowded
        finally:
            with self._lock:
                self._taken[installation_id] -= 1

    def not_behind(self, installation_id: int | None) -> list[int]:
        """The installations that have as many looks as this one has besides that of who asks, or more."""
        with self._lock:
            least = self._taken[installation_id] - 1
            return [key for key, taken in self._taken.items() if key is not None and taken >= least]
