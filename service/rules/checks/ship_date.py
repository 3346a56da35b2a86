"""The ship date, as a day."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import ISO_DATE, parse_date
from service.rules.charter.wording import shown

YEAR_FIRST = re.compile(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})")
BARE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Anything else than YYYY-MM-DD, and days that no calendar has."""
    ship_by = sheet.text("ship_by")
    if ship_by is None or parse_date(ship_by.value):
        return
    if ISO_DATE.fullmatch(ship_by.value):
        yield Complaint(f"No calendar has {shown(ship_by.value)}: write a day that exists", ship_by)
        return
    meant = iso(ship_by.value)
    remedy = meant or "2027-02-26"
    message = f"{shown(ship_by.value)} is no date: write year, month and day, like `{remedy}`"
    yield Complaint(message, ship_by, sheet.line_with(ship_by, meant) if meant else None)


def iso(text: str) -> str | None:
    """The day that another notation means, where it means only one."""
    if match := YEAR_FIRST.fullmatch(text) or BARE.fullmatch(text):
        year, month, day = match.groups()
    elif match := DAY_FIRST.fullmatch(text):
        day, month, year = match.groups()
    else:
        return None
    meant = f"{year}-{month:0>2}-{day:0>2}"
    return meant if parse_date(meant) else None


CHECK = Check(
    "ship-date",
    "`ship_by` is a day.",
    find,
    why="A quarter, or soon, can slip without anybody noticing; a day cannot.",
    examples=(
        Example("ship_by: Q1 2027", "ship_by: 2027-02-26"),
        Example("ship_by: 26.02.2027", "ship_by: 2027-02-26"),
    ),
)
