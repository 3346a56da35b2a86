"""When the rollback was tried."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import parse_drill
from service.rules.charter.wording import shown

# Somebody east of UTC writes tomorrow's date today.
AHEAD = timedelta(days=1)


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A drill without its day or its duration, or one that has not been yet."""
    drilled = sheet.text("rollback", "drilled")
    if drilled is None:
        return
    drill = parse_drill(drilled.value)
    if drill is None:
        message = (
            f"{shown(drilled.value)} is no drill: write its day and duration, like `2026-11-12 in 4 min`"
        )
        yield Complaint(message, drilled)
    elif drill.on > sheet.today + AHEAD:
        yield Complaint(f"{drill.on} is still to come: write the day on which it was tried", drilled)


CHECK = Check(
    "rollback-drilled",
    "`rollback.drilled` is a day in the past, and a duration.",
    find,
    why="A rollback that nobody has tried is a hope. The day and the time it took show that somebody did.",
    examples=(
        Example("drilled: yes", "drilled: 2026-11-12 in 4 min", "rollback"),
        Example("drilled: 2027-01-15 in 4 min", "drilled: 2026-11-12 in 4 min", "rollback"),
    ),
)
