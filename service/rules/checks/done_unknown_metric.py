"""Metrics that the table does not have."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.spelling import near_metric
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Each metric that nobody but its author knows, once."""
    told: set[str] = set()
    for item, threshold in sheet.thresholds("done", "stop_if"):
        name = threshold.metric
        if threshold.known or name in told:
            continue
        told.add(name)
        meant = near_metric(name)
        if meant:
            message = (
                f"`{name[:24]}` is not in the table, its unit, range and side are not checked: "
                f"did you mean `{meant}`?"
            )
            yield Complaint(message, item)
        else:
            message = (
                f"`{name[:24]}` is not in the table, its unit, range and side are not checked: "
                "look twice at them"
            )
            yield Complaint(message, item)


CHECK = Check(
    "done-unknown-metric",
    "A metric that the table lacks is taken as it is written.",
    find,
    Severity.NOTICE,
    why="Your own metrics are welcome; only, nobody but you can tell whether 3 is much.",
    examples=(
        Example(
            "- acuracy >= 92 % on holdout with n >= 2000",
            "- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
    ),
)
