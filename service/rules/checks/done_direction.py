"""Bounds from the side that matters."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.fit import runs_wrong
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.finding import Severity


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A bound that asks for the bad direction, unless another line bounds the good one."""
    right = {each.key for each in sheet.charter.done if not runs_wrong(each)}
    for item, threshold in sheet.thresholds("done"):
        metric = threshold.known
        if metric and runs_wrong(threshold) and threshold.key not in right:
            sign = threshold.op.translate(str.maketrans("<>", "><"))
            message = f"`{threshold.metric[:32]}` is better when {metric.way}: write `{sign}`"
            fix = threshold.printed.replace(f" {threshold.op} ", f" {sign} ", 1)
            yield Complaint(message, item, sheet.line_with(item, fix))


CHECK = Check(
    "done-direction",
    "A bound is on the side on which its metric is bad.",
    find,
    Severity.WARNING,
    why="A latency of at least 300 ms is met by being slow. To bound both sides is fine.",
    examples=(Example("- latency_p95 >= 300 ms at 50 req/s", "- latency_p95 <= 300 ms at 50 req/s", "done"),),
)
