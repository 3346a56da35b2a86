"""The one stall issue of a POC: its state on GitHub, the repository it belongs in, what to write there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from service.ports import GitHubError
from service.reconcile.commit_files import charter_url, draft_url
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.stall.stalls import Cause, Stall, StallDecision, StallFacts, Step
from service.rules.stall.time_spent import ship_date_changes, time_breakdown, totals
from service.rules.values.actions import (
    STALL_LABEL,
    Action,
    EditIssue,
    EscalationRecord,
    OpenIssue,
    PostComment,
    text_digest,
)
from service.rules.values.activity import merged_timeline
from service.rules.values.github import EventKind, Issue, IssueState, RepositoryRef, StallIssue, is_bot
from service.rules.values.subjects import PocId
from service.texts.render import texts
from service.texts.stall import Place, StallView, last_day, stall_view


def home_of(ctx: Reconciliation, poc: Poc, issue: StallIssue | None) -> RepositoryRef | None:
    """The repository of the issue: the POC's own, or the central one; None if neither takes issues.

    An existing issue stays where it is, also while issues are disabled: a POC has at most one.
    """
    standing = issue is not None and issue.number is not None and issue.state is not IssueState.GONE
    if issue is not None and issue.home is not None and standing:
        return _with_issues(ctx, issue.home)
    if poc.known.repository.has_issues:
        return poc.known.repository.ref
    central = ctx.policy.central_repository
    if central is None or standing:
        return None
    home = ctx.store.repositories.named(poc.known.installation_id, central)
    return _with_issues(ctx, home) if home else None


def _with_issues(ctx: Reconciliation, home: RepositoryRef) -> RepositoryRef | None:
    described = ctx.store.repositories.find(home.id)
    return home if described and described.repository.has_issues else None


def present_issue(ctx: Reconciliation, poc: Poc) -> StallIssue | None:
    """The stored issue, read again from GitHub if somebody changed it."""
    issue = poc.record.issue
    if issue is None or not ctx.told(EventKind.ISSUE_CHANGED):
        return issue
    return read_issue(ctx, poc, issue)


def read_issue(ctx: Reconciliation, poc: Poc, issue: StallIssue) -> StallIssue:
    """The issue as GitHub shows it now; changes are noted."""
    if issue.number is None:
        return issue
    issues = ctx.notes.stall_issues
    home = issue.home or poc.known.repository.ref
    present = _read(ctx, poc, home, issue.number)
    if present is None:
        return issue
    if (present.full_name, present.number) != (home.full_name, issue.number) and present.full_name:
        moved = ctx.store.repositories.named(poc.known.installation_id, present.full_name)
        if moved is None:
            present = replace(present, state=IssueState.GONE)
        else:
            issues.moved(poc.poc_id, None if moved.id == poc.id else moved.id, present.number)
            issue = replace(issue, home=moved, number=present.number)
    if present.state is not issue.state:
        issue = _changed(ctx, issue, present.state)
        issues.became(
            poc.poc_id,
            issue.state,
            closed_by_us=issue.closed_by_us,
            opened_at=issue.opened_at,
            reopened=issue.reopened,
        )
    issue = replace(issue, labelled=STALL_LABEL in present.labels or present.state is IssueState.GONE)
    poc.issue_is(issue)
    return issue


def _changed(ctx: Reconciliation, issue: StallIssue, state: IssueState) -> StallIssue:
    """The stored issue, corrected to the state that it has on GitHub.

    If a person reopened it, a new stall begins. If no event names a person, we reopened it ourselves and
    GitHub's answer was lost: the stall is the same.
    """
    if state is not IssueState.OPEN:
        closed_by_us = issue.closed_by_us and state is IssueState.CLOSED
        return replace(issue, state=state, closed_by_us=closed_by_us)
    told = [fact.actor for fact in ctx.facts if fact.kind is EventKind.ISSUE_CHANGED]
    if told and not is_bot(told[-1]):
        return replace(issue, state=state, closed_by_us=False, opened_at=ctx.looked_at)
    return replace(issue, state=state, closed_by_us=False, reopened=issue.reopened or not issue.closed_by_us)


def _read(ctx: Reconciliation, poc: Poc, home: RepositoryRef, number: int) -> Issue | None:
    """The issue, recorded as gone; None if issues are disabled: it may reappear with them."""
    github = ctx.github(poc.known.installation_id)
    try:
        return github.issue(home, number)
    except GitHubError as error:
        if not error.gone:
            raise
        if not github.repository(home.id).has_issues:
            return None
        return Issue(number, IssueState.GONE, (), "", ctx.looked_at, "")


def stall_actions(
    ctx: Reconciliation,
    poc: Poc,
    facts: StallFacts,
    decision: StallDecision,
    home: RepositoryRef | None,
) -> Iterator[Action]:
    """The actions for a decision: comments first, then the issue itself."""
    if decision.step is Step.NOTHING or home is None or decision.escalation is None:
        return
    issue, escalation = facts.issue, decision.escalation
    number = issue.number if issue else None
    if decision.step is Step.CLOSE:
        if number is not None:
            yield EditIssue(home, poc.poc_id, number, escalation, state=str(IssueState.CLOSED))
        return
    view = _view(ctx, poc, facts, decision.stall, home) if decision.stall else None
    if view is not None and (issue is None or number is None or decision.step is Step.OPEN):
        title, body = texts().stall_issue(view)
        day, most = ctx.policy.calendar.day(ctx.now), ctx.policy.issues_a_day
        yield OpenIssue(home, poc.poc_id, poc.id, title, body, view.assignee, day, most, escalation)
    elif issue is not None and number is not None:
        if decision.say and view is not None:
            # Comments before the edit, which records the escalation step: a kill between the two repeats the
            # comment, and a comment is posted once.
            yield PostComment(
                home,
                number,
                f"stall:{poc.known.repository.id}:{escalation.episode}:{int(decision.say)}",
                texts().ladder_comment(view, decision.say),
            )
        yield from _editing(home, issue, decision, view, poc_id=poc.poc_id)


def _editing(
    home: RepositoryRef,
    issue: StallIssue,
    decision: StallDecision,
    view: StallView | None,
    *,
    poc_id: PocId,
) -> Iterator[EditIssue]:
    """Bring an existing issue up to date; an unchanged one isn't written."""
    assert issue.number is not None
    assert decision.escalation is not None
    edit = EditIssue(
        home,
        poc_id,
        issue.number,
        decision.escalation,
        state=str(IssueState.OPEN) if decision.step is Step.REOPEN else None,
        label=None if issue.labelled else STALL_LABEL,
    )
    if view is not None:
        title, body = texts().stall_issue(view)
        if issue.digest != text_digest(title, body):
            edit = replace(edit, title=title, body=body)
        if (view.assignee or "").lower() != (issue.assignee or "").lower():
            edit = replace(edit, assign=view.assignee, unassign=issue.assignee)
    if not edit.changes_nothing or decision.escalation != EscalationRecord(
        issue.episode, issue.rung, issue.reopened
    ):
        yield edit


def _view(ctx: Reconciliation, poc: Poc, facts: StallFacts, stall: Stall, home: RepositoryRef) -> StallView:
    """What its texts show: the calendar ends at the escalation step, so they stay until the next one."""
    repository, waiting, calendar = poc.known.repository, poc.waiting, ctx.policy.calendar
    began = calendar.day(facts.chartered_at or facts.registered_at)
    counted = None
    if stall.cause is not Cause.NO_CHARTER and began <= last_day(stall):
        happened = merged_timeline(ctx.store.timeline.of(poc.id), poc.learned)
        pauses = [each.period for each in waiting.pauses]
        counted = totals(
            time_breakdown(
                waiting.periods, pauses, happened, first=began, last=last_day(stall), calendar=calendar
            )
        )
    place = Place(
        repository.id,
        repository.full_name,
        elsewhere=home.id != repository.id,
        charter_url=charter_url(ctx, poc),
        draft_url=draft_url(ctx, poc),
    )
    moved = ship_date_changes([each.ship_by for each in waiting.ship_dates])
    today = calendar.day(ctx.now)
    return stall_view(stall, facts, place, slips=moved, began=began, totals=counted, today=today)
