"""An end on purpose: when, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.values import parse_stop

# Somebody east of UTC writes tomorrow's date today.
AHEAD = timedelta(days=1)


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A stop that cannot be read, or that is still to come."""
    text, stop = sheet.text("stopped"), sheet.charter.stopped
    if text and parse_stop(text.value) is None:
        message = f"A stop has a day and a reason: write `stopped: {sheet.today} - reason`"
        yield Complaint(message, text)
    elif stop and stop.value.on > sheet.today + AHEAD:
        yield Complaint(f"{stop.value.on} is still to come: write the day on which it was stopped", stop)


CHECK = Check(
    "stopped-format",
    "`stopped: DATE - reason`.",
    find,
    when_stopped=True,
    why="To stop is a good end if it is said when and why.",
    examples=(Example("stopped: yes", "stopped: 2026-11-20 - the baseline was good enough"),),
)
