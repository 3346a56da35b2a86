"""How long turning it off may take."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.quantity import Refusal, parse_duration
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.wording import shown


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Anything that is no duration."""
    within = sheet.text("rollback", "within")
    if within is None:
        return
    read = parse_duration(within.value)
    if isinstance(read, Refusal):
        meant = read.meant if read.meant and not isinstance(parse_duration(read.meant), Refusal) else None
        message = f"{shown(within.value)} is no duration: write number and unit, like `{meant or '10 min'}`"
        yield Complaint(message, within, sheet.line_with(within, meant) if meant else None)


CHECK = Check(
    "rollback-within",
    "`rollback.within` is a duration.",
    find,
    why="The time it takes to turn off is the time that harm lasts.",
    examples=(Example("within: quickly", "within: 10 min", "rollback"),),
)
