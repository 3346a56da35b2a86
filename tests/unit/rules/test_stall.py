"""When a POC counts as stalled, since when, who is spoken to, and which step is due: as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.model import Signoffs
from service.rules.charter.values import Stop
from service.rules.gate.lifecycle import State
from service.rules.policy.model import NO_POLICY, Limits
from service.rules.stall.stalls import (
    Cause,
    EscalationStep,
    Stall,
    StallFacts,
    addressed,
    assignee,
    find_stall,
)
from service.rules.stall.waiting_on import Party, PausePeriod, WaitingOn, Wants
from service.rules.values.calendar import USUAL, Calendar, Freeze
from tests.unit.rules.stalls import (
    BLOCKER,
    CHARTER,
    FRIDAY,
    MONDAY,
    OWNER,
    PLATFORM,
    REVIEWER,
    SIGNER,
    TEAM,
    UNNAMED,
    at,
    charter,
    facts,
    no_charter,
)

NOW = at("2026-11-02")
"""Twenty working days later, a Monday as well."""
WAITING, CHARTERED, OWNERS = NO_POLICY.limits.waiting, NO_POLICY.limits.charter, 8


NOBODY = WaitingOn(Party.NOBODY, Wants.NOTHING, MONDAY)


def on(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def days_after(day: date, count: int) -> date:
    return USUAL.add_working_days(day, count)


@pytest.mark.parametrize(
    ("told", "cause", "limit"),
    [
        pytest.param(facts(), Cause.SILENT, OWNERS, id="the owner: 15 % of the plan"),
        pytest.param(facts(waiting_on=SIGNER), Cause.SILENT, WAITING, id="a signer"),
        pytest.param(facts(waiting_on=REVIEWER), Cause.SILENT, WAITING, id="a reviewer"),
        pytest.param(facts(waiting_on=PLATFORM), Cause.SILENT, WAITING, id="platform"),
        pytest.param(facts(waiting_on=BLOCKER), Cause.SILENT, WAITING, id="whoever is assigned to a blocker"),
        pytest.param(no_charter(), Cause.NO_CHARTER, CHARTERED, id="nobody, for there is no charter"),
        pytest.param(no_charter(waiting_on=None), Cause.NO_CHARTER, CHARTERED, id="nothing is known at all"),
        pytest.param(
            no_charter(waiting_on=OWNER), Cause.SILENT, CHARTERED, id="the owner of a proposed charter"
        ),
        pytest.param(
            no_charter(waiting_on=SIGNER), Cause.SILENT, WAITING, id="a signer of a proposed charter"
        ),
        pytest.param(
            facts(policy=replace(NO_POLICY, limits=Limits(waiting=3)), waiting_on=SIGNER),
            Cause.SILENT,
            3,
            id="as the policy says",
        ),
    ],
)
def test_a_silent_party_climbs_at_one_two_and_three_limits(
    told: StallFacts, cause: Cause, limit: int
) -> None:
    since = MONDAY.date()
    for rung in EscalationStep:
        due = days_after(since, limit * rung)
        expected = Stall(cause, told.waiting_on, since, limit, rung, due)
        assert find_stall(told, on(due)) == expected
        before = find_stall(told, on(due - timedelta(days=1)))
        assert before is None if rung is EscalationStep.ISSUE else before and before.rung == rung - 1
    assert find_stall(told, on(due)) == find_stall(told, on(days_after(since, limit * 4)))


@pytest.mark.parametrize(
    ("ship_by", "limit"),
    [
        pytest.param(days_after(MONDAY.date(), 46), 7, id="46 planned days: seven at least"),
        pytest.param(days_after(MONDAY.date(), 54), 8, id="54 planned days: 15 % is eight"),
        pytest.param(days_after(MONDAY.date(), 100), 15, id="100 planned days: fifteen"),
        pytest.param(days_after(MONDAY.date(), 133), 20, id="133 planned days: twenty"),
        pytest.param(date(2030, 1, 1), 20, id="years of plan: twenty at most"),
        pytest.param(None, 7, id="no ship date that could be read: seven"),
    ],
)
def test_the_owners_limit_is_a_share_of_the_plan(ship_by: date | None, limit: int) -> None:
    stall = find_stall(facts(charter=charter(ship_by=ship_by)), NOW)
    assert stall is not None
    assert (stall.cause, stall.limit) == (Cause.SILENT, limit)


@pytest.mark.parametrize(
    ("told", "since"),
    [
        pytest.param(facts(), "2026-10-05", id="from when the ball was given"),
        pytest.param(facts(acted_at=at("2026-10-14")), "2026-10-14", id="from the holder's last deed"),
        pytest.param(
            facts(waiting_on=SIGNER, activity_at=at("2026-10-14")), "2026-10-05", id="not from others' deeds"
        ),
        pytest.param(facts(acted_at=at("2026-10-01")), "2026-10-05", id="not from before they had it"),
        pytest.param(
            facts(registered_at=at("2026-10-16")), "2026-10-16", id="not from before we were there to see"
        ),
        pytest.param(
            facts(rest=PausePeriod(date(2026, 10, 6), date(2026, 10, 18), "data")),
            "2026-10-18",
            id="from the last day of a rest",
        ),
        pytest.param(
            facts(rest=PausePeriod(date(2026, 11, 3), date(2026, 11, 9), "data")),
            "2026-10-05",
            id="a rest that has not begun changes nothing",
        ),
        pytest.param(
            no_charter(activity_at=at("2026-10-16"), acted_at=at("2026-10-16")),
            "2026-10-05",
            id="work without a charter is no charter",
        ),
        pytest.param(
            no_charter(charter_changed_at=at("2026-10-12")), "2026-10-12", id="from when it was taken away"
        ),
    ],
)
def test_since_when_it_counts(told: StallFacts, since: str) -> None:
    stall = find_stall(told, NOW)
    assert stall is not None
    assert stall.since == date.fromisoformat(since)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(facts(is_poc=False), id="no POC"),
        pytest.param(facts(dormant=True), id="dormant"),
        pytest.param(no_charter(dormant=True), id="dormant without a charter"),
        pytest.param(facts(archived=True), id="archived"),
        pytest.param(facts(state=State.SHIPPED), id="shipped, by its state"),
        pytest.param(facts(shipped_at=at("2026-10-06")), id="shipped"),
        pytest.param(facts(state=State.STOPPED), id="stopped, by its state"),
        pytest.param(facts(charter=charter(stopped=Stop(NOW.date(), "slow"))), id="stopped by its charter"),
        pytest.param(facts(waiting_on=NOBODY), id="paused: nobody has the ball"),
        pytest.param(
            facts(rest=PausePeriod(date(2026, 10, 6), NOW.date(), "data")),
            id="snoozed, today for the last time",
        ),
        pytest.param(facts(rest=PausePeriod(NOW.date(), date(2026, 12, 1), "data")), id="snoozed from today"),
        pytest.param(facts(acted_at=at("2026-10-30")), id="at work on Friday"),
        pytest.param(
            facts(charter=charter(ship_by=date(2026, 10, 9)), shipped_at=at("2026-10-20")),
            id="shipped after its date",
        ),
        pytest.param(
            facts(
                charter=charter(ship_by=date(2026, 10, 9)),
                rest=PausePeriod(date(2026, 10, 12), date(2026, 11, 30), "data"),
            ),
            id="overdue and paused",
        ),
        pytest.param(facts(owner_gone=True, owner_since=NOW), id="an owner who left today"),
        pytest.param(facts(charter=charter(ship_by=NOW.date()), acted_at=NOW), id="it ships today"),
    ],
)
def test_nobody_is_reminded(told: StallFacts) -> None:
    assert find_stall(told, NOW) is None


OVERDUE = facts(charter=charter(ship_by=FRIDAY))


@pytest.mark.parametrize(
    ("told", "second", "third"),
    [
        pytest.param(OVERDUE, "2026-10-26", "2026-11-02", id="nobody does anything"),
        pytest.param(
            replace(OVERDUE, acted_at=at("2026-10-15")), "2026-10-26", "2026-11-02", id="a deed before it"
        ),
        pytest.param(
            replace(OVERDUE, activity_at=at("2026-10-21")),
            "2026-10-28",
            "2026-11-02",
            id="a deed puts the next step off until a limit after it",
        ),
        pytest.param(
            replace(OVERDUE, acted_at=at("2026-10-28")),
            "2026-11-02",
            "2026-11-04",
            id="by one limit at most, and the one after it too",
        ),
        pytest.param(
            replace(OVERDUE, registered_at=at("2026-10-19")),
            "2026-10-27",
            "2026-11-03",
            id="counted from when we came",
        ),
    ],
)
def test_overdue_is_a_state_of_its_own(told: StallFacts, second: str, third: str) -> None:
    first = days_after(max(FRIDAY, told.registered_at.date()), 1)
    assert find_stall(told, on(first - timedelta(days=1))) is None
    for rung, due in (
        (EscalationStep.ISSUE, first),
        *zip((EscalationStep.LEAD, EscalationStep.DECISION), days(second, third), strict=True),
    ):
        stall = find_stall(told, on(due))
        assert stall is not None
        assert (stall.cause, stall.rung, stall.due) == (Cause.OVERDUE, rung, due)
        before = find_stall(told, on(due - timedelta(days=1)))
        assert before is None or before.rung < rung


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


def test_overdue_stays_whatever_anybody_does() -> None:
    for passed in range(1, 60):
        today = on(days_after(FRIDAY, passed))
        stall = find_stall(replace(OVERDUE, acted_at=today, activity_at=today), today)
        assert stall is not None
        assert stall.cause is Cause.OVERDUE


def test_overdue_without_an_owner_is_a_missing_charter() -> None:
    stall = find_stall(facts(waiting_on=UNNAMED, charter=charter(ship_by=FRIDAY, owner=None)), NOW)
    assert stall is not None
    assert stall.cause is Cause.NO_CHARTER


def test_an_owner_who_left_is_told_of_on_the_next_working_day() -> None:
    left = facts(owner_gone=True, owner_since=at("2026-10-23"), acted_at=at("2026-10-30"))
    assert find_stall(left, at("2026-10-25")) is None
    for rung, due in zip(EscalationStep, days("2026-10-26", "2026-11-02", "2026-11-09"), strict=True):
        stall = find_stall(left, on(due))
        assert stall == Stall(Cause.OWNER_GONE, OWNER, date(2026, 10, 23), WAITING, rung, due)


def test_an_owner_who_left_is_told_of_before_a_ship_date_that_passed() -> None:
    late = facts(owner_gone=True, owner_since=MONDAY, charter=charter(ship_by=date(2026, 10, 9)))
    stall = find_stall(late, NOW)
    assert stall is not None
    assert stall.cause is Cause.OWNER_GONE


def test_while_somebody_else_has_the_ball_an_owner_who_left_holds_nothing_up() -> None:
    stall = find_stall(facts(waiting_on=SIGNER, owner_gone=True, owner_since=MONDAY), NOW)
    assert stall is not None
    assert stall.cause is Cause.SILENT


def test_days_are_those_of_the_organisation() -> None:
    auckland = Calendar(
        frozenset({4, 5}), (Freeze(date(2026, 10, 12), date(2026, 10, 18)),), ZoneInfo("Pacific/Auckland")
    )
    told = facts(
        waiting_on=SIGNER, policy=replace(NO_POLICY, calendar=auckland), acted_at=at("2026-10-05", 20)
    )
    stall = find_stall(told, NOW)
    assert stall is not None
    assert stall.since == date(2026, 10, 6)
    assert stall.due.weekday() not in (4, 5)
    first = date(2026, 10, 20)  # two days, a weekend, a frozen week, and then two days
    assert find_stall(told, datetime(2026, 10, 19, 10, tzinfo=UTC)) is None
    found = find_stall(told, datetime(2026, 10, 19, 11, tzinfo=UTC))
    assert found is not None
    assert found.due == first


@pytest.mark.parametrize(
    ("told", "person", "given_to"),
    [
        pytest.param(facts(), "jane-doe", "jane-doe", id="the owner"),
        pytest.param(facts(waiting_on=SIGNER), "dan-w", "dan-w", id="the signer"),
        pytest.param(facts(waiting_on=TEAM), "acme/ml", None, id="a team, which no issue can be given to"),
        pytest.param(facts(waiting_on=BLOCKER), "jane-doe", "jane-doe", id="nobody is assigned: the owner"),
        pytest.param(
            facts(waiting_on=replace(BLOCKER, people=("gus-i",))), "gus-i", "gus-i", id="the assignee"
        ),
        pytest.param(no_charter(), None, None, id="nobody is named"),
        pytest.param(
            facts(owner_gone=True, owner_since=MONDAY), "carol-s", "carol-s", id="the owner is gone: product"
        ),
        pytest.param(
            facts(owner_gone=True, owner_since=MONDAY, charter=replace(CHARTER, signoffs=Signoffs())),
            None,
            None,
            id="the owner is gone, and nobody signs for product",
        ),
    ],
)
def test_who_is_spoken_to(told: StallFacts, person: str | None, given_to: str | None) -> None:
    stall = find_stall(told, NOW)
    assert stall is not None
    assert addressed(stall, told.charter) == person
    assert assignee(stall, told.charter) == given_to


MOMENTS = st.datetimes(datetime(2026, 8, 1), datetime(2027, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001
BALLS = st.sampled_from([None, OWNER, SIGNER, REVIEWER, PLATFORM, BLOCKER, UNNAMED, NOBODY])
RESTS = st.none() | st.builds(
    lambda first, length: PausePeriod(first.date(), first.date() + timedelta(days=length), "data"),
    MOMENTS,
    st.integers(0, 60),
)


@given(
    waiting_on=BALLS,
    charter=st.sampled_from([None, CHARTER, charter(ship_by=FRIDAY), charter(owner=None)]),
    acted_at=st.none() | MOMENTS,
    activity_at=st.none() | MOMENTS,
    rest=RESTS,
    owner_gone=st.booleans(),
    owner_since=st.none() | MOMENTS,
    now=MOMENTS,
)
def test_what_holds_whatever_the_facts(now: datetime, **changes: Any) -> None:
    told = facts(**changes)
    stall, today = find_stall(told, now), now.date()
    if stall is None:
        return
    assert stall.since < stall.due <= today
    assert stall.since >= told.registered_at.date()
    assert USUAL.is_working_day(stall.due)
    assert not (told.rest and told.rest.first <= today <= told.rest.until)
    later = find_stall(told, now + timedelta(days=1))
    if told.rest is None and later is not None and later.cause is stall.cause:
        assert later.rung >= stall.rung
