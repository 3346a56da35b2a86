"""What becomes of the one issue of a POC: as a table, and over random histories."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rules.gate.lifecycle import State
from service.rules.policy.model import NO_POLICY
from service.rules.stall.escalation import decide
from service.rules.stall.stalls import Cause, EscalationStep, StallDecision, StallFacts, Step, assignee
from service.rules.stall.waiting_on import Party, PausePeriod
from service.rules.values.actions import EscalationRecord
from service.rules.values.calendar import USUAL
from service.rules.values.github import IssueState, StallIssue
from tests.unit.rules.stalls import (
    BLOCKER,
    FRIDAY,
    MONDAY,
    OWNER,
    PLATFORM,
    REVIEWER,
    SIGNER,
    TEAM,
    at,
    charter,
    facts,
    no_charter,
)

NOW = at("2026-10-27")
"""Sixteen working days after the POC began: the owner is at the second step."""
FIRST, SECOND, THIRD = at("2026-10-15"), NOW, at("2026-11-06")
"""When the owner's three steps are due, after 8, 16 and 24 working days."""
SUNDAY = at("2026-11-01")
MOST = NO_POLICY.issues_a_day

OPEN = StallIssue(5, IssueState.OPEN, "digest", FIRST, closed_by_us=False, rung=1, assignee="jane-doe")
SEEN = replace(OPEN, state=IssueState.CLOSED)
OURS = replace(SEEN, closed_by_us=True)
GONE = replace(OPEN, state=IssueState.GONE)
BEGUN = StallIssue(None, IssueState.OPEN, "", None, closed_by_us=False)


def escalation(episode: int, rung: int, *, reopened: bool = False) -> EscalationRecord:
    return EscalationRecord(episode, rung, reopened)


def asked(**changes: Any) -> StallFacts:
    """The owner passed the ball to security, which is silent for as long."""
    return facts(waiting_on=SIGNER, **changes)


