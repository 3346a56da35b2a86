"""The daily round: when a repository is looked at, and GitHub is asked, although nobody told of anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from service.rules.values.calendar import Calendar

DAY = timedelta(days=1)
SPREAD = 0x9E3779B1, 2**32
"""Multiplied by the one, modulo the other, numbers that follow each other lie far apart and evenly."""


def round_before(now: datetime, repository_id: int) -> datetime:
    """The repository's last round: each has its own moment of the day, so that an hour has a 24th of them."""
    factor, modulus = SPREAD
    offset = DAY * (repository_id * factor % modulus / modulus)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + offset if midnight + offset <= now else midnight + offset - DAY


def is_fresh(asked_at: datetime, now: datetime, repository_id: int) -> bool:
    """Whether what GitHub said then counts until the next round."""
    return asked_at >= round_before(now, repository_id)


def next_look(now: datetime, repository_id: int, calendar: Calendar) -> datetime:
    """When time alone may change what was found: with the next round, or with a new day by UTC or there."""
    days = (calendar.next_day(now), Calendar().next_day(now))
    return min(round_before(now, repository_id) + DAY, *days)
