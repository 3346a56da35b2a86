"""What is to become of the one issue of a POC, and which step's comment is posted in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from service.rules.stall.stalls import (
    EscalationStep,
    Stall,
    StallDecision,
    StallFacts,
    Step,
    assignee,
    find_stall,
)
from service.rules.values.actions import EscalationRecord
from service.rules.values.github import IssueState, StallIssue


def decide(facts: StallFacts, now: datetime) -> StallDecision:
    """Choose the step. An open issue is closed only by activity after its opening, never by the clock."""
    issue, stall = facts.issue, find_stall(facts, now)
    if issue is not None and issue.state is IssueState.OPEN and issue.number is not None:
        return _decide_open(facts, issue, stall, now)
    if stall is None:
        return StallDecision(Step.NOTHING, None, "not stalled")
    if reason := _held_back(facts, now):
        return StallDecision(Step.NOTHING, stall, f"stalled, and {reason}")
    if issue is None or issue.number is None:
        return _first(facts, issue, stall)
    return _again(facts, issue, stall, now)


def _held_back(facts: StallFacts, now: datetime) -> str | None:
    """Why nothing is posted today."""
    if facts.observe:
        return "only observed"
    if not facts.has_home:
        return "there is no place for its issue"
    calendar = facts.policy.calendar
    return None if calendar.is_working_day(calendar.day(now)) else "today is a day off"


def _first(facts: StallFacts, issue: StallIssue | None, stall: Stall) -> StallDecision:
    """There is no issue yet, or its opening was interrupted: it counts towards today's limit already."""
    if issue is None and (full := _full(facts)):
        return StallDecision(Step.NOTHING, stall, full)
    if issue and issue.rung:
        escalation = _unchanged(issue)
    else:
        escalation = EscalationRecord(
            issue.episode if issue else 1, int(EscalationStep.ISSUE), reopened=False
        )
    return StallDecision(Step.OPEN, stall, f"stalled since {stall.since}", escalation=escalation)


def _again(facts: StallFacts, issue: StallIssue, stall: Stall, now: datetime) -> StallDecision:
    """The issue was closed or deleted."""
    gone = issue.state is IssueState.GONE
    if gone and (full := _full(facts)):
        return StallDecision(Step.NOTHING, stall, full)
    step = Step.OPEN if gone else Step.REOPEN
    if issue.closed_by_us or _is_new(facts, issue, stall):
        return StallDecision(step, stall, f"stalled again since {stall.since}", escalation=_anew(issue))
    reached = _reached(facts, issue, stall, now)
    if issue.reopened or reached is None:
        closed = "deleted or transferred" if gone else "closed by a person"
        return StallDecision(Step.NOTHING, stall, f"stalled, and its issue was {closed}: seen")
    why = f"still stalled since {stall.since}"
    if gone:  # what is opened cannot be commented on yet: its comment is that of the next step
        lead = EscalationRecord(issue.episode, int(EscalationStep.LEAD), reopened=True)
        return StallDecision(step, stall, why, escalation=lead)
    return StallDecision(
        step, stall, why, reached, EscalationRecord(issue.episode, int(reached), reopened=True)
    )


def _unchanged(issue: StallIssue) -> EscalationRecord:
    return EscalationRecord(issue.episode, issue.rung, issue.reopened)


def _anew(issue: StallIssue) -> EscalationRecord:
    """A new episode begins."""
    return EscalationRecord(issue.episode + 1, int(EscalationStep.ISSUE), reopened=False)


def _full(facts: StallFacts) -> str | None:
    """Why no new issue is opened today."""
    most = facts.policy.issues_a_day
    if facts.opened_today < most:
        return None
    return f"stalled, and the account got its {most} new {'issue' if most == 1 else 'issues'} for today"


def _decide_open(facts: StallFacts, issue: StallIssue, stall: Stall | None, now: datetime) -> StallDecision:
    """The issue is open."""
    escalation = _unchanged(issue)
    if facts.observe or facts.archived or not facts.has_home:
        why = "the repository is archived" if facts.archived else _held_back(facts, now)
        return StallDecision(Step.NOTHING, stall, f"its issue is left alone: {why}")
    if not facts.is_poc:
        return StallDecision(Step.CLOSE, None, "not a POC any more", escalation=escalation)
    if stall is not None:
        return _keep(facts, issue, stall, now)
    if _moved_since(facts, issue, now):
        return StallDecision(Step.CLOSE, None, "it moves again", escalation=escalation)
    return StallDecision(
        Step.KEEP, None, "its issue is open, and nothing has happened", escalation=escalation
    )


def _keep(facts: StallFacts, issue: StallIssue, stall: Stall, now: datetime) -> StallDecision:
    """It is stalled and the issue is open: the same stall, another one, or the next step of it."""
    escalation = _unchanged(issue)
    new, say = _is_new(facts, issue, stall), _reached(facts, issue, stall, now)
    if (new or say) and (reason := _held_back(facts, now)):
        return StallDecision(Step.KEEP, None, f"its issue is left alone: {reason}", escalation=escalation)
    if new:
        return StallDecision(Step.KEEP, stall, f"stalled anew since {stall.since}", escalation=_anew(issue))
    if say:
        up = EscalationRecord(issue.episode, int(say), issue.reopened)
        return StallDecision(Step.KEEP, stall, f"stalled since {stall.since}, step {say:d}", say, up)
    return StallDecision(Step.KEEP, stall, "stalled, and its issue is open", escalation=escalation)


def _is_new(facts: StallFacts, issue: StallIssue, stall: Stall) -> bool:
    """Whether the issue is about another stall: this one began later, or waits for somebody else."""
    person, last = assignee(stall, facts.charter), issue.assignee
    if person and last and person.lower() != last.lower():
        return True
    if issue.opened_at is None:
        return False
    opened_at, opened_on = issue.opened_at, facts.policy.calendar.day(issue.opened_at)
    if stall.since == opened_on:  # it began that day: with what happened after the opening
        return any(moment > opened_at for moment in _moments(facts))
    return stall.since > opened_on


def _reached(facts: StallFacts, issue: StallIssue, stall: Stall, now: datetime) -> EscalationStep | None:
    """The step whose comment is due, if any; its time counts from the opening of the issue."""
    if issue.opened_at is None:
        return None
    calendar = facts.policy.calendar
    passed = calendar.working_days(calendar.day(issue.opened_at), calendar.day(now))
    first = EscalationStep.LEAD if issue.reopened else EscalationStep.ISSUE
    reached = min(stall.rung, EscalationStep(min(first + passed // stall.limit, len(EscalationStep))))
    return reached if reached > max(issue.rung, first) else None


def _moved_since(facts: StallFacts, issue: StallIssue, now: datetime) -> bool:
    """Whether any activity is newer than the issue (none is, with `--as-of` in the past)."""
    opened_at = issue.opened_at
    if opened_at is None or now < opened_at:
        return False
    rested = facts.rest is not None and facts.rest.first >= facts.policy.calendar.day(opened_at)
    return rested or any(moment > opened_at for moment in _moments(facts))


def _moments(facts: StallFacts) -> Iterator[datetime]:
    """When something last happened that may have moved the POC on."""
    moments = (
        facts.acted_at,
        facts.activity_at,
        facts.charter_changed_at,
        facts.shipped_at,
        facts.owner_since,
        facts.waiting_on.since if facts.waiting_on else None,
    )
    return (moment for moment in moments if moment is not None)
