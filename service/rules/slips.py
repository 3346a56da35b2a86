"""How often a ship date was moved, and by how much in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True, slots=True)
class Slips:
    """The present date is the `count`-th; `days` lie between the first and it, fewer where it came closer."""

    count: int
    days: int
    first: date
    last: date

    def __str__(self) -> str:
        ordinal = ORDINALS[self.count - 1] if self.count <= len(ORDINALS) else f"{self.count}th"
        return f"{ordinal} date, {self.days:+} days"


def slips(dates: Sequence[date]) -> Slips | None:
    """What to say of the ship dates that a POC ever had, in their order; nothing of a single one."""
    if len(dates) <= 1:
        return None
    return Slips(len(dates), (dates[-1] - dates[0]).days, dates[0], dates[-1])
