"""A definition of done that has a line on operation."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity

FEWEST = 2


def find(sheet: Sheet) -> Iterator[Complaint]:
    """No such line, where the table knows every metric."""
    metrics = sheet.done_metrics()
    if len(metrics) >= FEWEST and not any(metric.is_operation for metric in metrics):
        yield Complaint(
            "No line bounds latency, cost or reliability: add one, like `latency_p95 <= 300 ms at 50 req/s`",
            sheet.key("done"),
        )


CHECK = Check(
    "done-operation",
    "At least one line of `done` is on latency, cost or reliability.",
    find,
    Severity.WARNING,
    why="What is right may still be too slow, too dear or too often down for those who wait for it.",
    examples=(
        Example(
            "done:\n  - accuracy >= 92 % on pilot with n >= 99\n  - recall >= 95 % on pilot with n >= 300",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms at 50 req/s",
        ),
    ),
)
