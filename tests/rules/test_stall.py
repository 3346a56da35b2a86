"""Stalls and the one issue of a POC, as tables: when there is one, and what becomes of the issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.charter.model import Charter, Located, Pause, Stop
from service.rules.facts import IssueState, StallIssue
from service.rules.stall import (
    CHARTER_LIMIT,
    ISSUES_A_DAY,
    LONGEST_LIMIT,
    SHORTEST_LIMIT,
    Cause,
    Stall,
    StallFacts,
    Step,
    decide,
    find_stall,
)
from service.rules.workdays import add_working_days, working_days


def at(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00")


MONDAY = at("2026-10-05")
"""The POC was registered and its charter merged on this day."""
NOW = at("2026-11-02")
"""Twenty working days later, a Monday as well."""
SUNDAY = at("2026-11-01")


def charter(**fields: Any) -> Charter:
    owner = Located("jane-doe", 8, 8)
    return replace(Charter(line=6, owner=owner, ship_by=Located(date(2026, 12, 18), 9, 10)), **fields)


PAUSED = charter(paused=Located(Pause(NOW.date(), "waits for data"), 30, 9))
PAUSE_LONG_OVER = charter(paused=Located(Pause(at("2026-10-16").date(), "waits for data"), 30, 9))
PAUSE_OVER = charter(paused=Located(Pause(SUNDAY.date(), "waits for data"), 30, 9))
STOPPED = charter(stopped=Located(Stop(NOW.date(), "too slow"), 30, 10))
OPEN_ISSUE = StallIssue(5, IssueState.OPEN, "digest", at("2026-10-20"), closed_by_us=False)
SEEN = replace(OPEN_ISSUE, state=IssueState.CLOSED)
CLOSED_BY_US = replace(SEEN, closed_by_us=True)
BEING_OPENED = StallIssue(None, IssueState.OPEN, "", None, closed_by_us=False)
GONE = replace(OPEN_ISSUE, state=IssueState.GONE)


def facts(**changes: Any) -> StallFacts:
    """A POC with a charter whose owner has done nothing since it was merged."""
    silent = StallFacts(
        is_poc=True,
        dormant=False,
        has_issues=True,
        registered_at=MONDAY,
        charter=charter(),
        chartered_at=MONDAY,
        charter_changed_at=MONDAY,
        owner_active_at=None,
        issue=None,
    )
    return replace(silent, **changes)


def no_charter(**changes: Any) -> StallFacts:
    return facts(charter=None, chartered_at=None, charter_changed_at=None, **changes)


@pytest.mark.parametrize(
    ("ship_by", "limit"),
    [
        pytest.param(date(2026, 10, 5), SHORTEST_LIMIT, id="ships the day it began: seven at least"),
        pytest.param(date(2026, 9, 1), SHORTEST_LIMIT, id="should have shipped before: seven at least"),
        pytest.param(add_working_days(MONDAY.date(), 46), SHORTEST_LIMIT, id="46 planned days: seven"),
        pytest.param(add_working_days(MONDAY.date(), 54), 8, id="54 planned days: 15 % is eight"),
        pytest.param(add_working_days(MONDAY.date(), 100), 15, id="100 planned days: fifteen"),
        pytest.param(add_working_days(MONDAY.date(), 133), LONGEST_LIMIT, id="133 planned days: twenty"),
        pytest.param(date(2030, 1, 1), LONGEST_LIMIT, id="years of plan: twenty at most"),
        pytest.param(None, SHORTEST_LIMIT, id="no ship date that could be read: seven"),
    ],
)
def test_the_limit_is_a_share_of_the_plan(ship_by: date | None, limit: int) -> None:
    dated = charter(ship_by=Located(ship_by, 9, 10) if ship_by else None)
    due = add_working_days(MONDAY.date(), limit)
    noon = timedelta(hours=12)
    silent = facts(charter=dated)
    day = datetime(due.year, due.month, due.day, tzinfo=UTC)
    assert find_stall(silent, day + noon) == Stall(Cause.OWNER_SILENT, "jane-doe", MONDAY.date(), limit, due)
    assert find_stall(silent, day + noon - timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("told", "since"),
    [
        pytest.param(facts(), "2026-10-05", id="from the charter's merge"),
        pytest.param(facts(owner_active_at=at("2026-10-14")), "2026-10-14", id="from the owner's last work"),
        pytest.param(
            facts(charter_changed_at=at("2026-10-15")), "2026-10-15", id="from the charter's last change"
        ),
        pytest.param(
            facts(registered_at=at("2026-10-16")), "2026-10-16", id="not from before we were there to see"
        ),
        pytest.param(facts(charter=PAUSE_LONG_OVER), "2026-10-16", id="from the last day of a pause"),
    ],
)
def test_silence_counts_from_the_last_sign_of_life(told: StallFacts, since: str) -> None:
    stall = find_stall(told, NOW)
    assert stall is not None
    assert (stall.cause, stall.since) == (Cause.OWNER_SILENT, date.fromisoformat(since))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(no_charter(), id="no charter"),
        pytest.param(facts(charter=charter(owner=None)), id="a charter that names no owner"),
        pytest.param(facts(chartered_at=None), id="a charter that was never on the default branch"),
    ],
)
def test_without_a_charter_nobody_has_the_ball(told: StallFacts) -> None:
    due = add_working_days(MONDAY.date(), CHARTER_LIMIT)
    expected = Stall(Cause.NO_CHARTER, None, MONDAY.date(), CHARTER_LIMIT, due)
    assert find_stall(told, NOW) == expected
    assert find_stall(told, at("2026-10-16")) is None
    assert find_stall(told, at("2026-10-19")) == expected


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(facts(is_poc=False), id="no POC"),
        pytest.param(facts(dormant=True), id="dormant"),
        pytest.param(no_charter(dormant=True), id="dormant without a charter"),
        pytest.param(facts(charter=PAUSED), id="paused until today"),
        pytest.param(facts(charter=STOPPED), id="stopped"),
        pytest.param(facts(owner_active_at=at("2026-10-30")), id="the owner was at work on Friday"),
    ],
)
def test_nobody_is_reminded(told: StallFacts) -> None:
    assert find_stall(told, NOW) is None
    assert decide(told, NOW).step is Step.NOTHING
    assert decide(told, NOW).why == "not stalled"


@pytest.mark.parametrize(
    ("told", "now", "step", "why"),
    [
        pytest.param(facts(), NOW, Step.OPEN, "stalled since 2026-10-05", id="stalled for the first time"),
        pytest.param(no_charter(), NOW, Step.OPEN, "stalled since 2026-10-05", id="no charter in time"),
        pytest.param(
            facts(), SUNDAY, Step.NOTHING, "stalled, and today is a day off", id="no message on a day off"
        ),
        pytest.param(
            facts(observe=True), NOW, Step.NOTHING, "stalled, and only observed", id="only observed"
        ),
        pytest.param(
            facts(has_issues=False),
            NOW,
            Step.NOTHING,
            "stalled, and the repository has no issues",
            id="issues are switched off",
        ),
        pytest.param(
            facts(opened_today=ISSUES_A_DAY - 1),
            NOW,
            Step.OPEN,
            "stalled since 2026-10-05",
            id="the fifth new issue of the day",
        ),
        pytest.param(
            facts(opened_today=ISSUES_A_DAY),
            NOW,
            Step.NOTHING,
            "stalled, and the account got its 5 new issues for today",
            id="the sixth new issue of the day waits",
        ),
        pytest.param(
            facts(issue=BEING_OPENED, opened_today=ISSUES_A_DAY),
            NOW,
            Step.OPEN,
            "stalled since 2026-10-05",
            id="one that was being opened is opened, whatever else was",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE), NOW, Step.KEEP, "stalled, and its issue is open", id="stalled and open"
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE),
            SUNDAY,
            Step.KEEP,
            "stalled, and its issue is open",
            id="open on a day off",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, owner_active_at=at("2026-10-30")),
            NOW,
            Step.CLOSE,
            "it moves again",
            id="the owner worked after it was opened",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, charter=PAUSED, charter_changed_at=NOW),
            NOW,
            Step.CLOSE,
            "it moves again",
            id="paused after it was opened",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, charter=STOPPED, charter_changed_at=NOW),
            NOW,
            Step.CLOSE,
            "it moves again",
            id="stopped after it was opened",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, charter_changed_at=at("2026-10-30"), chartered_at=at("2026-10-30")),
            NOW,
            Step.CLOSE,
            "it moves again",
            id="it was about the charter, which came",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, owner_active_at=at("2026-10-30")),
            SUNDAY,
            Step.CLOSE,
            "it moves again",
            id="closing pings nobody, so a day off does not matter",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE),
            at("2026-10-06"),
            Step.KEEP,
            "stalled, and its issue is open",
            id="an earlier clock closes nothing",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, owner_active_at=at("2026-10-19")),
            at("2026-10-20"),
            Step.KEEP,
            "stalled, and its issue is open",
            id="work from before its opening closes nothing",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, is_poc=False),
            NOW,
            Step.CLOSE,
            "no POC any more",
            id="the topic was taken away",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, observe=True, owner_active_at=at("2026-10-30")),
            NOW,
            Step.NOTHING,
            "its issue is left as it is: only observed",
            id="observing touches no issue",
        ),
        pytest.param(
            facts(issue=OPEN_ISSUE, archived=True, is_poc=False),
            NOW,
            Step.NOTHING,
            "its issue is left as it is: the repository is archived",
            id="an archived repository takes no writes",
        ),
        pytest.param(
            facts(issue=SEEN),
            NOW,
            Step.NOTHING,
            "stalled, and its issue was closed by a person: seen",
            id="closed by a person, and nothing moved",
        ),
        pytest.param(
            facts(issue=SEEN, owner_active_at=at("2026-10-21")),
            NOW,
            Step.REOPEN,
            "stalled again since 2026-10-21",
            id="closed by a person, moved, and stalled again",
        ),
        pytest.param(
            facts(issue=CLOSED_BY_US, owner_active_at=at("2026-10-21")),
            NOW,
            Step.REOPEN,
            "stalled again since 2026-10-21",
            id="closed by us, and stalled again",
        ),
        pytest.param(
            facts(issue=CLOSED_BY_US, owner_active_at=at("2026-10-20", 12)),
            SUNDAY,
            Step.NOTHING,
            "stalled, and today is a day off",
            id="nothing is reopened on a day off",
        ),
        pytest.param(
            facts(issue=CLOSED_BY_US, owner_active_at=at("2026-10-21"), opened_today=ISSUES_A_DAY),
            NOW,
            Step.REOPEN,
            "stalled again since 2026-10-21",
            id="reopening is no new issue",
        ),
        pytest.param(
            facts(issue=CLOSED_BY_US, owner_active_at=at("2026-10-30")),
            NOW,
            Step.NOTHING,
            "not stalled",
            id="closed by us, and moving",
        ),
        pytest.param(
            facts(issue=GONE),
            NOW,
            Step.NOTHING,
            "its issue was deleted or transferred: it gets no other",
            id="deleted or transferred: never a second one",
        ),
        pytest.param(
            facts(issue=GONE, is_poc=False),
            NOW,
            Step.NOTHING,
            "its issue was deleted or transferred: it gets no other",
            id="deleted, and no POC any more",
        ),
    ],
)
def test_what_becomes_of_the_issue(told: StallFacts, now: datetime, step: Step, why: str) -> None:
    decision = decide(told, now)
    assert (decision.step, decision.why) == (step, why)
    assert (decision.stall is not None) or step in (Step.NOTHING, Step.CLOSE, Step.KEEP)


ISSUES = st.sampled_from([None, OPEN_ISSUE, SEEN, CLOSED_BY_US, BEING_OPENED, GONE])
FIRST, LAST = datetime(2026, 8, 1), datetime(2027, 2, 1)  # noqa: DTZ001 - Hypothesis adds the zone
CHARTERS = st.sampled_from([None, charter(), charter(owner=None), PAUSED, PAUSE_OVER, STOPPED])
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(
    issue=ISSUES,
    charter=CHARTERS,
    owner_active_at=st.none() | MOMENTS,
    charter_changed_at=st.none() | MOMENTS,
    now=MOMENTS,
    observe=st.booleans(),
    opened_today=st.integers(0, 7),
)
def test_what_holds_whatever_the_facts(now: datetime, **changes: Any) -> None:
    told = facts(**changes)
    decision, stall = decide(told, now), find_stall(told, now)
    speaks = decision.step in (Step.OPEN, Step.REOPEN)
    assert not speaks or (stall is not None and now.weekday() < 5 and not told.observe)
    assert decision.step is not Step.OPEN or told.issue is None or told.issue.number is None
    assert decision.step is not Step.CLOSE or told.issue is not None
    if stall is not None:
        assert SHORTEST_LIMIT <= stall.limit <= LONGEST_LIMIT
        assert stall.due <= now.date()
        assert working_days(stall.since, stall.due) == stall.limit
