"""A simulated year of an org with 60 POCs: what people get to hear, how often, and on which days."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from service.rules.policy.reading import read_policy
from service.rules.stall.time_spent import time_breakdown
from service.rules.values.actions import STALL_LABEL
from service.rules.values.activity import Activity
from service.rules.values.calendar import Calendar
from tests.harness.pocs import poc_id_of
from tests.stories.year.org import FIRST, LAST, POLICY
from tests.stories.year.year import CENTRAL, Life, Year

pytestmark = pytest.mark.slow

MOST_A_MONTH, MOST_A_YEAR = 5, 6
"""Messages to one POC: at most, and on the average."""
OURS = re.compile(r"<!-- poc-governor:(?P<key>[a-z0-9:.-]+) -->")


@dataclass(frozen=True, slots=True)
class Message:
    """Something that people were told: in which repository, under which number, when, and what it was."""

    repository_id: int
    number: int
    at: datetime
    what: str


@pytest.fixture(scope="module")
def year(module_database_url: str) -> Iterator[Year]:
    """The year, after it has passed."""
    played = Year(module_database_url)
    played.begin()
    for day in played.days():
        played.play(day)
        if day.day == 1:
            played.sweep_pocs()
            before = len(played.github.writes)
            played.echo()
            played.settle()
            assert played.github.writes[before:] == [], f"{day}: our own writes made us write"
            played.sweep_pocs()
            assert played.github.writes[before:] == [], f"{day}: a second look wrote"
    yield played
    played.shut_down()


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    policy = read_policy(POLICY.encode()).policy
    assert policy is not None
    return policy.calendar


def messages(year: Year) -> list[Message]:
    """Issues opened and reopened, and comments; answers to commands are no messages of ours."""
    told = []
    for call in year.github.calls:
        if call.repository_id is None:
            continue
        if call.method == "open_issue":
            told.append(Message(call.repository_id, 0, call.at, "opened"))
        if call.method == "edit_issue" and "open" in call.about:
            told.append(Message(call.repository_id, int(str(call.about[0])), call.at, "reopened"))
    for repository_id, repo in year.github.repos.items():
        for comment in repo.comments:
            match = OURS.match(comment.body)
            assert match, comment.body
            if not match["key"].startswith("answer:"):
                told.append(Message(repository_id, comment.number, comment.at, match["key"]))
    return sorted(told, key=lambda message: (message.at, message.repository_id, message.what))


def test_no_poc_has_two_issues(year: Year) -> None:
    homes = year.github.repos
    for life in year.lives:
        ours = [i for i in homes[life.found.id].issues.values() if STALL_LABEL in i.labels]
        assert len(ours) <= 1, life
    named = Counter(
        line
        for issue in homes[CENTRAL].issues.values()
        for line in issue.body.splitlines()
        if "repository " in line
    )
    assert set(named.values()) <= {1}, named


def test_no_step_of_the_ladder_is_said_twice(year: Year) -> None:
    keys = Counter(each.what for each in messages(year) if each.what.startswith("stall:"))
    assert keys, "nobody stalled"
    assert set(keys.values()) == {1}


def test_no_message_on_a_day_off(year: Year, calendar: Calendar) -> None:
    # That a POC has shipped is the answer to a deployment of that day.
    off = [
        each
        for each in messages(year)
        if each.what != "shipped" and not calendar.is_working_day(calendar.day(each.at))
    ]
    assert off == []


def test_every_span_adds_up(year: Year, calendar: Calendar) -> None:
    records = year.services.store
    for life in year.lives:
        waiting = records.poc_records.waiting(poc_id_of(records, life.found.id), life.found.id)
        assert waiting.periods, life
        first, last = life.begins, LAST
        found = time_breakdown(
            waiting.periods,
            [each.period for each in waiting.pauses],
            records.timeline.of(life.found.id),
            first=first,
            last=last,
            calendar=calendar,
        )
        assert found[0].first == first, life
        for one, next_one in pairwise(found):
            assert next_one.first == one.last + timedelta(days=1), life
        covered = sum((span.last - span.first).days + 1 for span in found)
        assert covered == (found[-1].last - first).days + 1, life


def test_only_people_are_in_the_timeline(year: Year) -> None:
    actors = {each.actor for life in year.lives for each in _timeline(year, life)}
    assert actors
    assert not [actor for actor in actors if actor.endswith("[bot]")]


def _timeline(year: Year, life: Life) -> tuple[Activity, ...]:
    return year.services.store.timeline.of(life.found.id)


def test_messages_of_the_year(year: Year) -> None:
    """How many messages each POC got in each month; `pytest -s tests/year` shows the table."""
    table, counted = _table(year), _counted(year)
    print(table)  # noqa: T201 (to be read by whoever tunes the limits)
    assert max(counted.values()) <= MOST_A_MONTH
    assert sum(counted.values()) <= len(year.lives) * MOST_A_YEAR


def _counted(year: Year) -> Counter[tuple[int, int]]:
    """Messages by repository and month."""
    return Counter(
        (each.repository_id, each.at.month) for each in messages(year) if each.repository_id != CENTRAL
    )


def _table(year: Year) -> str:
    counted = _counted(year)
    lines = [f"{FIRST:%Y}: messages by POC and month", ""]
    for life in year.lives:
        months = [counted[life.found.id, month] for month in range(1, 13)]
        row = " ".join(f"{count or '.':>2}" for count in months)
        lines.append(f"{life.name} {row}  {sum(months):>3}  {life.biography}")
    total = sum(counted.values())
    pocs = len(year.lives)
    busiest = max(counted.values())
    lines += [
        "",
        f"{total} messages to {pocs} POCs: {total / pocs / 12:.2f} a POC and month, at most {busiest}",
    ]
    return "\n".join(lines) + "\n"
