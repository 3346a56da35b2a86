"""Aggregates: exact, and the percentiles that load tools report."""

from __future__ import annotations

import statistics
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.evidence import AGGREGATES as WRITTEN
from service.rules.evidence.reading import AGGREGATES

VALUES = st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=6), min_size=1, max_size=40)


def decimals(*values: float | str) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


def test_there_is_one_for_each_that_a_line_may_name() -> None:
    assert set(AGGREGATES) == set(WRITTEN)


@pytest.mark.parametrize(
    ("name", "values", "result"),
    [
        # numpy.percentile([15, 20, 35, 40, 50], q) and k6's TrendSink.P
        ("p50", (50, 15, 40, 20, 35), "35"),
        ("p95", (50, 15, 40, 20, 35), "48"),
        ("p99", (50, 15, 40, 20, 35), "49.6"),
        ("p50", (1, 2), "1.5"),
        ("p95", tuple(range(1, 102)), "96"),
        ("p95", tuple(range(1, 101)), "95.05"),
        ("p99", tuple(range(1, 101)), "99.01"),
        ("p95", (0.1, 0.2), "0.195"),
        ("mean", (1, 2), "1.5"),
        ("mean", (1, 1, 2), "1.333333333333333333333333333333333"),
        ("rate", (0, 0.5, -1, 0), "0.5"),
        ("rate", (0, 0), "0"),
        ("sum", ("1e29", "1e-60", "-1e29"), "1e-60"),
    ],
)
def test_an_aggregate(name: str, values: tuple[float | str, ...], result: str) -> None:
    assert AGGREGATES[name](decimals(*values)) == Decimal(result)


@given(VALUES)
def test_all_but_sum_and_rate_lie_between_the_least_and_the_greatest(values: list[Decimal]) -> None:
    least, middle, high, higher, greatest = (
        AGGREGATES[name](values) for name in ("min", "p50", "p95", "p99", "max")
    )
    assert least <= middle <= high <= higher <= greatest
    assert least <= AGGREGATES["mean"](values) <= greatest
    assert 0 <= AGGREGATES["rate"](values) <= 1


@given(VALUES)
def test_order_does_not_matter(values: list[Decimal]) -> None:
    for aggregate in AGGREGATES.values():
        assert aggregate(values) == aggregate(values[::-1])


@given(VALUES.filter(lambda values: len(values) > 1))
def test_sum_and_percentiles_are_exact(values: list[Decimal]) -> None:
    assert Fraction(AGGREGATES["sum"](values)) == sum(map(Fraction, values))
    cuts = statistics.quantiles(map(Fraction, values), n=100, method="inclusive")
    for name, percent in (("p50", 50), ("p95", 95), ("p99", 99)):
        assert Fraction(AGGREGATES[name](values)) == cuts[percent - 1]
