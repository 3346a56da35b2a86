"""A threshold beside its metric: whether unit, range and direction fit, as far as the table knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from service.rules.charter.metrics import Measure, Metric, Span, Way
from service.rules.charter.quantity import EXACT
from service.rules.charter.threshold import Threshold
from service.rules.charter.units import Dimension, Unit, unit_of

BARE = frozenset({Measure.SHARE, Measure.NUMBER, Measure.COUNT, Measure.TARGET})
DIMENSIONS = {
    Measure.TIME: {Dimension.TIME},
    Measure.SAVED_TIME: {Dimension.TIME, Dimension.RATE},
    Measure.SHARE: {Dimension.RATIO},
    Measure.NUMBER: {Dimension.RATIO},
    Measure.SIZE: {Dimension.SIZE},
    Measure.COUNT: {Dimension.COUNT, Dimension.RATE},
    Measure.VOLUME: {Dimension.SIZE, Dimension.COUNT, Dimension.RATE},
    Measure.THROUGHPUT: {Dimension.RATE},
    Measure.MONEY: {Dimension.MONEY, Dimension.RATE},
}
PRICE = "cost_per_"
PERIODS = frozenset({"second", "minute", "hour", "day", "week", "month", "quarter", "year"})
"""A price per one of these is money per time; a price per anything else is not."""
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
    if metric.measure is Measure.NUMBER and metric.span and metric.span.high and metric.span.high > 1:
        return False  # 40 % of a score that goes to 100 would be read as 0.4.
    return unit.dimension is not Dimension.RATE or fits_rate(metric, unit)


def fits_rate(metric: Metric, unit: Unit) -> bool:
    """Whether a rate has above and below its `/` what the metric has: money, or how many in a time."""
    above, below = unit.parts
    match metric.measure:
        case Measure.MONEY:
            by_thing = metric.name.startswith(PRICE) and PERIODS.isdisjoint(metric.name.split("_"))
            return above is Dimension.MONEY and not (by_thing and below is Dimension.TIME)
        case Measure.SAVED_TIME:
            return above is Dimension.TIME and below in (Dimension.TIME, Dimension.COUNT)
        case Measure.COUNT:
            return above is Dimension.COUNT and below in (Dimension.COUNT, Dimension.TIME)
        case _:
            return unit.is_flow


def span_of(threshold: Threshold) -> Span | None:
    """The range of the metric; None where nobody knows it, or the unit is not one of the metric's."""
    metric = threshold.known
    return metric.span if metric and fits(metric, threshold.unit) else None


def in_range(threshold: Threshold) -> bool:
    """Whether the metric can have the value; true where nobody knows its range."""
    span = span_of(threshold)
    return span is None or span.holds(threshold.canonical_value)


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


def runs_right(threshold: Threshold) -> bool:
    """Whether the sign asks for the good direction."""
    good = GOOD_SIGN.get(threshold.known.way) if threshold.known else None
    return good is not None and good in threshold.op


def is_open_share(threshold: Threshold) -> bool:
    """Whether it is a share above 1 without a unit, of a metric that may exceed 1: 12 % or 1200 %."""
    metric = threshold.known
    return (
        metric is not None
        and metric.measure is Measure.SHARE
        and threshold.unit.dimension is Dimension.NONE
        and threshold.value > 1
        and in_range(threshold)
    )


def is_trivial(threshold: Threshold) -> bool:
    """Whether every value that the metric can have passes."""
    span = span_of(threshold)
    return span is not None and is_at(threshold, {">": span.low, "<": span.high}.get(threshold.op[0]))


def is_impossible(threshold: Threshold) -> bool:
    """Whether no value that the metric can have passes: less than 0 %, more than 100 %."""
    span = span_of(threshold)
    return span is not None and is_at(threshold, {">": span.high, "<": span.low}.get(threshold.op))


def is_at(threshold: Threshold, end: Decimal | None) -> bool:
    """Whether the bound is a value that the metric can have, and the last one on that side."""
    return end is not None and in_range(threshold) and threshold.canonical_value == end


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
