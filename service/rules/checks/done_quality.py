"""A definition of done that has a line on quality."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity

FEWEST = 2


def find(sheet: Sheet) -> Iterator[Complaint]:
    """No such line, where the table knows every metric."""
    metrics = sheet.done_metrics()
    if len(metrics) >= FEWEST and not any(metric.is_quality for metric in metrics):
        yield Complaint(
            "No line bounds quality or safety: add one, like `accuracy >= 92 % on holdout with n >= 2000`",
            sheet.key("done"),
        )


CHECK = Check(
    "done-quality",
    "At least one line of `done` is on quality, safety or business.",
    find,
    Severity.WARNING,
    why="What is fast and cheap may still be wrong.",
    examples=(
        Example(
            "done:\n  - latency_p95 <= 300 ms at 50 req/s\n  - error_rate < 0.5 % over 7 d",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms at 50 req/s",
        ),
    ),
)
