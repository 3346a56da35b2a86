"""The one stall issue of a POC: how it stands on GitHub, where its place is, what is to be written there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from service.events.charter_check import charter_url, draft_url
from service.events.context import Look
from service.ports import GitHubError
from service.rules.facts import FactKind, Issue, IssueState, RepositoryRef, StallIssue
from service.rules.plan import STALL_LABEL, Action, Climbed, EditIssue, OpenIssue, PostComment, text_digest
from service.rules.poc import KnownRepository
from service.rules.report_stall import Place, StallView, last_day, stall_view
from service.rules.slips import slips
from service.rules.spans import spans, totals
from service.rules.stall import Cause, Stall, StallDecision, StallFacts, Step


def home_of(look: Look, known: KnownRepository, issue: StallIssue | None) -> RepositoryRef | None:
    """Where the issue stands or would stand: the POC's repository, or the central one; None for nowhere."""
    if issue is not None and issue.number is not None and issue.state is not IssueState.GONE:
        return issue.home or known.repository.ref
    if known.repository.has_issues:
        return known.repository.ref
    central = look.policy.central_repository
    if central is None:
        return None
    home = look.records.repositories.named(known.installation_id, central)
    described = look.records.repositories.find(home.id) if home else None
    return home if described and described.repository.has_issues else None


def present_issue(look: Look, known: KnownRepository) -> StallIssue | None:
    """Our issue as it is: read again when somebody changed it, so that a closed one is seen to be closed."""
    issues, repository_id = look.records.stall_issues, known.repository.id
    issue = issues.find(repository_id)
    if issue is None or issue.number is None or not look.told(FactKind.ISSUE_CHANGED):
        return issue
    home = issue.home or known.repository.ref
    present = _read(look, known, home, issue.number)
    if present is None:
        return issue
    if (present.full_name, present.number) != (home.full_name, issue.number) and present.full_name:
        moved = look.records.repositories.named(known.installation_id, present.full_name)
        if moved is None:
            present = replace(present, state=IssueState.GONE)
        else:
            issues.moved(repository_id, moved.id, present.number)
            issue = replace(issue, home=moved, number=present.number)
    if present.state is not issue.state:
        closed_by_us = issue.closed_by_us and present.state is IssueState.CLOSED
        issues.changed(repository_id, state=present.state, closed_by_us=closed_by_us, at=look.looked_at)
        issue = replace(issue, state=present.state, closed_by_us=closed_by_us)
        if present.state is IssueState.OPEN:
            issue = replace(issue, opened_at=look.looked_at)
    return replace(issue, labelled=STALL_LABEL in present.labels or present.state is IssueState.GONE)


def _read(look: Look, known: KnownRepository, home: RepositoryRef, number: int) -> Issue | None:
    """The issue, gone where it is; None where issues are switched off, and may come back with it."""
    github = look.github(known.installation_id)
    try:
        return github.issue(home, number)
    except GitHubError as error:
        if not error.gone:
            raise
        if not github.repository(home.id).has_issues:
            return None
        return Issue(number, IssueState.GONE, (), "", look.looked_at, "")


def stall_actions(
    look: Look,
    known: KnownRepository,
    facts: StallFacts,
    decision: StallDecision,
    home: RepositoryRef | None,
) -> Iterator[Action]:
    """What is to be written for a decision: what is said in the issue first, then the issue."""
    if decision.step is Step.NOTHING or home is None or decision.climbed is None:
        return
    issue, climbed = facts.issue, decision.climbed
    number = issue.number if issue else None
    if decision.step is Step.CLOSE:
        if number is not None:
            yield EditIssue(home, known.repository.id, number, climbed, state=str(IssueState.CLOSED))
        return
    view = _view(look, known, facts, decision.stall, home) if decision.stall else None
    if view is not None and (issue is None or number is None or decision.step is Step.OPEN):
        title, body = look.texts.stall_issue(view)
        day, most = look.policy.calendar.day(look.now), look.policy.issues_a_day
        yield OpenIssue(home, known.repository.id, title, body, view.assignee, day, most, climbed)
    elif issue is not None and number is not None:
        if decision.say and view is not None:
            # Before the edit, which notes how far up it is: a kill between the two repeats what is said once.
            yield PostComment(
                home,
                number,
                f"stall:{known.repository.id}:{climbed.episode}:{int(decision.say)}",
                look.texts.ladder_comment(view, decision.say),
            )
        yield from _editing(look, home, issue, decision, view, poc_id=known.repository.id)


def _editing(
    look: Look,
    home: RepositoryRef,
    issue: StallIssue,
    decision: StallDecision,
    view: StallView | None,
    *,
    poc_id: int,
) -> Iterator[EditIssue]:
    """Bring an issue that is there up to date; an unchanged one is not written."""
    assert issue.number is not None
    assert decision.climbed is not None
    edit = EditIssue(
        home,
        poc_id,
        issue.number,
        decision.climbed,
        state=str(IssueState.OPEN) if decision.step is Step.REOPEN else None,
        label=None if issue.labelled else STALL_LABEL,
    )
    if view is not None:
        title, body = look.texts.stall_issue(view)
        if issue.digest != text_digest(title, body):
            edit = replace(edit, title=title, body=body)
        if view.assignee and view.assignee.lower() != (issue.assignee or "").lower():
            edit = replace(edit, assign=view.assignee, unassign=issue.assignee)
    if not edit.changes_nothing or decision.climbed != Climbed(issue.episode, issue.rung, issue.reopened):
        yield edit


def _view(
    look: Look, known: KnownRepository, facts: StallFacts, stall: Stall, home: RepositoryRef
) -> StallView:
    """What its texts say: the calendar up to the rung's day, so that they stay until the next one."""
    repository, waiting, calendar = known.repository, look.records.waiting, look.policy.calendar
    happened = look.records.timeline.of(repository.id)
    began = calendar.day(facts.chartered_at or facts.registered_at)
    counted = None
    if stall.cause is not Cause.NO_CHARTER and began <= last_day(stall):
        turns, rests = waiting.turns(repository.id), waiting.rests(repository.id)
        counted = totals(spans(turns, rests, happened, first=began, last=last_day(stall), calendar=calendar))
    place = Place(
        repository.id,
        repository.full_name,
        elsewhere=home.id != repository.id,
        charter_url=charter_url(look, known),
        draft_url=draft_url(look, known),
    )
    moved = slips([each.ship_by for each in waiting.ship_dates(repository.id)])
    today = calendar.day(look.now)
    return stall_view(stall, facts, place, slips=moved, began=began, totals=counted, today=today)
