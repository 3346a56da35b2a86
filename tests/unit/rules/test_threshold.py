"""The grammar of thresholds, its units, and what a line is told that is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.lines import read_threshold
from service.rules.charter.quantity import Quantity, Refusal, parse_duration, parse_quantity
from service.rules.charter.threshold import Threshold, parse_threshold


def threshold(text: str) -> Threshold:
    read = parse_threshold(text, 3, 5)
    assert isinstance(read, Threshold), read
    return read


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("latency_p95 <= 300 ms", "0.3", "s"),
        ("latency_p95 <= 0.3 s", "0.3", "s"),
        ("latency_p95<=300ms", "0.3", "s"),
        ("latency_p95 ≤ 250 µs", "0.00025", "s"),
        ("batch_duration < 2 hours", "7200", "s"),
        ("accuracy >= 92 %", "0.92", "ratio"),
        ("accuracy ≥ 0.92", "0.92", ""),
        ("accuracy >= 0.92 ratio", "0.92", "ratio"),
        ("cost_per_request < $0.02", "0.02", "USD"),
        ("cost_per_request < 0.02 USD", "0.02", "USD"),
        ("cost_per_month <= €900/month", "900", "EUR/month"),
        ("throughput >= 50 req/s", "50", "request/s"),
        ("throughput >= 3000 requests / min", "50", "request/s"),
        ("memory_peak <= 2 GiB", "2147483648", "B"),
        ("data_volume >= 4 GB/day", str(Decimal(4_000_000_000) / 86400), "B/s"),
        ("tokens_per_request <= 900 tokens", "900", "token"),
        ("queries_seen >= 3 queries", "3", "query"),
        ("delta >= -0.5 %", "-0.005", "ratio"),
    ],
)
def test_a_bound_is_read_in_canonical_units(text: str, value: str, unit: str) -> None:
    read = threshold(text)
    assert read.canonical_unit == unit
    assert abs(read.canonical_value - Decimal(value)) < Decimal("1e-20")


def test_clauses_come_in_any_order() -> None:
    read = threshold("accuracy >= 92 % with n >= 2000 for eu at 50 req/s over 7 d on tickets-2026q3")
    expected = {"n": "2000", "for": "eu", "at": "50 req/s", "over": "7 d", "on": "tickets-2026q3"}
    assert dict(read.clauses) == expected
    assert (read.line, read.column) == (3, 5)
    assert hash(read) == hash(threshold(read.text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fast",
        "x",
        "<= 3",
        "Accuracy >= 3 %",
        "a = 3",
        "a >= b",
        "a >= 1,5 s",
        "a >= 3 k",
        "a >= 3 rps",
        "a >= 3 s/%",
        "a >= $3 EUR",
        "a >= 3 s/s/s",
        "a >= 3 s at dawn",
        "a >= 3 s on two words",
        "a >= 3 s on x on y",
        "a >= 1.2.3 s",
        "a >= 3 month",
        "a >= 3 s with m >= 4",
        "a >= 3 s over 0 d",
        f"a >= {'9' * 40}",
        "a >= 3 s " + "on x" * 99,
    ],
)
def test_what_is_no_threshold_is_refused(text: str) -> None:
    assert isinstance(parse_threshold(text), Refusal)
    told = read_threshold(text)
    assert isinstance(told, Refusal)
    assert told.message


@given(st.text(max_size=320))
def test_no_line_raises(text: str) -> None:
    read_threshold(text)
    parse_quantity(text)


@given(
    st.sampled_from(["latency_p95", "f1", "m"]),
    st.sampled_from(["<=", "<", ">=", ">", "=="]),
    st.decimals(min_value=0, max_value=10**9, places=4),
    st.sampled_from(["", " ms", " %", " USD", " req/s", " GB/day", " tickets/week"]),
    st.sampled_from(["", " on x", " with n >= 7 over 3 d", " at 50 req/s for eu"]),
)
def test_what_is_printed_reads_back_the_same(
    metric: str, op: str, value: Decimal, unit: str, clauses: str
) -> None:
    read = threshold(f"{metric} {op} {value:f}{unit}{clauses}")
    again = threshold(read.printed)
    assert (again.key, again.op, again.value, again.unit) == (read.key, read.op, read.value, read.unit)
    assert again.clauses == read.clauses


@given(st.decimals(min_value=0, max_value=10**6, places=3))
def test_units_of_one_meaning_make_equal_numbers(value: Decimal) -> None:
    pairs = (
        ("s", "ms", 1000),
        ("min", "s", 60),
        ("req/s", "req/min", 60),
        ("ratio", "%", 100),
        ("tickets/h", "tickets/d", 24),
    )
    for large, small, factor in pairs:
        one, other = parse_quantity(f"{value:f} {large}"), parse_quantity(f"{value * factor:f} {small}")
        assert isinstance(one, Quantity)
        assert isinstance(other, Quantity)
        assert (one.canonical_value, one.canonical_unit) == (other.canonical_value, other.canonical_unit)


@given(st.decimals(min_value=0, max_value=10**6, places=3), st.sampled_from(["<=", ">", "=="]))
def test_a_bound_is_the_same_in_every_unit(value: Decimal, op: str) -> None:
    for one, other in (
        (f"latency_p95 {op} {value:f} s", f"p95_latency {op} {value * 1000:f} ms"),
        (f"accuracy {op} {value:f} %", f"accuracy {op} {value / 100:f} ratio"),
        (f"error_rate {op} {value:f} ratio", f"error_rate {op} {value * 10**6:f} ppm"),
        (
            f"throughput {op} {value:f} req/s at 1 req/s",
            f"throughput {op} {value * 60:f} req/min at 60 req/min",
        ),
        (f"memory_peak {op} {value:f} GiB", f"memory_peak {op} {value * 1024:f} MiB"),
    ):
        first, second = threshold(one), threshold(other)
        assert first.canonical_value == second.canonical_value
        assert (first.canonical_unit, first.key, first.op) == (second.canonical_unit, second.key, second.op)


@pytest.mark.parametrize("text", ["10 min", "90 s", "2 hours", "1 day"])
def test_a_duration_is_a_time(text: str) -> None:
    assert isinstance(parse_duration(text), Quantity)


@pytest.mark.parametrize("text", ["10", "0 min", "10 req", "soon", "10 min/day"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert isinstance(parse_duration(text), Refusal)
