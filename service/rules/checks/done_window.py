"""Over how long an availability is taken."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Metrics that mean nothing without a time, without one."""
    for item, threshold in sheet.thresholds("done"):
        if threshold.known and threshold.known.windowed and "over" not in threshold.clauses:
            message = f"`{threshold.metric[:32]}` over how long? Add the time, like `over 30 d`"
            yield Complaint(message, item)


CHECK = Check(
    "done-window",
    "An availability says over how long.",
    find,
    Severity.WARNING,
    why="99.9 % over an hour says little; over a month it allows 43 minutes.",
    examples=(Example("- availability >= 99.9 %", "- availability >= 99.9 % over 30 d", "done"),),
)