SAID = "stalled since 2026-10-05"
OF_TODAY = f"stalled, and the account got its {MOST} new issues for today"
TABLE = [
    ("not stalled", facts(), at("2026-10-14"), Step.NOTHING, None, None, "not stalled"),
    ("stalled for the first time", facts(), FIRST, Step.OPEN, None, escalation(1, 1), SAID),
    ("no charter in time", no_charter(), NOW, Step.OPEN, None, escalation(1, 1), SAID),
    ("late for the first step: one message", facts(), THIRD, Step.OPEN, None, escalation(1, 1), SAID),
    ("a day off", facts(), SUNDAY, Step.NOTHING, None, None, "stalled, and today is a day off"),
    ("only observed", facts(observe=True), NOW, Step.NOTHING, None, None, "stalled, and only observed"),
    (
        "nowhere to say it",
        facts(has_home=False),
        NOW,
        Step.NOTHING,
        None,
        None,
        "stalled, and there is no place for its issue",
    ),
    ("archived", facts(archived=True), NOW, Step.NOTHING, None, None, "not stalled"),
    ("the last of the day", facts(opened_today=MOST - 1), NOW, Step.OPEN, None, escalation(1, 1), SAID),
    ("one too many for the day", facts(opened_today=MOST), NOW, Step.NOTHING, None, None, OF_TODAY),
    (
        "the only one of a day",
        facts(opened_today=1, policy=replace(NO_POLICY, issues_a_day=1)),
        NOW,
        Step.NOTHING,
        None,
        None,
        "stalled, and the account got its 1 new issue for today",
    ),
    (
        "begun, and opened whatever else was",
        facts(issue=BEGUN, opened_today=MOST),
        NOW,
        Step.OPEN,
        None,
        escalation(1, 1),
        SAID,
    ),
    (
        "begun after another was gone",
        facts(issue=replace(BEGUN, episode=2, rung=2, reopened=True)),
        NOW,
        Step.OPEN,
        None,
        escalation(2, 2, reopened=True),
        SAID,
    ),
    (
        "open, and nothing new",
        facts(issue=OPEN),
        at("2026-10-26"),
        Step.KEEP,
        None,
        escalation(1, 1),
        "stalled, and its issue is open",
    ),
    (
        "second step",
        facts(issue=OPEN),
        SECOND,
        Step.KEEP,
        EscalationStep.LEAD,
        escalation(1, 2),
        f"{SAID}, step 2",
    ),
    (
        "second step is said",
        facts(issue=replace(OPEN, rung=2)),
        SECOND,
        Step.KEEP,
        None,
        escalation(1, 2),
        "stalled, and its issue is open",
    ),
    (
        "third step",
        facts(issue=replace(OPEN, rung=2)),
        THIRD,
        Step.KEEP,
        EscalationStep.DECISION,
        escalation(1, 3),
        f"{SAID}, step 3",
    ),
    (
        "third step, the second was missed: the highest alone",
        facts(issue=OPEN),
        THIRD,
        Step.KEEP,
        EscalationStep.DECISION,
        escalation(1, 3),
        f"{SAID}, step 3",
    ),
    (
        "no step above the third",
        facts(issue=replace(OPEN, rung=3)),
        at("2026-12-01"),
        Step.KEEP,
        None,
        escalation(1, 3),
        "stalled, and its issue is open",
    ),
    (
        "opened late: a limit for an answer before the next step",
        facts(issue=replace(OPEN, opened_at=at("2026-10-29"))),
        THIRD,
        Step.KEEP,
        None,
        escalation(1, 1),
        "stalled, and its issue is open",
    ),
    (
        "a step on a day off waits",
        facts(issue=OPEN),
        SUNDAY,
        Step.KEEP,
        None,
        escalation(1, 1),
        "its issue is left alone: today is a day off",
    ),
    (
        "passed on, and silent as well: a new episode, in silence",
        asked(issue=OPEN),
        NOW,
        Step.KEEP,
        None,
        escalation(2, 1),
        "stalled anew since 2026-10-05",
    ),
    (
        "passed on, on a day off",
        asked(issue=OPEN),
        SUNDAY,
        Step.KEEP,
        None,
        escalation(1, 1),
        "its issue is left alone: today is a day off",
    ),
    (
        "passed on to a team, later",
        facts(waiting_on=replace(TEAM, since=at("2026-10-19")), issue=OPEN),
        NOW,
        Step.KEEP,
        None,
        escalation(2, 1),
        "stalled anew since 2026-10-19",
    ),
    (
        "from silence into overdue",
        facts(charter=charter(ship_by=date(2026, 10, 23)), issue=replace(OPEN, rung=2)),
        NOW,
        Step.KEEP,
        None,
        escalation(2, 1),
        "stalled anew since 2026-10-23",
    ),
    (
        "the holder worked",
        facts(issue=OPEN, acted_at=at("2026-10-26")),
        NOW,
        Step.CLOSE,
        None,
        escalation(1, 1),
        "it moves again",
    ),
    (
        "the holder worked, and it is a day off: closing tells nobody",
        facts(issue=OPEN, acted_at=at("2026-10-30")),
        SUNDAY,
        Step.CLOSE,
        None,
        escalation(1, 1),
        "it moves again",
    ),
    (
        "the ball moved",
        facts(issue=OPEN, waiting_on=replace(SIGNER, since=at("2026-10-26"))),
        NOW,
        Step.CLOSE,
        None,
        escalation(1, 1),
        "it moves again",
    ),
    (
        "snoozed",
        facts(issue=OPEN, rest=PausePeriod(date(2026, 10, 26), date(2026, 11, 20), "data")),
        NOW,
        Step.CLOSE,
        None,
        escalation(1, 1),
        "it moves again",
    ),
    (
        "the charter came",
        facts(
            issue=OPEN, charter_changed_at=at("2026-10-26"), waiting_on=replace(OWNER, since=at("2026-10-26"))
        ),
        NOW,
        Step.CLOSE,
        None,
        escalation(1, 1),
        "it moves again",
    ),
    (
        "shipped",
        facts(issue=OPEN, shipped_at=at("2026-10-26"), state=State.SHIPPED),
        NOW,
        Step.CLOSE,
        None,
        escalation(1, 1),
        "it moves again",
    ),
    (
        "the owner may write again",
        facts(issue=OPEN, owner_since=at("2026-10-26"), acted_at=at("2026-10-14")),
        at("2026-10-21"),
        Step.CLOSE,
        None,
        escalation(1, 1),
        "it moves again",
    ),
    (
        "not a POC any more",
        facts(issue=OPEN, is_poc=False),
        NOW,
        Step.CLOSE,
        None,
        escalation(1, 1),
        "not a POC any more",
    ),
    (
        "work from before its opening closes nothing",
        facts(issue=OPEN, acted_at=at("2026-10-14")),
        at("2026-10-16"),
        Step.KEEP,
        None,
        escalation(1, 1),
        "its issue is open, and nothing has happened",
    ),
    (
        "an earlier clock closes nothing",
        facts(issue=OPEN, acted_at=at("2026-10-26")),
        at("2026-10-06"),
        Step.KEEP,
        None,
        escalation(1, 1),
        "its issue is open, and nothing has happened",
    ),
    (
        "the clock alone closes nothing",
        facts(issue=OPEN, dormant=True),
        NOW,
        Step.KEEP,
        None,
        escalation(1, 1),
        "its issue is open, and nothing has happened",
    ),
    (
        "observing touches no issue",
        facts(issue=OPEN, observe=True, acted_at=NOW),
        NOW,
        Step.NOTHING,
        None,
        None,
        "its issue is left alone: only observed",
    ),
    (
        "an archived repository takes no writes",
        facts(issue=OPEN, archived=True, is_poc=False),
        NOW,
        Step.NOTHING,
        None,
        None,
        "its issue is left alone: the repository is archived",
    ),
    (
        "closed by us, and not stalled",
        facts(issue=OURS, acted_at=at("2026-10-26")),
        NOW,
        Step.NOTHING,
        None,
        None,
        "not stalled",
    ),
    (
        "closed by us, and stalled again",
        facts(issue=OURS, acted_at=at("2026-10-16"), opened_today=MOST),
        NOW,
        Step.NOTHING,
        None,
        None,
        "not stalled",
    ),
    (
        "closed by us, and stalled again after a limit: no new issue",
        facts(issue=OURS, acted_at=at("2026-10-16"), opened_today=MOST),
        at("2026-10-28"),
        Step.REOPEN,
        None,
        escalation(2, 1),
        "stalled again since 2026-10-16",
    ),
    (
        "closed by us, stalled again, a day off",
        facts(issue=OURS, acted_at=at("2026-10-16")),
        SUNDAY,
        Step.NOTHING,
        None,
        None,
        "stalled, and today is a day off",
    ),
    (
        "closed by a person: seen",
        facts(issue=SEEN),
        at("2026-10-26"),
        Step.NOTHING,
        None,
        None,
        "stalled, and its issue was closed by a person: seen",
    ),
    (
        "closed by a person, and the next step is due",
        facts(issue=SEEN),
        SECOND,
        Step.REOPEN,
        EscalationStep.LEAD,
        escalation(1, 2, reopened=True),
        "still stalled since 2026-10-05",
    ),
    (
        "closed by a person for the second time",
        facts(issue=replace(SEEN, rung=2, reopened=True)),
        at("2026-12-01"),
        Step.NOTHING,
        None,
        None,
        "stalled, and its issue was closed by a person: seen",
    ),
    (
        "closed by a person, and stalled anew",
        facts(issue=replace(SEEN, rung=3, reopened=True), acted_at=at("2026-10-16")),
        at("2026-10-28"),
        Step.REOPEN,
        None,
        escalation(2, 1),
        "stalled again since 2026-10-16",
    ),
    (
        "closed by one, and now another is waited for",
        asked(issue=replace(SEEN, reopened=True)),
        NOW,
        Step.REOPEN,
        None,
        escalation(2, 1),
        "stalled again since 2026-10-05",
    ),
    (
        "reopened once, and the step after that",
        facts(issue=replace(OPEN, opened_at=SECOND, rung=2, reopened=True)),
        THIRD,
        Step.KEEP,
        EscalationStep.DECISION,
        escalation(1, 3, reopened=True),
        f"{SAID}, step 3",
    ),
    (
        "deleted: seen",
        facts(issue=GONE),
        at("2026-10-26"),
        Step.NOTHING,
        None,
        None,
        "stalled, and its issue was deleted or transferred: seen",
    ),
    (
        "deleted, and the next step is due: another, once",
        facts(issue=GONE),
        SECOND,
        Step.OPEN,
        None,
        escalation(1, 2, reopened=True),
        "still stalled since 2026-10-05",
    ),
    (
        "deleted, and too many new ones today",
        facts(issue=GONE, opened_today=MOST),
        SECOND,
        Step.NOTHING,
        None,
        None,
        OF_TODAY,
    ),
    (
        "deleted, and stalled anew",
        facts(issue=replace(GONE, reopened=True), acted_at=at("2026-10-16")),
        at("2026-10-28"),
        Step.OPEN,
        None,
        escalation(2, 1),
        "stalled again since 2026-10-16",
    ),
]


