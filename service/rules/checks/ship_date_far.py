"""A ship date that is near enough to plan for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity

FARTHEST = timedelta(days=180)


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A ship date more than half a year ahead."""
    ship_by = sheet.charter.ship_by
    if ship_by and ship_by.value - sheet.today > FARTHEST:
        days = (ship_by.value - sheet.today).days
        message = f"{days} days ahead is far for a POC: write a day within {FARTHEST.days} for a smaller step"
        yield Complaint(message, ship_by)


CHECK = Check(
    "ship-date-far",
    "The ship date is at most 180 days ahead.",
    find,
    Severity.WARNING,
    why="What takes longer than half a year to reach its users is no proof of concept any more.",
    examples=(Example("ship_by: 2027-12-31", "ship_by: 2027-02-26"),),
)
