"""A repository: whether it is a POC, whom it waits for, and its one stall issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from service.reconcile.context import Decision, Reconciliation
from service.reconcile.history import read_history
from service.reconcile.lifecycle import derive_status, left_behind
from service.reconcile.poc import Poc, PocStatus
from service.reconcile.registration import gather, list_pull_requests, registered
from service.reconcile.stall_facts import stall_facts
from service.reconcile.stall_issue import home_of, present_issue, read_issue, stall_actions
from service.reconcile.waiting_on import follow_waiting_on
from service.rules.stall.escalation import decide
from service.rules.stall.stalls import StallDecision, StallFacts, Step, find_stall
from service.rules.stall.time_spent import LAST_DAYS, days_by_party, time_breakdown, totals
from service.rules.stall.waiting_on import Party, WaitingOn
from service.rules.values import activity
from service.rules.values.activity import merged_timeline
from service.rules.values.daily_round import round_before
from service.rules.values.github import EventKind, IssueState, StallIssue

LISTED_LATELY = timedelta(minutes=5)
"""How old the list may be when somebody is to be told what it waits for."""


def reconcile_repository(ctx: Reconciliation, repository_id: int) -> Decision:
    """Register it, derive its state, find out whom it waits for, then decide about its stall issue."""
    poc = registered(ctx, gather(ctx, repository_id))
    if poc is None:
        return Decision("not covered by an installation any more")
    if poc.known.repository.archived:
        poc.ended(ctx.looked_at)  # an archived repository has ended
    issue = present_issue(ctx, poc)
    told = left_behind(ctx, poc)
    if poc.known.poc_reason is None and issue is None:
        return Decision("not a POC", told, poc.known.installation_id)
    if poc.known.poc_reason and not poc.known.repository.archived:
        # The events of some may have been lost.
        list_pull_requests(ctx, poc, unless_since=round_before(ctx.looked_at, poc.id))
    if _has_ended(ctx, poc, issue):
        return Decision(f"POC by {poc.known.poc_reason}; it has ended, and nothing is new")
    life, waiting_on = None, None
    if poc.known.poc_reason:
        read_history(ctx, poc)
        life = derive_status(ctx, poc)
        waiting_on = follow_waiting_on(ctx, poc, life)
        count_days(ctx, poc)
    decision = _decided(ctx, poc, life, waiting_on, issue)
    return replace(decision, actions=(*told, *decision.actions))


def _has_ended(ctx: Reconciliation, poc: Poc, issue: StallIssue | None) -> bool:
    """Whether the POC has ended, its issue is closed, and no event was recorded since: it is left alone."""
    if ctx.facts or poc.known.poc_reason is None or (issue is not None and issue.state is IssueState.OPEN):
        return False
    stored = poc.record.poc
    if not stored.state.has_ended or stored.state_since is None:
        return False
    # A new charter, or an end of the archiving, may have brought it back.
    changed = (poc.known.registered_at, poc.known.charter_changed_at)
    return all(at is None or at <= stored.state_since for at in changed)


def _decided(
    ctx: Reconciliation,
    poc: Poc,
    life: PocStatus | None,
    waiting_on: WaitingOn | None,
    issue: StallIssue | None,
) -> Decision:
    charter = life.judgement.charter if life else None
    home = home_of(ctx, poc, issue)
    facts = stall_facts(ctx, poc, charter, waiting_on=waiting_on, issue=issue, has_home=home is not None)
    decision = decide(facts, ctx.now)
    if decision.stall and home is None:
        ctx.look_again(ctx.now)  # the central repository may take issues any time, and tells no POC
    speaks = decision.step in (Step.OPEN, Step.REOPEN) or decision.say is not None
    if speaks or decision.step is Step.CLOSE:
        # Only now is it worth a call to ask what no event contains: whether the issue is as we know it, and
        # whether somebody was at work.
        if speaks and list_pull_requests(ctx, poc, unless_since=ctx.looked_at - LISTED_LATELY):
            ctx.notes.repositories.mark([poc.id])
            actions = life.actions if life else ()
            return Decision(
                "pull requests changed untold: reconciled again", actions, poc.known.installation_id
            )
        facts = _verified(ctx, poc, facts) if speaks else facts
        if facts.issue and facts.issue.state is not IssueState.GONE and not ctx.told(EventKind.ISSUE_CHANGED):
            issue = read_issue(ctx, poc, facts.issue)
            home = home_of(ctx, poc, issue)
            facts = replace(facts, issue=issue, has_home=home is not None)
        decision = decide(facts, ctx.now)
    if life:
        stall = find_stall(facts, ctx.now)
        poc.stalled(stall.since if stall else None, str(stall.cause) if stall else None)
    actions = (*(life.actions if life else ()), *stall_actions(ctx, poc, facts, decision, home))
    return Decision(_outcome(poc, decision, life, waiting_on), actions, poc.known.installation_id)


def _verified(ctx: Reconciliation, poc: Poc, facts: StallFacts) -> StallFacts:
    """The same facts with the last commit of the person waited for; it may have come without an event."""
    waiting_on = facts.waiting_on
    if waiting_on is None or not waiting_on.people:
        return facts
    since = facts.acted_at or facts.registered_at
    github = ctx.github(poc.known.installation_id)
    moments = [github.last_commit_by(poc.known.repository.ref, login, since) for login in waiting_on.people]
    committed = max((at for at in moments if at is not None), default=None)
    if committed is None or (facts.acted_at and committed <= facts.acted_at):
        return facts
    poc.acted(activity.seen_commit(poc.id, waiting_on.people[0], committed))
    return replace(facts, acted_at=committed, activity_at=max(committed, facts.activity_at or committed))


def _outcome(poc: Poc, decision: StallDecision, life: PocStatus | None, waiting_on: WaitingOn | None) -> str:
    reason = f"POC by {poc.known.poc_reason}" if poc.known.poc_reason else "not a POC"
    state = f", {life.state}" if life else ""
    return f"{reason}{state}{_has_it(waiting_on)}; {decision.why}"


def _has_it(waiting_on: WaitingOn | None) -> str:
    """Whom it waits for, in a few words for the log; empty if nobody could be named."""
    if waiting_on is None or waiting_on.party in (Party.NOBODY, Party.UNNAMED):
        return ""
    people = ", ".join(waiting_on.people) or waiting_on.about
    return f", {waiting_on.party} {people} has the ball"


def count_days(ctx: Reconciliation, poc: Poc) -> None:
    """Count those of the last quarter, up to yesterday: today may still bring something."""
    calendar = ctx.policy.calendar
    today = calendar.day(ctx.now)
    if poc.record.poc.counted_on == today:
        return
    first = max(calendar.day(poc.known.began_at), today - timedelta(days=LAST_DAYS))
    # A little more: work on both sides of a gap makes the gap work too.
    since = datetime.combine(first - timedelta(days=7), time(), calendar.zone)
    spans = time_breakdown(
        poc.waiting.periods,
        [each.period for each in poc.waiting.pauses],
        merged_timeline(ctx.store.timeline.of(poc.id, since=since), poc.learned),
        first=first,
        last=today - timedelta(days=1),
        calendar=calendar,
    )
    poc.counted(days_by_party(totals(spans)), today)
