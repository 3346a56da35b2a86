"""A drill that kept the promise."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A drill that took longer than the rollback may take."""
    rollback = sheet.charter.rollback
    if rollback.drilled and rollback.within:
        took, within = rollback.drilled.value.took, rollback.within.value
        if took.canonical_value > within.canonical_value:
            message = (
                f"The drill took {took.text[:24]}, `within` says {within.text[:24]}: "
                "write the longer time or drill again"
            )
            yield Complaint(" ".join(message.split()), rollback.drilled)


CHECK = Check(
    "rollback-slow",
    "The drill took no longer than `within`.",
    find,
    Severity.WARNING,
    why="The drill is the best estimate there is; a shorter promise is a guess.",
    examples=(Example("drilled: 2026-11-12 in 40 min", "drilled: 2026-11-12 in 4 min", "rollback"),),
)
