"""Bounds that the metric can reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from service.rules.charter.fit import as_percent, in_range, is_impossible
from service.rules.charter.metrics import Metric, Span
from service.rules.charter.quantity import plain
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import Threshold

LONGEST_SHOWN = 12
SIDES = {"<": "below", ">": "above"}


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Values outside of the natural range of their metric."""
    for item, threshold in sheet.thresholds("done", "stop_if"):
        metric = threshold.known
        if is_impossible(threshold):
            op = f"{threshold.op}="
            message = (
                f"No `{threshold.metric[:32]}` is {SIDES[threshold.op]} that: write `{op}`, or another bound"
            )
            yield Complaint(message, item, sheet.line_with(item, replace(threshold, op=op).printed))
        if metric is None or metric.span is None or in_range(threshold):
            continue
        meant = as_percent(threshold)
        name = threshold.metric[:32]
        if meant:
            share = plain(meant.value)
            asked = (
                f"did you mean `{share} %`? Write that"
                if len(share) <= LONGEST_SHOWN
                else "write `%` behind it"
            )
            message = f"`{name}` is a ratio, at most 1: {asked}"
            yield Complaint(message, item, sheet.line_with(item, meant.printed))
        else:
            yield Complaint(
                f"`{name}` cannot be that: write a bound {between(metric, metric.span, threshold)}", item
            )


def between(metric: Metric, span: Span, threshold: Threshold) -> str:
    """The range in words, in percents where the line is."""
    factor, sign = (100, " %") if threshold.unit.text == "%" else (1, "")
    low = None if span.low is None else f"{span.low * factor}{sign}"
    high = None if span.high is None else f"{span.high * factor}{sign}"
    if low and high:
        return f"from {low} to {high}"
    if span.whole:
        return f"of {low} or more in whole {metric.unit}"
    if high:
        return f"of at most {high}"
    return f"above {low}" if span.above_low else f"of at least {low}"


CHECK = Check(
    "done-range",
    "A bound lies in the natural range of its metric.",
    find,
    why="No accuracy is 92 and no latency is zero: such a line can never be met, or never fails.",
    examples=(
        Example(
            "- accuracy >= 92 on holdout with n >= 2000",
            "- accuracy >= 92 % on holdout with n >= 2000",
            "done",
        ),
        Example("- error_rate < 120 % over 7 d", "- error_rate < 0.5 % over 7 d", "done"),
    ),
)
