"""A pause that ends soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity

LONGEST = timedelta(days=60)


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A pause of more than two months."""
    pause = sheet.charter.paused
    if pause and pause.value.until - sheet.today > LONGEST:
        latest = sheet.today + LONGEST
        message = (
            f"A pause of more than {LONGEST.days} days is a stop: write `stopped`, or end it by `{latest}`"
        )
        yield Complaint(message, pause)


CHECK = Check(
    "paused-long",
    "A pause ends within 60 days.",
    find,
    Severity.WARNING,
    why="A longer one can be renewed when it ends, and somebody then looks at it.",
    examples=(
        Example(
            "paused: until 2027-06-30 - waiting for the contract",
            "paused: until 2026-12-18 - waiting for the contract",
        ),
    ),
)
