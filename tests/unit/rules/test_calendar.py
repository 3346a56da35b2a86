"""Working days of an organisation, held to a naive count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.values.calendar import LONGEST_REST, USUAL, Calendar, Freeze

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
YEAR_END = Freeze(date(2026, 12, 21), date(2027, 1, 3))
FREEZES = st.lists(
    st.builds(lambda first, days: Freeze(first, first + timedelta(days=days)), DAYS, st.integers(0, 60)),
    max_size=4,
)
CALENDARS = st.builds(
    lambda weekend, freezes: Calendar(frozenset(weekend), tuple(freezes)),
    st.sets(st.integers(0, 6), max_size=6),
    FREEZES,
)


def naive(calendar: Calendar, after: date, until: date) -> int:
    days = (after + timedelta(days=n) for n in range(1, (until - after).days + 1))
    return sum(
        day.weekday() not in calendar.weekend and not any(f.first <= day <= f.last for f in calendar.freezes)
        for day in days
    )


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
    assert USUAL.working_days(after, until) == expected


@pytest.mark.parametrize(
    ("calendar", "until", "expected"),
    [
        pytest.param(Calendar(freezes=(YEAR_END,)), date(2027, 1, 4), 1, id="a freeze counts for nothing"),
        pytest.param(Calendar(freezes=(YEAR_END, YEAR_END)), date(2027, 1, 4), 1, id="nor twice"),
        pytest.param(Calendar(weekend=frozenset({4, 5})), date(2026, 12, 25), 5, id="Sunday to Thursday"),
        pytest.param(Calendar(weekend=frozenset()), date(2026, 12, 25), 7, id="no weekend at all"),
    ],
)
def test_an_organisations_own_calendar(calendar: Calendar, until: date, expected: int) -> None:
    assert calendar.working_days(date(2026, 12, 18), until) == expected


@given(CALENDARS, DAYS, st.integers(-10, 800))
def test_counting_agrees_with_a_naive_count(calendar: Calendar, after: date, days: int) -> None:
    until = after + timedelta(days=days)
    assert calendar.working_days(after, until) == naive(calendar, after, until)


@given(CALENDARS, DAYS, st.integers(0, 100))
def test_adding_is_the_first_day_on_which_so_many_have_passed(
    calendar: Calendar, day: date, count: int
) -> None:
    reached = calendar.add_working_days(day, count)
    assert calendar.working_days(day, reached) == count
    assert count == 0 or calendar.is_working_day(reached)
    assert count == 0 or calendar.working_days(day, reached - timedelta(days=1)) == count - 1


def test_a_calendar_of_one_long_freeze_ends_the_search() -> None:
    never = Calendar(freezes=(Freeze(date(2026, 1, 1), date(2199, 12, 31)),))
    day = date(2026, 11, 23)
    assert never.add_working_days(day, 5) == day + timedelta(days=LONGEST_REST)


def test_a_day_begins_where_the_organisation_is() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert USUAL.day(late) == date(2026, 11, 23)
    assert Calendar(zone=ZoneInfo("Europe/Berlin")).day(late) == date(2026, 11, 24)
    assert Calendar(zone=ZoneInfo("America/Los_Angeles")).day(late) == date(2026, 11, 23)
