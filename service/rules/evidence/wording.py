"""Results in words, for a table: the number, how it stands to its bound, and what to do."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from service.rules.charter.threshold import Threshold
from service.rules.charter.units import Dimension, Unit
from service.rules.evidence.amounts import comparable, exact, grouped, is_decimal, numeral, own, with_unit
from service.rules.evidence.judging import Z, conditions_of, error_bar, is_undecided
from service.rules.evidence.values import Measurement, Result, Status
from service.rules.source.text import clip, in_words

SHORT = 10
"""Characters of a number that is easier to read in another unit than in its own."""
FEWEST_DIGITS = 2
SMALLEST = Fraction(1, 10**6)
SHARED = frozenset({Dimension.TIME, Dimension.MONEY, Dimension.SIZE, Dimension.COUNT, Dimension.RATE})
"""What has a margin in percents of its bound."""
ASKS = {"<": "below", ">": "above"}
POINTS = 100
MOST_SAMPLES = 10**9


def measured_text(result: Result) -> str:
    """The number that was found, with how many samples it was taken on where that was sent along."""
    number = result.measurement
    if number is None:
        return Status.NOT_MEASURED.value
    n = number.conditions.n if number.conditions else None
    value = _value(result.threshold, number, plausible=result.status is not Status.IMPLAUSIBLE)
    today = result.threshold.clauses.get("from")
    said = [f"n {grouped(n)}"] if n is not None else []
    said += [f"from {clip(today)}"] if today else []
    worst = _runs(result)
    said += [f"the worst of {worst} runs"] if worst > 1 else []
    return f"{value} ({', '.join(said)})" if said else value


def _runs(result: Result) -> int:
    """Of how many runs the number is the worst; 1 where it is one, or where only a file says so."""
    from_file = result.measurement is not None and result.measurement.is_from_file
    return 1 if result.reason or from_file else result.threshold.runs


def verdict_text(result: Result) -> str:
    """By how much a bound is met or missed, or why the number does not count and what to do."""
    if result.waived:
        return f"waived until {in_words(result.waived)}; {verdict_text(replace(result, waived=None))}"
    if result.measurement is None or result.reason:
        return result.reason or result.status.value
    threshold, number = result.threshold, result.measurement
    by_point = _met(threshold, number) if result.met else _missed(threshold, number)
    if other := result.against:
        opposite = _value(threshold, other, plausible=True)
        by_point = f"{by_point}; another number of this commit says the opposite: {opposite}"
    if not is_undecided(threshold, number):
        return by_point
    undecided = f"undecided: {_doubt(threshold, number)}"
    return undecided if result.status is Status.UNDECIDED else f"{by_point}; {undecided}"


def level_text(result: Result) -> str:
    """How far the number can be trusted; empty where there is none."""
    return result.measurement.level.value if result.measurement else ""


def _value(threshold: Threshold, number: Measurement, *, plausible: bool) -> str:
    """A number in the bound's unit where that is exact and short, else in its own."""
    if not plausible or not comparable(threshold, number.unit):
        return own(number)
    value = exact(number.value, number.unit)
    written = _numeral_in(number.unit, value, threshold)
    if is_decimal(value / threshold.unit.factor):
        converted = _numeral_in(threshold.unit, value, threshold)
        if len(converted) <= max(SHORT, len(written)):
            return with_unit(converted, threshold.unit)
    return with_unit(written, number.unit)


def _numeral_in(unit: Unit, value: Fraction, threshold: Threshold) -> str:
    bound = exact(threshold.value, threshold.unit)
    return numeral(value / unit.factor, beside=bound / unit.factor)


def _met(threshold: Threshold, number: Measurement) -> str:
    value, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    if threshold.op == "==":
        return "met"
    if value == bound:
        return "met, nothing to spare"
    if bound > 0 and threshold.unit.dimension in SHARED:
        share = math.floor(abs(value - bound) / bound * 100)
        return f"met, {grouped(share)} % to spare" if share else "met, less than 1 % to spare"
    return f"met, {_difference(threshold, abs(value - bound))} to spare"


def _doubt(threshold: Threshold, number: Measurement) -> str:
    """Between what the share lies by chance alone (Wilson, 95 %), and how many samples would decide."""
    share, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    n = conditions_of(threshold, number).n or 0
    low, high = (
        numeral(Fraction(end) * POINTS, digits=3) for end in error_bar(threshold, number) or (0.0, 1.0)
    )
    between = f"{grouped(n)} samples say between {low} and {high} %"
    apart = (share - bound) ** 2 * MOST_SAMPLES
    if apart <= Z**2 * bound * (1 - bound):
        return f"{between}, too close to the bound to tell"
    needed = math.ceil(Z**2 * bound * (1 - bound) / (share - bound) ** 2)
    rounded = 10 ** max(0, len(str(needed)) - FEWEST_DIGITS)
    return f"{between}; about {grouped(-(-needed // rounded) * rounded)} would decide"


def _missed(threshold: Threshold, number: Measurement) -> str:
    value, bound = exact(number.value, number.unit), exact(threshold.value, threshold.unit)
    if value == bound:
        limit = with_unit(numeral(bound / threshold.unit.factor), threshold.unit)
        return f"missed: it has to be {ASKS[threshold.op]} {limit}"
    return f"missed by {_difference(threshold, abs(value - bound))}"


def _difference(threshold: Threshold, difference: Fraction) -> str:
    """How far a value lies from the bound: in points where the bound is in percents, else in its unit."""
    unit = threshold.unit
    in_points = unit.text in ("%", "ratio")
    amount = difference * POINTS if in_points else difference / unit.factor
    shown = numeral(amount, digits=FEWEST_DIGITS) if amount >= SMALLEST else "less than 0.000001"
    if not in_points:
        return with_unit(shown, unit)
    return f"{shown} point" if amount == 1 else f"{shown} points"
