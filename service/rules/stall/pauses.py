"""How long a pause lasts: 60 days in a row, and longer once product has signed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from service.rules.stall.waiting_on import PausePeriod

LONGEST_PAUSE = timedelta(days=60)
ONE_ROW = timedelta(days=7)
"""A pause, or a snooze, that begins within a week of the end of another continues it."""


@dataclass(frozen=True, slots=True)
class PresentPause:
    """The part of a charter's pause that counts."""

    period: PausePeriod
    source: str
    """Its name among all stored pauses."""
    product: str | None
    """Who signs a longer one."""


def in_a_row(rest: PausePeriod, earlier: Iterable[PausePeriod]) -> tuple[date, int]:
    """Start of the run of consecutive pauses or snoozes, and this one's position in it."""
    first, count = rest.first, 1
    for each in sorted(earlier, key=lambda each: each.until, reverse=True):
        if each.until >= first - ONE_ROW:
            first, count = min(first, each.first), count + 1
    return first, count


def unsigned_part(pause: PausePeriod, earlier: Iterable[PausePeriod]) -> PausePeriod:
    """The part of an unsigned pause that counts, given the unsigned pauses before it."""
    first, _ = in_a_row(pause, earlier)
    until = min(pause.until, first + LONGEST_PAUSE)
    return replace(pause, first=min(pause.first, until), until=until)
