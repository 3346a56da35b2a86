"""A number beside its bound: how it is written, and whether the two can be compared, exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from service.rules.charter.metrics import ONE, Measure, Metric, Span
from service.rules.charter.quantity import ROUNDED, canonical
from service.rules.charter.threshold import Threshold
from service.rules.charter.unit_fit import HUNDRED, fits
from service.rules.charter.units import Dimension, Unit
from service.rules.evidence.values import Measurement
from service.rules.source.text import clip

DIGITS = 4
LONGEST = 40
LARGEST_EXPONENT = 400
RATIO = "ratio"


def grouped(number: int) -> str:
    """A whole number in groups of three: `15 000`."""
    return f"{number:,}".replace(",", " ")


def numeral(value: Fraction, *, digits: int = DIGITS, beside: Fraction | None = None) -> str:
    """A number with that many significant digits, or as many as it takes to lie on its side of a bound.

    What stands before the point is never rounded away.
    """
    places = _places(value, digits)
    while beside is not None and _side(_rounded(value, places), beside) != _side(value, beside):
        places += 1
    return clip(_written(value, places), LONGEST)


def with_unit(number: str, unit: Unit) -> str:
    """A number and its unit."""
    return f"{number} {clip(unit.text)}" if unit.text else number


def is_decimal(value: Fraction) -> bool:
    """Whether a number can be written with digits that end."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1


def _places(value: Fraction, digits: int) -> int:
    if not value:
        return 0
    magnitude = ROUNDED.divide(Decimal(value.numerator), Decimal(value.denominator)).adjusted()
    return max(0, digits - 1 - magnitude)


def _rounded(value: Fraction, places: int) -> Fraction:
    return Fraction(round(value * 10**places), 10**places)


def _side(value: Fraction, bound: Fraction) -> int:
    return (value > bound) - (value < bound)


def _written(value: Fraction, places: int) -> str:
    scaled = round(value * 10**places)
    whole, rest = divmod(abs(scaled), 10**places)
    behind = f"{rest:0{places}d}".rstrip("0") if places else ""
    sign = "-" if scaled < 0 else ""
    return f"{sign}{grouped(whole)}.{behind}" if behind else f"{sign}{grouped(whole)}"


def exact(value: Decimal, unit: Unit) -> Fraction:
    """A value in its canonical unit, not rounded at all."""
    return Fraction(value) * unit.factor


def is_ratio(threshold: Threshold, unit: Unit) -> bool:
    """Whether a number of this unit is a ratio here: a bare one is, where the metric says so."""
    if unit.dimension is Dimension.RATIO:
        return True
    metric = threshold.known
    if metric is None or unit.dimension is not Dimension.NONE:
        return False
    of_one = metric.measure is Measure.NUMBER and metric.span is not None and metric.span.high == ONE
    return metric.measure is Measure.SHARE or of_one


def is_sampled(threshold: Threshold) -> bool:
    """Whether the bound is on a share of samples, so that their number says how sure it is."""
    metric = threshold.known
    return is_ratio(threshold, threshold.unit) and (metric is None or metric.measure is Measure.SHARE)


def comparable(threshold: Threshold, unit: Unit) -> bool:
    """Whether a number of this unit can be compared with the bound."""
    return _canonical(threshold, unit) == _canonical(threshold, threshold.unit)


def implausible(threshold: Threshold, number: Measurement) -> str | None:
    """Why a number cannot be compared with the bound, or is none that the metric can have; with a remedy."""
    if not _is_sane(number.value):
        return "not a number that a metric can have: measure it again"
    if not comparable(threshold, number.unit):
        return _mismatch(threshold.unit, number)
    metric = threshold.known
    if metric is None or metric.span is None or not fits(metric, number.unit):
        return None
    if metric.span.holds(canonical(number.value, number.unit)):
        return None
    if metric.measure is Measure.SHARE and number.unit.text != "%" and 1 < number.value <= HUNDRED:
        return f"{own(number)} isn't a ratio: {_add(number, '%')}"
    return f"{own(number)} is out of range: {clip(metric.name)} is {_range(metric, metric.span, number.unit)}"


def own(number: Measurement) -> str:
    """A number in the unit that it came in."""
    shown = numeral(Fraction(number.value)) if _is_sane(number.value) else clip(str(number.value))
    return with_unit(shown, number.unit)


def _is_sane(value: Decimal) -> bool:
    """Whether it is a number, and no larger or smaller than can be written out."""
    return value.is_finite() and abs(value.adjusted()) <= LARGEST_EXPONENT


def _canonical(threshold: Threshold, unit: Unit) -> str:
    return RATIO if is_ratio(threshold, unit) else unit.canonical


def _mismatch(wanted: Unit, number: Measurement) -> str:
    if not number.unit.text:
        return f"{own(number)} has no unit: {_add(number, clip(wanted.text))}"
    if not wanted.text:
        return f"{own(number)}: the bound has no unit, leave out {clip(number.unit.text)}"
    return f"{own(number)} can't be compared: give it in {clip(wanted.text)}"


def _add(number: Measurement, unit: str) -> str:
    """How to say the unit of a number, where it comes from."""
    ends = f"end the evidence line with {unit}"
    return ends if number.is_from_file else f"send its unit, {unit}"


def _range(metric: Metric, span: Span, unit: Unit) -> str:
    """The values that a metric can have, in percents where the number is."""
    low, high = span.ends(percent=unit.text == "%")
    if low and high:
        return f"{low} to {high}"
    if high:
        return f"at most {high}"
    if span.whole:
        return f"in whole {metric.unit}, {low} or more"
    return f"above {low}" if span.above_low else f"{low} or more"
