"""A repository is registered as a POC or not, its ball followed, its one stall issue kept as it should be."""

from __future__ import annotations

from dataclasses import replace

from service.reconcile.context import Decision, Look
from service.reconcile.history import read_history
from service.reconcile.lifecycle import Life, follow
from service.reconcile.registration import registered
from service.reconcile.stall_facts import stall_facts
from service.reconcile.stall_issue import home_of, present_issue, read_issue, stall_actions
from service.reconcile.waiting_on import hold
from service.rules.gate.lifecycle import State
from service.rules.policy.poc import KnownRepository
from service.rules.stall.escalation import decide
from service.rules.stall.stalls import StallDecision, StallFacts, Step, find_stall
from service.rules.stall.waiting_on import Ball, Party
from service.rules.values.github import FactKind, IssueState, StallIssue


def look_at_repository(look: Look, repository_id: int) -> Decision:
    """Register it, follow its life, see who has the ball, then decide about its stall issue."""
    known = registered(look, repository_id)
    if known is None:
        return Decision("not covered by an installation any more")
    if known.repository.archived and not look.dry:
        look.records.pocs.end(repository_id, look.looked_at)  # archived, it is followed no more
    issue = present_issue(look, known)
    if known.poc_reason is None and issue is None:
        return Decision("not a POC")
    if _has_ended(look, known, issue):
        return Decision(f"POC by {known.poc_reason}; it has ended, and nothing is new")
    life, ball = None, None
    if known.poc_reason:
        read_history(look, known)
        life = follow(look, known)
        ball = hold(look, known, life)
    return _decided(look, known, life, ball, issue)


def _has_ended(look: Look, known: KnownRepository, issue: StallIssue | None) -> bool:
    """Whether the POC has ended, its issue is closed, and nothing was told since: it is left alone."""
    if look.facts or known.poc_reason is None or (issue is not None and issue.state is IssueState.OPEN):
        return False
    stored = look.records.pocs.find(known.repository.id)
    if stored.state not in (State.SHIPPED, State.STOPPED) or stored.state_since is None:
        return False
    # Another charter, or a repository that is archived no more, may have brought it back.
    changed = (known.registered_at, known.charter_changed_at)
    return all(at is None or at <= stored.state_since for at in changed)


def _decided(
    look: Look, known: KnownRepository, life: Life | None, ball: Ball | None, issue: StallIssue | None
) -> Decision:
    charter = life.judgement.charter if life else None
    home = home_of(look, known, issue)
    facts = stall_facts(look, known, charter, ball=ball, issue=issue, has_home=home is not None)
    decision = decide(facts, look.now)
    speaks = decision.step in (Step.OPEN, Step.REOPEN) or decision.say is not None
    if speaks or decision.step is Step.CLOSE:
        # Only now is it worth a call to ask what no event told of: whether the issue is as we know it, and
        # whether somebody was at work.
        facts = _verified(look, known, facts) if speaks else facts
        if facts.issue and facts.issue.state is not IssueState.GONE and not look.told(FactKind.ISSUE_CHANGED):
            issue = read_issue(look, known, facts.issue)
            home = home_of(look, known, issue)
            facts = replace(facts, issue=issue, has_home=home is not None)
        decision = decide(facts, look.now)
    if life and not look.dry:
        stall = find_stall(facts, look.now)
        look.records.pocs.stalls(
            known.repository.id, stall.since if stall else None, str(stall.cause) if stall else None
        )
    actions = (*(life.actions if life else ()), *stall_actions(look, known, facts, decision, home))
    return Decision(_outcome(known, decision, life, ball), actions, known.installation_id)


def _verified(look: Look, known: KnownRepository, facts: StallFacts) -> StallFacts:
    """The same facts with the last commit by whoever has the ball, which may have come without an event."""
    ball = facts.ball
    if ball is None or not ball.people:
        return facts
    since = facts.acted_at or facts.registered_at
    github = look.github(known.installation_id)
    moments = [github.last_commit_by(known.repository.ref, login, since) for login in ball.people]
    committed = max((at for at in moments if at is not None), default=None)
    if committed is None or (facts.acted_at and committed <= facts.acted_at):
        return facts
    look.records.timeline.saw_commit(known.repository.id, ball.people[0], committed)
    return replace(facts, acted_at=committed, activity_at=max(committed, facts.activity_at or committed))


def _outcome(known: KnownRepository, decision: StallDecision, life: Life | None, ball: Ball | None) -> str:
    reason = f"POC by {known.poc_reason}" if known.poc_reason else "not a POC"
    state = f", {life.state}" if life else ""
    return f"{reason}{state}{_has_it(ball)}; {decision.why}"


def _has_it(ball: Ball | None) -> str:
    """Who has the ball, in few words; nothing where nobody could be named."""
    if ball is None or ball.party in (Party.NOBODY, Party.UNNAMED):
        return ""
    people = ", ".join(ball.people) or ball.about
    return f", {ball.party} {people} has the ball"
