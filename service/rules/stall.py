"""Is this POC stalled, and what is to become of its one issue? First form: the owner has the ball."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from service.rules.charter.model import Charter
from service.rules.facts import IssueState, StallIssue
from service.rules.workdays import add_working_days, is_working_day, working_days

CHARTER_LIMIT = 10
"""Working days that a POC has to bring a charter."""
SHARE_OF_PLAN = 0.15
SHORTEST_LIMIT = 7
LONGEST_LIMIT = 20
ISSUES_A_DAY = 5
"""New stall issues in one organisation on one day."""


class Cause(StrEnum):
    """Why a POC counts as stalled."""

    NO_CHARTER = "no charter"
    OWNER_SILENT = "owner silent"


@dataclass(frozen=True, slots=True)
class StallFacts:
    """What the decision rests on; all moments are GitHub's or ours, in UTC."""

    is_poc: bool
    dormant: bool
    has_issues: bool
    registered_at: datetime
    charter: Charter | None
    chartered_at: datetime | None
    charter_changed_at: datetime | None
    owner_active_at: datetime | None
    issue: StallIssue | None
    opened_today: int = 0
    observe: bool = False
    archived: bool = False
    """Nothing can be written there."""
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stall:
    """A stall: since when, for how many working days allowed, and from which day on it counted."""

    cause: Cause
    owner: str | None
    since: date
    limit: int
    due: date


class Step(StrEnum):
    """What is to become of the issue."""

    NOTHING = "nothing"
    OPEN = "open"
    REOPEN = "reopen"
    KEEP = "keep"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class StallDecision:
    """The step, the stall that it is about, and in one line why."""

    step: Step
    stall: Stall | None
    why: str


def find_stall(facts: StallFacts, now: datetime) -> Stall | None:
    """The stall that there is by `now`; None where nobody is to be reminded."""
    today = now.date()
    if not facts.is_poc or facts.dormant or facts.shipped_at or _ended(facts.charter, today):
        return None
    charter = facts.charter
    if charter is None or charter.owner is None or facts.chartered_at is None:
        began = max(facts.registered_at, facts.charter_changed_at or facts.registered_at)
        cause, owner, since, limit = Cause.NO_CHARTER, None, began.date(), CHARTER_LIMIT
    else:
        cause, owner = Cause.OWNER_SILENT, charter.owner.value
        since, limit = _last_sign(facts, charter), _limit(charter, facts.chartered_at.date())
    due = add_working_days(since, limit)
    if working_days(since, today) < limit:
        return None
    return Stall(cause, owner, since, limit, due)


def decide(facts: StallFacts, now: datetime) -> StallDecision:
    """Choose the step. An open issue is closed only by a fact later than its opening, never by the clock."""
    issue, stall = facts.issue, find_stall(facts, now)
    if issue is not None and issue.state is IssueState.GONE:
        return StallDecision(Step.NOTHING, stall, "its issue was deleted or transferred: it gets no other")
    if issue is not None and issue.state is IssueState.OPEN and issue.number is not None:
        return _decide_open(facts, issue, stall)
    if stall is None:
        return StallDecision(Step.NOTHING, None, "not stalled")
    if reason := _held_back(facts, now):
        return StallDecision(Step.NOTHING, stall, f"stalled, and {reason}")
    return _decide_silent(facts, issue, stall)


def _decide_silent(facts: StallFacts, issue: StallIssue | None, stall: Stall) -> StallDecision:
    """The POC is stalled and has no open issue."""
    if issue is None and facts.opened_today >= ISSUES_A_DAY:
        why = f"stalled, and the account got its {ISSUES_A_DAY} new issues for today"
        return StallDecision(Step.NOTHING, stall, why)
    if issue is None or issue.number is None:
        return StallDecision(Step.OPEN, stall, f"stalled since {stall.since}")
    if not issue.closed_by_us and not _moved_since(facts, issue):
        return StallDecision(Step.NOTHING, stall, "stalled, and its issue was closed by a person: seen")
    return StallDecision(Step.REOPEN, stall, f"stalled again since {stall.since}")


def _held_back(facts: StallFacts, now: datetime) -> str | None:
    """What keeps us from speaking up today."""
    if facts.observe:
        return "only observed"
    if not facts.has_issues:
        return "the repository has no issues"
    return None if is_working_day(now.date()) else "today is a day off"


def _decide_open(facts: StallFacts, issue: StallIssue, stall: Stall | None) -> StallDecision:
    if facts.observe or facts.archived:
        why = "only observed" if facts.observe else "the repository is archived"
        return StallDecision(Step.NOTHING, stall, f"its issue is left as it is: {why}")
    if not facts.is_poc:
        return StallDecision(Step.CLOSE, None, "no POC any more")
    if stall is None and _moved_since(facts, issue):
        return StallDecision(Step.CLOSE, None, "it moves again")
    return StallDecision(Step.KEEP, stall, "stalled, and its issue is open")


def _moved_since(facts: StallFacts, issue: StallIssue) -> bool:
    """Whether a fact is later than the issue's opening: activity, a change of the charter, the shipping."""
    moments = (facts.owner_active_at, facts.charter_changed_at, facts.shipped_at)
    return issue.opened_at is not None and any(at is not None and at > issue.opened_at for at in moments)


def _last_sign(facts: StallFacts, charter: Charter) -> date:
    """The owner's last sign of life: work, a change of the charter, or the last day of a pause."""
    moments = (facts.owner_active_at, facts.charter_changed_at, facts.chartered_at, facts.registered_at)
    last = max(at for at in moments if at is not None).date()
    return max(last, charter.paused.value.until) if charter.paused else last


def _limit(charter: Charter, chartered_on: date) -> int:
    if charter.ship_by is None:
        return SHORTEST_LIMIT
    planned = working_days(chartered_on, charter.ship_by.value)
    return min(max(round(SHARE_OF_PLAN * planned), SHORTEST_LIMIT), LONGEST_LIMIT)


def _ended(charter: Charter | None, today: date) -> bool:
    if charter is None:
        return False
    paused = charter.paused is not None and charter.paused.value.until >= today
    return paused or charter.stopped is not None
