"""Working days, held to a naive count."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.workdays import add_working_days, is_working_day, working_days

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def naive(after: date, until: date) -> int:
    days = (after + timedelta(days=n) for n in range(1, (until - after).days + 1))
    return sum(day.weekday() < 5 for day in days)


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        pytest.param(date(2026, 11, 20), date(2026, 11, 20), 0, id="no day has passed"),
        pytest.param(date(2026, 11, 20), date(2026, 11, 22), 0, id="a weekend"),
        pytest.param(date(2026, 11, 20), date(2026, 11, 23), 1, id="Friday to Monday"),
        pytest.param(date(2026, 11, 22), date(2026, 11, 27), 5, id="from a Sunday"),
        pytest.param(date(2026, 11, 23), date(2026, 12, 7), 10, id="two weeks"),
        pytest.param(date(2026, 11, 27), date(2026, 11, 23), 0, id="an earlier day"),
    ],
)
def test_counting(after: date, until: date, expected: int) -> None:
    assert working_days(after, until) == expected


@given(DAYS, st.integers(-10, 800))
def test_counting_agrees_with_a_naive_count(after: date, days: int) -> None:
    until = after + timedelta(days=days)
    assert working_days(after, until) == naive(after, until)


@given(DAYS, st.integers(0, 300))
def test_adding_is_the_first_day_on_which_so_many_have_passed(day: date, count: int) -> None:
    reached = add_working_days(day, count)
    assert working_days(day, reached) == count
    assert count == 0 or is_working_day(reached)
    assert count == 0 or working_days(day, reached - timedelta(days=1)) == count - 1
