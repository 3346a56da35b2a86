"""A threshold beside its metric: whether unit, range and direction fit, as far as the table knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from service.rules.charter.metrics import Measure, Metric, Way
from service.rules.charter.quantity import EXACT
from service.rules.charter.threshold import Threshold
from service.rules.charter.units import Dimension, Unit, unit_of

BARE = frozenset({Measure.SHARE, Measure.NUMBER, Measure.COUNT, Measure.TARGET})
DIMENSIONS = {
    Measure.TIME: {Dimension.TIME},
    Measure.SHARE: {Dimension.RATIO},
    Measure.NUMBER: {Dimension.RATIO},
    Measure.SIZE: {Dimension.SIZE},
    Measure.COUNT: {Dimension.COUNT, Dimension.RATE},
    Measure.VOLUME: {Dimension.SIZE, Dimension.COUNT, Dimension.RATE},
    Measure.THROUGHPUT: {Dimension.RATE},
    Measure.MONEY: {Dimension.MONEY, Dimension.RATE},
}
GOOD_SIGN = {Way.UP: ">", Way.DOWN: "<"}
PERCENT = unit_of("%")
HUNDRED = Decimal(100)


def fits(metric: Metric, unit: Unit) -> bool:
    """Whether the unit measures what the metric does; a bare number says too little for most."""
    if unit.dimension is Dimension.NONE:
        return metric.measure in BARE
    if metric.measure is Measure.TARGET:
        return True
    if unit.dimension not in DIMENSIONS[metric.measure]:
        return False
    is_money = metric.measure is Measure.MONEY
    return unit.dimension is not Dimension.RATE or is_money is unit.canonical[:3].isupper()


def in_range(threshold: Threshold) -> bool:
    """Whether the metric can have the value; true where nobody knows its range."""
    metric = threshold.known
    if metric is None or metric.span is None or not fits(metric, threshold.unit):
        return True
    return metric.span.holds(threshold.canonical_value)


def as_percent(threshold: Threshold) -> Threshold | None:
    """The bound that was meant by a share above 1, if percents make it one."""
    metric = threshold.known
    if metric is None or metric.measure is not Measure.SHARE or metric.span is None or PERCENT is None:
        return None
    share = threshold.unit.canonical in ("", "ratio") and threshold.unit.text in ("", "ratio")
    if not share or not 1 < threshold.value <= HUNDRED:
        return None
    return replace(threshold, unit=PERCENT)


def runs_wrong(threshold: Threshold) -> bool:
    """Whether the sign asks for the bad direction."""
    good = GOOD_SIGN.get(threshold.known.way) if threshold.known else None
    return good is not None and threshold.op != "==" and good not in threshold.op


def is_trivial(threshold: Threshold) -> bool:
    """Whether every value that the metric can have passes."""
    metric = threshold.known
    if metric is None or metric.span is None or not fits(metric, threshold.unit) or not in_range(threshold):
        return False
    value = threshold.canonical_value
    if ">" in threshold.op and metric.span.low is not None:
        return value <= metric.span.low
    if "<" in threshold.op and metric.span.high is not None:
        return value >= metric.span.high
    return False


def is_impossible(threshold: Threshold) -> bool:
    """Whether no value that the metric can have passes: less than 0 %, more than 100 %."""
    metric = threshold.known
    if metric is None or metric.span is None or not fits(metric, threshold.unit) or not in_range(threshold):
        return False
    end = {">": metric.span.high, "<": metric.span.low}.get(threshold.op)
    return end is not None and threshold.canonical_value == end


def is_guessed(threshold: Threshold) -> bool:
    """Whether guessing between two classes reaches the bound."""
    metric = threshold.known
    if metric is None or metric.guess is None or ">" not in threshold.op:
        return False
    return threshold.canonical_value <= metric.guess


def unhundredth(threshold: Threshold) -> Threshold | None:
    """The bound that was meant by a high share that is a ratio and a percentage at once: `0.92 %`."""
    metric = threshold.known
    if metric is None or metric.way is not Way.UP or metric.measure is not Measure.SHARE:
        return None
    if threshold.unit.text != "%" or not 0 < threshold.value <= 1:
        return None
    return replace(threshold, value=EXACT.multiply(threshold.value, HUNDRED).normalize(EXACT))
