"""What a digest tells of: the present, what happened since the last one, in which order, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from service.rules.digest.week import Digest, LastDigest, PocLine, digest, is_time, week_of
from service.rules.gate.lifecycle import State
from service.rules.stall.stalls import Cause
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.calendar import USUAL, Calendar, Freeze
from service.rules.values.groups import Group

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
LONG_AGO = MONDAY - timedelta(days=200)
DAY = timedelta(days=1)


def poc(number: int = 1, state: State = State.BUILDING, **more: object) -> PocLine:
    line = PocLine(number, f"acme/poc-{number:02}", state, LONG_AGO, LONG_AGO)
    return replace(line, **more)  # type: ignore[arg-type]


def waiting_on(party: Party = Party.SIGNER, *people: str, days: int = 20, **more: object) -> WaitingOn:
    made = WaitingOn(party, Wants.SHIP_SIGNATURE, MONDAY - days * DAY, people)
    return replace(made, **more)  # type: ignore[arg-type]


def stalled(number: int = 1, **more: object) -> PocLine:
    line = poc(number, stalled_since=date(2026, 11, 9), cause=Cause.SILENT, rung=2, waiting_on=waiting_on())
    return replace(line, **more)  # type: ignore[arg-type]


def told(found: Digest | None) -> list[str]:
    return sorted(found.told) if found else []


# The window


@pytest.mark.parametrize(
    ("happened", "last", "expected"),
    [
        pytest.param(6.9, None, True, id="the first digest tells of a week"),
        pytest.param(7.1, None, False, id="and of no more"),
        pytest.param(10, 11, True, id="a week was skipped: back to the last one"),
        pytest.param(2.9, 3, True, id="the last one was late: only what came after it"),
        pytest.param(3.1, 3, False, id="told by the last one, so not again"),
        pytest.param(27, 60, True, id="four weeks are told of"),
        pytest.param(29, 60, False, id="at most"),
        pytest.param(-0.1, 7, False, id="what is yet to come is for the next"),
    ],
)
def test_what_happened_since_the_last_digest(happened: float, last: float | None, expected: bool) -> None:
    at = MONDAY - happened * DAY
    before = None if last is None else LastDigest(MONDAY - last * DAY)
    found = [
        digest([poc(state=State.SHIPPED, state_since=at)], MONDAY, USUAL, before),
        digest([poc(state=State.STOPPED, state_since=at)], MONDAY, USUAL, before),
        digest([poc(registered_at=at)], MONDAY, USUAL, before),
    ]
    assert [bool(each) for each in found] == [expected] * 3


def test_two_digests_at_any_two_moments_tell_each_thing_once() -> None:
    pocs = [poc(n, State.SHIPPED, state_since=MONDAY + n * timedelta(hours=7)) for n in range(1, 40)]
    heard: list[str] = []
    last: LastDigest | None = LastDigest(MONDAY)
    for days in (1.3, 4, 4.2, 10, 14):
        now = MONDAY + days * DAY
        found = digest(pocs, now, USUAL, last)
        heard += told(found)
        last = LastDigest(now, found.told) if found else last
    assert sorted(heard) == sorted(f"shipped:{n}" for n in range(1, 40))


def test_what_was_stored_a_little_late_is_not_lost_and_not_told_twice() -> None:
    last = LastDigest(MONDAY - 7 * DAY, frozenset({"shipped:1"}))
    seen_before = last.at - timedelta(minutes=2)
    pocs = [poc(n, State.SHIPPED, state_since=seen_before) for n in (1, 2)]
    assert told(digest(pocs, MONDAY, USUAL, last)) == ["shipped:2"]


def test_the_day_from_which_on_it_tells_is_the_last_ones() -> None:
    found = digest([stalled()], MONDAY, USUAL, LastDigest(MONDAY - 11 * DAY))
    assert found is not None
    assert found.since == date(2026, 11, 12)


@pytest.mark.parametrize(
    ("now", "more", "expected"),
    [
        pytest.param(True, {}, True, id="somebody worked on it"),
        pytest.param(False, {}, False, id="nobody did: a limit may be another"),
        pytest.param(True, {"resting": True}, False, id="snoozed"),
        pytest.param(True, {"waiting_on": waiting_on(Party.NOBODY)}, False, id="paused"),
        pytest.param(True, {"state": State.STOPPED}, False, id="it has ended"),
        pytest.param(True, {"id": 2}, False, id="it was not told as stalled"),
    ],
)
def test_what_moves_again(now: bool, more: dict[str, object], expected: bool) -> None:
    last = LastDigest(MONDAY - 7 * DAY, frozenset({"stalled:1"}))
    acted_at = MONDAY - (1 if now else 8) * DAY
    line = replace(poc(acted_at=acted_at, waiting_on=waiting_on(Party.OWNER)), **more)  # type: ignore[arg-type]
    found = digest([line], MONDAY, USUAL, last)
    assert bool(found and found.moving) is expected


def test_what_is_stalled_still_is_not_moving() -> None:
    last = LastDigest(MONDAY - 7 * DAY, frozenset({"stalled:1"}))
    found = digest([stalled(acted_at=MONDAY - DAY)], MONDAY, USUAL, last)
    assert found is not None
    assert found.moving == ()


def test_nothing_to_say_is_not_said() -> None:
    assert digest((poc(1), poc(2, State.SHIPPED)), MONDAY, USUAL) is None
    assert digest((), MONDAY, USUAL) is None


# Whose ball it is, and for how long


@pytest.mark.parametrize(
    ("line", "whom", "party", "since", "days"),
    [
        pytest.param(
            stalled(waiting_on=waiting_on(Party.SIGNER, "dan-w", group=Group.DATA_SCIENCE)),
            "data science (dan-w)",
            "data science",
            date(2026, 11, 9),
            10,
            id="a signer, from the day on which silence counts",
        ),
        pytest.param(
            stalled(waiting_on=waiting_on(Party.OWNER, "jane-doe"), stalled_since=date(2026, 11, 20)),
            "owner (jane-doe)",
            "owner",
            date(2026, 11, 20),
            1,
            id="over a weekend",
        ),
        pytest.param(
            stalled(waiting_on=waiting_on(Party.OWNER, "jane-doe"), cause=Cause.OWNER_GONE),
            "a new owner (jane-doe has no access)",
            "a new owner",
            date(2026, 11, 9),
            10,
            id="an owner who left",
        ),
        pytest.param(
            stalled(waiting_on=None, cause=Cause.NO_CHARTER),
            "a charter",
            "a charter",
            date(2026, 11, 9),
            10,
            id="no charter",
        ),
        pytest.param(
            stalled(waiting_on=waiting_on(Party.BLOCKER, about="acme/secret#3")),
            "acme/secret#3",
            "what blocks it",
            date(2026, 11, 9),
            10,
            id="an issue that nobody has",
        ),
        pytest.param(
            stalled(waiting_on=waiting_on(Party.BLOCKER, "bob-m", about="#3")),
            "#3 (bob-m)",
            "what blocks it",
            date(2026, 11, 9),
            10,
            id="an issue that somebody has",
        ),
        pytest.param(
            stalled(
                waiting_on=waiting_on(Party.SIGNER, "dan-w", group=Group.SECURITY, days=4),
                cause=Cause.OVERDUE,
                stalled_since=date(2026, 10, 1),
            ),
            "security (dan-w)",
            "security",
            date(2026, 11, 19),
            2,
            id="past its date: who has the ball is not blamed for the time before",
        ),
        pytest.param(
            stalled(waiting_on=waiting_on(Party.REVIEWER, "a", "b", "c", "d", "e")),
            "reviewer (a, b, c and 2 more)",
            "reviewer",
            date(2026, 11, 9),
            10,
            id="many",
        ),
    ],
)
def test_who_is_waited_for(line: PocLine, whom: str, party: str, since: date, days: int) -> None:
    found = digest([line], MONDAY, USUAL)
    assert found is not None
    (waiting,) = found.stalled
    assert (waiting.whom, waiting.party, waiting.since, waiting.days) == (whom, party, since, days)


def test_days_off_do_not_count() -> None:
    holidays = Calendar(freezes=(Freeze(date(2026, 11, 16), date(2026, 11, 20)),))
    found = digest([stalled()], MONDAY, holidays)
    assert found is not None
    assert found.stalled[0].days == 5


def test_each_list_begins_with_what_waits_longest() -> None:
    lines = [
        stalled(1, stalled_since=date(2026, 11, 10)),
        stalled(2, stalled_since=date(2026, 11, 2)),
        stalled(3, stalled_since=date(2026, 10, 2), rung=3),
        poc(4, ship_by=date(2026, 11, 20), waiting_on=waiting_on(Party.NOBODY)),
        poc(5, ship_by=date(2026, 11, 2)),
        poc(6, State.NONE, ship_by=date(2026, 11, 2)),
    ]
    found = digest(lines, MONDAY, USUAL)
    assert found is not None
    assert [each.poc.id for each in found.decisions] == [3]
    assert [each.poc.id for each in found.stalled] == [2, 1]
    assert [each.poc.id for each in found.overdue] == [5, 4]
    assert [each.whom for each in found.overdue] == ["a charter", "nobody (paused)"]


def test_next_to_ship_are_the_closest_to_production_with_the_nearest_dates() -> None:
    lines = [
        stalled(1),
        poc(2, State.SHIPPING, ship_by=date(2026, 12, 4)),
        poc(3, ship_by=date(2026, 12, 1)),
        poc(4, State.EVALUATING, ship_by=date(2027, 1, 8)),
        poc(5, ship_by=date(2027, 3, 1)),
        poc(6, State.PROPOSED, ship_by=date(2026, 12, 1)),
    ]
    found = digest(lines, MONDAY, USUAL)
    assert found is not None
    assert [each.id for each in found.next_to_ship] == [2, 4, 3]
    assert (found.week, found.active) == ("2026-W48", 6)


# When


@pytest.mark.parametrize(
    ("now", "calendar", "expected"),
    [
        pytest.param(MONDAY, USUAL, True, id="Monday morning"),
        pytest.param(MONDAY.replace(hour=6), USUAL, False, id="too early"),
        pytest.param(MONDAY - DAY, USUAL, False, id="a Sunday"),
        pytest.param(
            MONDAY, Calendar(freezes=(Freeze(date(2026, 11, 23), date(2026, 11, 23)),)), False, id="a freeze"
        ),
        pytest.param(MONDAY + DAY, USUAL, True, id="the next working day will do"),
    ],
)
def test_when_it_is_time(now: datetime, calendar: Calendar, expected: bool) -> None:
    assert is_time(now, calendar) is expected


def test_a_week_is_named_by_iso() -> None:
    assert week_of(date(2027, 1, 3)) == "2026-W53"
    assert week_of(date(2027, 1, 4)) == "2027-W01"
