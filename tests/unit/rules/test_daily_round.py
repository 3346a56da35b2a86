"""The daily round: each repository has its moment of the day, and nothing waits longer for time alone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.rules.values.calendar import USUAL, Calendar
from service.rules.values.daily_round import is_fresh, next_look, round_before

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize("first", [1, 700_000_000], ids=["small ids", "large ids"])
@pytest.mark.parametrize("apart", [1, 10, 24, 1_000], ids=lambda apart: f"{apart} apart")
def test_an_hour_has_a_24th_of_the_repositories(first: int, apart: int) -> None:
    hours = Counter(round_before(NOW, first + apart * n).hour for n in range(2_400))
    assert len(hours) == 24
    assert all(80 <= count <= 120 for count in hours.values()), hours


@pytest.mark.parametrize("repository_id", [1, 2, 3, 5_000_000_000])
def test_a_repositorys_rounds_are_a_day_apart(repository_id: int) -> None:
    last = round_before(NOW, repository_id)
    assert NOW - DAY < last <= NOW
    assert round_before(last, repository_id) == last
    assert round_before(last - SECOND, repository_id) == last - DAY
    assert is_fresh(last, NOW, repository_id)
    assert not is_fresh(last - SECOND, NOW, repository_id)
    assert not is_fresh(NOW, last + DAY, repository_id)


BERLIN, INDIA = Calendar(zone=ZoneInfo("Europe/Berlin")), Calendar(zone=ZoneInfo("Asia/Kolkata"))


@pytest.mark.parametrize(
    ("now", "calendar", "expected"),
    [
        pytest.param("2026-11-23T09:00", USUAL, "2026-11-23T14:49", id="the round of that day"),
        pytest.param("2026-11-23T15:00", USUAL, "2026-11-24T00:00", id="the next day"),
        pytest.param("2026-11-23T15:00", BERLIN, "2026-11-23T23:00", id="the next day there"),
        pytest.param("2026-11-23T23:00", BERLIN, "2026-11-24T00:00", id="the next day by UTC"),
        pytest.param("2026-11-24T00:00", BERLIN, "2026-11-24T14:49", id="after both"),
        pytest.param("2026-11-23T15:00", INDIA, "2026-11-23T18:30", id="a day that begins at half past"),
        pytest.param("2026-10-24T23:00", BERLIN, "2026-10-25T00:00", id="the night with an hour more"),
        pytest.param("2026-10-25T15:00", BERLIN, "2026-10-25T23:00", id="the day with an hour more"),
    ],
)
def test_when_to_look_again(now: str, calendar: Calendar, expected: str) -> None:
    found = next_look(datetime.fromisoformat(now).replace(tzinfo=UTC), 1, calendar)
    assert found.replace(second=0, microsecond=0) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
