"""Units that fit their metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from service.rules.charter.fit import fits
from service.rules.charter.metrics import Metric
from service.rules.charter.quantity import plain
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import Threshold
from service.rules.charter.units import Dimension, unit_of
from service.rules.charter.wording import clip

LONGEST_SHOWN = 60


def find(sheet: Sheet) -> Iterator[Complaint]:
    """A bare number where a metric has units, and a unit that measures something else."""
    for item, threshold in sheet.thresholds("done", "stop_if"):
        metric = threshold.known
        if metric is None or fits(metric, threshold.unit):
            continue
        if threshold.unit.dimension is Dimension.NONE:
            meant = with_unit(threshold, metric)
            bound = f"{threshold.metric} {threshold.op} {plain(threshold.value)} {metric.unit}"
            asked = f"like `{bound}`" if len(bound) <= LONGEST_SHOWN else f"`{metric.unit}`"
            message = f"{clip(plain(threshold.value), 12)} what? Write the unit, {asked}"
            yield Complaint(message, item, sheet.line_with(item, meant))
        else:
            remedy = f"write it in `{metric.unit}`" if metric.unit else "write it without a unit"
            yield Complaint(f"`{threshold.metric[:32]}` is {metric.measure}: {remedy}", item)


def with_unit(threshold: Threshold, metric: Metric) -> str:
    """The line with the unit to propose."""
    unit = unit_of(metric.unit)
    return replace(threshold, unit=unit).printed if unit else threshold.text


CHECK = Check(
    "done-unit",
    "Each number has the unit of its metric.",
    find,
    why="300 may be milliseconds or seconds; 92 euros are no accuracy.",
    examples=(
        Example("- latency_p95 <= 300", "- latency_p95 <= 300 ms at 50 req/s", "done"),
        Example("- accuracy >= 92 ms", "- accuracy >= 92 % on holdout with n >= 2000", "done"),
    ),
)