@pytest.mark.parametrize(
    ("told", "now", "step", "say", "wanted", "why"), [pytest.param(*row[1:], id=row[0]) for row in TABLE]
)
def test_what_becomes_of_the_issue(  # noqa: PLR0917 - a row of the table
    told: StallFacts,
    now: datetime,
    step: Step,
    say: EscalationStep | None,
    wanted: EscalationRecord | None,
    why: str,
) -> None:
    decision = decide(told, now)
    assert (decision.step, decision.why, decision.say) == (step, why, say)
    assert decision.escalation == wanted
    if step in (Step.OPEN, Step.REOPEN) or say:
        assert decision.stall is not None


PARTIES = [OWNER, SIGNER, REVIEWER, TEAM, PLATFORM, BLOCKER]
DONE_TO_THE_ISSUE = {"close": IssueState.CLOSED, "reopen": IssueState.OPEN, "delete": IssueState.GONE}


@dataclass
class History:
    """A POC, its issue, and what was said, as days pass and looks come."""

    told: StallFacts
    messages: list[tuple[date, int, str]] = field(default_factory=list)
    """Day, episode, what."""

    def reconciliation(self, now: datetime) -> StallDecision:
        """Decide, and note what the record says once it is carried out."""
        decision = decide(self.told, now)
        issue, done = self.told.issue, decision.escalation
        if decision.step is Step.NOTHING or done is None:
            return decision
        given = assignee(decision.stall, self.told.charter) if decision.stall else None
        if decision.step is Step.OPEN:
            assert issue is None or issue.number is None or issue.state is IssueState.GONE
            number = (issue.number or 0) + 1 if issue else 1
            issue = StallIssue(number, IssueState.OPEN, "", now, closed_by_us=False, assignee=given)
            self.messages.append((now.date(), done.episode, "opened"))
        assert issue is not None
        if decision.step is Step.REOPEN:
            assert issue.state is IssueState.CLOSED
            issue = replace(issue, state=IssueState.OPEN, closed_by_us=False, opened_at=now)
            self.messages.append((now.date(), done.episode, "reopened" if done.reopened else "opened"))
        if decision.step is Step.CLOSE:
            assert issue.state is IssueState.OPEN
            issue = replace(issue, state=IssueState.CLOSED, closed_by_us=True)
        if decision.say:
            self.messages.append((now.date(), done.episode, f"step {decision.say:d}"))
        if done.episode != issue.episode:
            issue = replace(issue, opened_at=now)
        issue = replace(
            issue,
            episode=done.episode,
            rung=done.rung,
            reopened=done.reopened,
            assignee=given or issue.assignee,
        )
        self.told = replace(self.told, issue=issue)
        return decision

    def happen(self, event: str, now: datetime) -> None:
        """What people do on a day."""
        issue = self.told.issue
        if event in DONE_TO_THE_ISSUE:
            if issue and issue.state is not DONE_TO_THE_ISSUE[event] and issue.state is not IssueState.GONE:
                opened_at = now if event == "reopen" else issue.opened_at
                changed = replace(
                    issue, state=DONE_TO_THE_ISSUE[event], closed_by_us=False, opened_at=opened_at
                )
                self.told = replace(self.told, issue=changed)
        else:
            self.told = replace(self.told, **self._changes(event, now))

    def _changes(self, event: str, now: datetime) -> dict[str, Any]:
        present, gone = self.told.waiting_on or OWNER, event == "leave"
        following = PARTIES[(PARTIES.index(replace(present, since=MONDAY)) + 1) % len(PARTIES)]
        later = charter(ship_by=now.date() + timedelta(days=30))
        passed = {"acted_at": None, "activity_at": now}
        changes: dict[str, dict[str, Any]] = {
            "act": {"acted_at": now, "activity_at": now},
            "others act": {"activity_at": now},
            "snooze": {"rest": PausePeriod(now.date(), now.date() + timedelta(days=10), "data")},
            "extend": {"charter": later, "charter_changed_at": now, "activity_at": now},
            "pass": {"waiting_on": replace(following, since=now), **passed},
            "pass late": {"waiting_on": replace(following, since=present.since), **passed},
        }
        if event in changes:
            return changes[event]
        return {} if gone is self.told.owner_gone else {"owner_gone": gone, "owner_since": now}


