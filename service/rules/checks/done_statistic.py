"""Percentiles where a mean hides the tail."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.metrics import MEAN, Kind, Way, with_statistic
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import Threshold
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A mean of a latency, and a latency that does not say which of its values is bounded."""
    for item, threshold in sheet.thresholds("done"):
        meant = percentile(threshold)
        if meant:
            stated = with_statistic(threshold.metric)[1]
            told = "A mean hides the slow tail" if stated else "One latency of many"
            yield Complaint(
                f"{told}: write a percentile, like `{meant[:32]}`",
                item,
                sheet.line_with(item, f"{meant}{threshold.text[len(threshold.metric) :]}"),
            )


def percentile(threshold: Threshold) -> str | None:
    """The percentile to ask for instead, where the line asks for none of its values."""
    metric = threshold.known
    if metric is None or metric.kind is not Kind.LATENCY or metric.way is not Way.DOWN:
        return None
    base, statistic = with_statistic(metric.name)
    varies = base in ("latency", "ttft", "tpot")
    return f"{base}_p95" if varies and statistic in ("", MEAN) else None


CHECK = Check(
    "done-statistic",
    "A latency is bounded by a percentile.",
    find,
    Severity.WARNING,
    why="The mean of a latency can be fine while one user in ten waits for seconds.",
    examples=(
        Example("- latency_mean <= 300 ms at 50 req/s", "- latency_p95 <= 300 ms at 50 req/s", "done"),
    ),
)
