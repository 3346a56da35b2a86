"""Working days: Monday to Friday, in UTC."""

from __future__ import annotations

from datetime import date, timedelta

DAYS_A_WEEK = 7
WORKING_DAYS_A_WEEK = 5


def is_working_day(day: date) -> bool:
    """Whether messages may be sent on that day."""
    return day.weekday() < WORKING_DAYS_A_WEEK


def working_days(after: date, until: date) -> int:
    """Count the working days later than `after`, up to and including `until`; 0 where there are none."""
    if until <= after:
        return 0
    weeks, rest = divmod((until - after).days, DAYS_A_WEEK)
    tail = (after + timedelta(days=weeks * DAYS_A_WEEK + n) for n in range(1, rest + 1))
    return weeks * WORKING_DAYS_A_WEEK + sum(map(is_working_day, tail))


def add_working_days(day: date, count: int) -> date:
    """The day on which `count` working days after `day` have passed."""
    weeks, rest = divmod(count, WORKING_DAYS_A_WEEK)
    day += timedelta(days=weeks * DAYS_A_WEEK)
    while rest:
        day += timedelta(days=1)
        rest -= is_working_day(day)
    while count and not is_working_day(day):
        day -= timedelta(days=1)
    return day
