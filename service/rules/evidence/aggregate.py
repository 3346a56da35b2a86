"""One number out of many, exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from service.rules.charter.quantity import EXACT, ROUNDED


def mean(values: Sequence[Decimal]) -> Decimal:
    """The arithmetic mean; rounded once, to 34 digits, where it has no end."""
    return ROUNDED.divide(total(values), Decimal(len(values)))


def total(values: Sequence[Decimal]) -> Decimal:
    """The sum."""
    result = Decimal(0)
    for value in values:
        result = EXACT.add(result, value)
    return result


def rate(values: Sequence[Decimal]) -> Decimal:
    """The share of values that are not zero: of `true` among true and false."""
    return ROUNDED.divide(Decimal(sum(1 for value in values if value)), Decimal(len(values)))


def percentile(values: Sequence[Decimal], percent: int) -> Decimal:
    """The percentile by linear interpolation between the two values next to rank `percent` of n - 1.

    This is what k6 reports (`TrendSink.P`, metrics/sink.go) and what NumPy and pandas do where nothing else
    is asked for: definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
    Statistician 50 (1996). The nearest rank, which other tools take, differs by at most one step of the
    sorted values.
    """
    ordered = sorted(values)
    low, rest = divmod(percent * (len(ordered) - 1), 100)
    if not rest:
        return ordered[low]
    step = EXACT.subtract(ordered[low + 1], ordered[low])
    return EXACT.add(ordered[low], EXACT.multiply(step, Decimal(rest).scaleb(-2)))


AGGREGATES: dict[str, Callable[[Sequence[Decimal]], Decimal]] = {
    "mean": mean,
    "p50": lambda values: percentile(values, 50),
    "p95": lambda values: percentile(values, 95),
    "p99": lambda values: percentile(values, 99),
    "min": min,
    "max": max,
    "sum": total,
    "rate": rate,
}
