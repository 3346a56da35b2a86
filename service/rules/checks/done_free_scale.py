"""Metrics whose scale differs from place to place."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Metrics on a free scale: their range cannot be checked."""
    told: set[str] = set()
    for item, threshold in sheet.thresholds("done", "stop_if"):
        metric = threshold.known
        if metric and metric.span is None and metric.name not in told:
            told.add(metric.name)
            message = (
                f"`{threshold.metric[:32]}` has no one scale, its range is not checked: "
                "name the scale in the prose"
            )
            yield Complaint(message, item)


CHECK = Check(
    "done-free-scale",
    "A metric without one scale is not checked for its range.",
    find,
    Severity.NOTICE,
    why="BLEU goes to 1 or to 100, a rating to 5 or to 10: the prose has to say which.",
    examples=(
        Example(
            "- human_rating >= 4.2 on pilot with n >= 100",
            "- win_rate >= 60 % on pilot with n >= 100",
            "done",
        ),
    ),
)