EVENTS = st.sampled_from(
    [
        "act",
        "others act",
        "close",
        "reopen",
        "delete",
        "snooze",
        "leave",
        "come back",
        "extend",
        "pass",
        "pass late",
    ]
)
DAYS = st.lists(st.lists(st.none() | EVENTS, max_size=2), min_size=20, max_size=120)
QUIET = st.lists(st.tuples(st.integers(1, 20), EVENTS), max_size=12)


def play(history: History, days: list[list[str | None]]) -> None:
    """Each day: a look, what happens with a look after each, and a look at night that changes nothing."""
    for number, events in enumerate(days):
        now = MONDAY + timedelta(days=number)
        history.reconciliation(now)
        for hour, event in enumerate(events):
            if event:
                history.happen(event, now + timedelta(hours=hour + 1))
            history.reconciliation(now + timedelta(hours=hour + 1, minutes=1))
        before, told = len(history.messages), history.told
        again = history.reconciliation(now + timedelta(hours=9))
        assert (len(history.messages), history.told) == (before, told)
        assert again.say is None
        assert again.step in (Step.NOTHING, Step.KEEP)


def check(history: History) -> None:
    days_of_messages = [day for day, _, _ in history.messages]
    assert all(USUAL.is_working_day(day) for day in days_of_messages)
    counted = Counter((episode, what) for _, episode, what in history.messages)
    assert not [said for said, count in counted.items() if said[1] != "opened" and count > 1], (
        history.messages
    )


