"""A repository is registered as a POC or not, and its one stall issue kept as it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.events.charter_check import charter_url, draft_url
from service.events.context import Decision, Look
from service.events.life import follow
from service.events.registration import registered
from service.ports import GitHubError
from service.rules.charter.model import Charter
from service.rules.facts import FactKind, IssueState, StallIssue
from service.rules.judge import judge
from service.rules.plan import STALL_LABEL, Action, EditIssue, OpenIssue, text_digest
from service.rules.poc import KnownRepository
from service.rules.stall import Stall, StallDecision, StallFacts, Step, decide


def look_at_repository(look: Look, repository_id: int) -> Decision:
    """Register it, then decide about its stall issue."""
    known = registered(look, repository_id)
    if known is None:
        return Decision("not covered by an installation any more")
    if known.repository.archived and not look.dry:
        look.records.pocs.end(repository_id, look.looked_at)  # archived, it is followed no more
    issue = _issue(look, known)
    if known.poc_reason is None and issue is None:
        return Decision("not a POC")
    life = follow(look, known) if known.poc_reason else None
    facts = _facts(look, known, issue)
    decision = decide(facts, look.now)
    if decision.step in (Step.OPEN, Step.REOPEN) and decision.stall and decision.stall.owner:
        # Only now is it worth a call to ask whether the owner was at work where no event told of it.
        facts = _verified(look, known, facts, decision.stall)
        decision = decide(facts, look.now)
    actions = (*(life.actions if life else ()), *_actions(look, known, issue, decision))
    state = f", {life.state}" if life else ""
    return Decision(_outcome(known, decision, state), actions, known.installation_id)


def _facts(look: Look, known: KnownRepository, issue: StallIssue | None) -> StallFacts:
    charter = _charter(known, look.now)
    owner = charter.owner.value if charter and charter.owner else None
    return StallFacts(
        is_poc=known.poc_reason is not None,
        dormant=known.dormant,
        has_issues=known.repository.has_issues,
        registered_at=known.registered_at or known.first_seen_at,
        charter=charter,
        chartered_at=known.chartered_at,
        charter_changed_at=known.charter_changed_at,
        owner_active_at=look.records.stall_issues.last_activity(known.repository.id, owner)
        if owner
        else None,
        issue=issue,
        opened_today=look.records.stall_issues.opened_on(known.installation_id, look.now.date()),
        observe=look.observe,
        archived=known.repository.archived,
        shipped_at=look.records.pocs.find(known.repository.id).shipped_at,
    )


def _charter(known: KnownRepository, now: datetime) -> Charter | None:
    if known.charter is None:
        return None
    return judge(known.charter, before=None, today=now.date()).charter


def _verified(look: Look, known: KnownRepository, facts: StallFacts, stall: Stall) -> StallFacts:
    """The same facts with the owner's last commit, which may have come without an event."""
    assert stall.owner is not None
    since = facts.owner_active_at or facts.registered_at
    github = look.github(known.installation_id)
    committed = github.last_commit_by(known.repository.ref, stall.owner, since)
    if committed is None or (facts.owner_active_at and committed <= facts.owner_active_at):
        return facts
    look.records.stall_issues.remember_activity(known.repository.id, stall.owner, committed)
    return replace(facts, owner_active_at=committed)


def _issue(look: Look, known: KnownRepository) -> StallIssue | None:
    """Our issue as it is: read again when somebody changed it, so that a closed one is seen to be closed."""
    issue = look.records.stall_issues.find(known.repository.id)
    if issue is None or issue.number is None or not look.told(FactKind.ISSUE_CHANGED):
        return issue
    state, labelled = _present(look, known, issue, issue.number)
    if state is not issue.state:
        closed_by_us = issue.closed_by_us and state is IssueState.CLOSED
        look.records.stall_issues.changed(known.repository.id, state=state, closed_by_us=closed_by_us)
        issue = replace(issue, state=state, closed_by_us=closed_by_us)
    return replace(issue, labelled=labelled)


def _present(look: Look, known: KnownRepository, issue: StallIssue, number: int) -> tuple[IssueState, bool]:
    """The issue's state and whether it has our label; issues that are switched off may come back with it."""
    github = look.github(known.installation_id)
    try:
        present = github.issue(known.repository.ref, number)
    except GitHubError as error:
        if not error.gone:
            raise
        off = not github.repository(known.repository.id).has_issues
        return (issue.state if off else IssueState.GONE), True
    return present.state, STALL_LABEL in present.labels


def _actions(
    look: Look, known: KnownRepository, issue: StallIssue | None, decision: StallDecision
) -> tuple[Action, ...]:
    repository = known.repository.ref
    number = issue.number if issue else None
    if decision.step is Step.CLOSE and number is not None:
        return (EditIssue(repository, number, state=str(IssueState.CLOSED)),)
    if decision.step is Step.NOTHING:
        return ()
    if issue is None or number is None:
        return (_opening(look, known, decision),)
    edit = EditIssue(
        repository,
        number,
        state=str(IssueState.OPEN) if decision.step is Step.REOPEN else None,
        label=None if issue.labelled else STALL_LABEL,
    )
    if decision.stall is not None:
        title, body = _text(look, known, decision.stall)
        if issue.digest != text_digest(title, body):
            edit = replace(edit, title=title, body=body)
    return () if edit.changes_nothing else (edit,)


def _opening(look: Look, known: KnownRepository, decision: StallDecision) -> OpenIssue:
    assert decision.stall is not None
    title, body = _text(look, known, decision.stall)
    return OpenIssue(known.repository.ref, title, body, decision.stall.owner, look.now.date())


def _text(look: Look, known: KnownRepository, stall: Stall) -> tuple[str, str]:
    return look.texts.stall_issue(
        stall,
        full_name=known.repository.full_name,
        charter_url=charter_url(look, known),
        draft_url=draft_url(look, known),
    )


def _outcome(known: KnownRepository, decision: StallDecision, state: str) -> str:
    reason = f"POC by {known.poc_reason}" if known.poc_reason else "not a POC"
    return f"{reason}{state}; {decision.why}"
