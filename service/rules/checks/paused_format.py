"""A pause: until when, and why."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import parse_pause
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A pause that cannot be read, or that is over."""
    text, pause = sheet.text("paused"), sheet.charter.paused
    if text and parse_pause(text.value) is None:
        yield Complaint("A pause has an end and a reason: write `paused: until YYYY-MM-DD - reason`", text)
    elif pause and pause.value.until < sheet.today:
        severity = Severity.ERROR if sheet.writes(lambda charter: charter.paused) else Severity.NOTICE
        message = f"This pause ended on {pause.value.until}: delete the line, or write a later day"
        yield Complaint(message, pause, severity=severity)


CHECK = Check(
    "paused-format",
    "`paused: until DATE - reason`.",
    find,
    why="A pause without an end is a stop that nobody decided.",
    examples=(
        Example("paused: waiting for data", "paused: until 2026-12-18 - waiting for the data contract"),
        Example(
            "paused: until 2026-10-01 - waiting for data",
            "paused: until 2026-12-18 - waiting for the data contract",
        ),
    ),
)