@settings(max_examples=300)
@given(DAYS, st.booleans())
def test_busy_histories(days: list[list[str | None]], overdue: bool) -> None:
    history = History(facts(charter=charter(ship_by=FRIDAY)) if overdue else facts())
    play(history, days)
    check(history)


@settings(max_examples=300)
@given(QUIET, st.booleans())
def test_quiet_histories(spells: list[tuple[int, str]], overdue: bool) -> None:
    days: list[list[str | None]] = []
    for silence, event in spells:
        days += [[] for _ in range(silence)] + [[event]]
    history = History(facts(charter=charter(ship_by=FRIDAY)) if overdue else facts())
    play(history, [*days, *([] for _ in range(60))])
    check(history)
    steps = Counter(day for day, _, what in history.messages if what.startswith("step"))
    assert not steps or max(steps.values()) == 1


def test_silence_gets_three_messages_and_no_more() -> None:
    history = History(facts())
    play(history, [[] for _ in range(70)])
    assert history.messages == [
        (FIRST.date(), 1, "opened"),
        (SECOND.date(), 1, "step 2"),
        (THIRD.date(), 1, "step 3"),
    ]


def test_closing_by_a_person_gets_one_reopening() -> None:
    history = History(facts())
    days: list[list[str | None]] = [["close"] for _ in range(70)]
    play(history, days)
    assert [what for _, _, what in history.messages] == ["opened", "reopened", "step 2"]


