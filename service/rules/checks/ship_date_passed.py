"""A ship date in the past: an error for whoever writes it, a notice for everybody else (design 5.5)."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A ship date before the day of judging."""
    ship_by = sheet.charter.ship_by
    if ship_by and ship_by.value < sheet.today:
        severity = Severity.ERROR if sheet.writes(lambda charter: charter.ship_by) else Severity.NOTICE
        message = f"{ship_by.value} has passed: write the new day or `stopped: {sheet.today} - <reason>`"
        yield Complaint(message, ship_by, severity=severity)


CHECK = Check(
    "ship-date-passed",
    "The ship date is still to come.",
    find,
    why="A date in the past plans nothing. Where only time passed, this is a notice.",
    examples=(Example("ship_by: 2026-02-26", "ship_by: 2027-02-26"),),
)