def test_deleting_gets_one_more_issue() -> None:
    history = History(facts())
    play(history, [["delete"] for _ in range(70)])
    assert [what for _, _, what in history.messages] == ["opened", "opened"]


def test_a_wave_of_signers_is_told_one_after_another_without_a_word_more() -> None:
    """Each has been asked for as long as the first; the ladder begins anew for each."""
    history = History(facts(waiting_on=replace(SIGNER, people=("alice-k",))))
    days: list[list[str | None]] = [[] for _ in range(40)]
    play(history, days)
    assert [what for _, _, what in history.messages] == ["opened", "step 2", "step 3"]
    history.told = replace(
        history.told, waiting_on=SIGNER, acted_at=None, activity_at=MONDAY + timedelta(days=40)
    )
    decision = history.reconciliation(MONDAY + timedelta(days=42, hours=1))
    assert (decision.step, decision.say, decision.escalation) == (
        Step.KEEP,
        None,
        EscalationRecord(2, 1, reopened=False),
    )
    assert decision.stall is not None
    assert decision.stall.waiting_on == SIGNER
    said = [history.reconciliation(MONDAY + timedelta(days=42 + n)).say for n in range(1, 30)]
    assert [each for each in said if each] == [EscalationStep.LEAD, EscalationStep.DECISION]


MOMENTS = st.datetimes(datetime(2026, 8, 1), datetime(2027, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(
    issue=st.sampled_from([None, OPEN, SEEN, OURS, BEGUN, GONE]),
    waiting_on=st.sampled_from([None, OWNER, SIGNER, TEAM, BLOCKER, replace(OWNER, party=Party.NOBODY)]),
    acted_at=st.none() | MOMENTS,
    charter_changed_at=st.none() | MOMENTS,
    now=MOMENTS,
    observe=st.booleans(),
    archived=st.booleans(),
    has_home=st.booleans(),
    is_poc=st.booleans(),
    opened_today=st.integers(0, 7),
)
def test_what_holds_whatever_the_facts(now: datetime, **changes: Any) -> None:
    told = facts(**changes)
    decision = decide(told, now)
    speaks = decision.step in (Step.OPEN, Step.REOPEN) or decision.say is not None
    if speaks:
        assert decision.stall is not None
        assert USUAL.is_working_day(now.date())
        assert told.is_poc
        assert told.has_home
    if speaks or decision.step in (Step.KEEP, Step.CLOSE):
        assert decision.escalation is not None
        assert not told.observe
        assert not told.archived
    if decision.step is Step.OPEN and told.issue in (None, GONE):
        assert told.opened_today < MOST
    if decision.step is Step.REOPEN:
        assert told.issue in (SEEN, OURS)
    if decision.step is Step.CLOSE:
        assert told.issue == OPEN
    if decision.say:
        assert decision.escalation is not None
        assert decision.escalation.rung == decision.say
        assert decision.stall is not None
        assert decision.stall.cause in Cause
