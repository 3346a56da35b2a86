"""Carry out what a look decided. Each action may be repeated: what was done already is found first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from service.ports import GitHubError
from service.reconcile.apply_messages import paced, say
from service.reconcile.apply_proposals import propose
from service.reconcile.context import Reconciliation
from service.rules.queue.retry import Failure, FailureKind
from service.rules.values.actions import (
    STALL_LABEL,
    Action,
    CompleteCheckRun,
    CreateCheckRun,
    EditIssue,
    OpenIssue,
    Propose,
    stall_opening,
    text_digest,
)
from service.rules.values.github import IssueState
from service.rules.values.issue_block import replace_block
from service.store.database import LockBusyError


def apply(ctx: Reconciliation, installation_id: int, action: Action) -> None:
    """Carry out one action with an installation's rights; raises `GitHubError`."""
    match action:
        case CreateCheckRun():
            _create_check_run(ctx, installation_id, action)
        case CompleteCheckRun():
            github = ctx.github(installation_id)
            github.complete_check_run(action.repository, action.check_run_id, action.output)
        case OpenIssue():
            _open_issue(ctx, installation_id, action)
        case EditIssue(changes_nothing=True):
            ctx.writing.stall_issues.edited(action, at=ctx.looked_at)
        case EditIssue():
            with paced(ctx, installation_id):
                _edit_issue(ctx, installation_id, action)
        case Propose():
            propose(ctx, installation_id, action)
        case _:
            say(ctx, installation_id, action)


def _create_check_run(ctx: Reconciliation, installation_id: int, action: CreateCheckRun) -> None:
    repository, head_sha, name, output = action.repository, action.head_sha, action.name, action.output
    runs = ctx.writing.check_runs
    with _alone(runs.posting(repository.id, head_sha), f"another look posts on {head_sha[:7]}"):
        posted = runs.newest(repository.id, head_sha, name)
        if posted is not None and posted.digest == output.digest and posted.github_id is not None:
            return  # another look at the same commit was faster
        github = ctx.github(installation_id)
        if posted is None or posted.digest != output.digest:
            posted = runs.begin(repository.id, head_sha, name, ctx.key, output)
        elif found := github.find_check_run(repository, head_sha, name, posted.external_id):
            runs.posted(posted.row_id, found)
            return
        try:
            created = github.create_check_run(repository, head_sha, name, posted.external_id, output)
        except GitHubError as error:
            if error.failure.kind is not FailureKind.TRANSIENT:
                runs.forget(posted.row_id)  # GitHub said no, so there is nothing to be found later
            raise
        runs.posted(posted.row_id, created)


@contextmanager
def _alone(lock: AbstractContextManager[None], otherwise: str) -> Iterator[None]:
    """Hold a lock, or come back later."""
    with ExitStack() as stack:
        try:
            stack.enter_context(lock)
        except LockBusyError as error:
            raise GitHubError(Failure(FailureKind.TRANSIENT, otherwise)) from error
        yield


def _open_issue(ctx: Reconciliation, installation_id: int, action: OpenIssue) -> None:
    home, issues = action.repository, ctx.writing.stall_issues
    if not issues.begin(
        action.poc_id,
        installation_id,
        action.day,
        action.most,
        home_repository_id=home.id,
        escalation=action.escalation,
    ):
        return  # others were faster today; tomorrow's look opens it
    # Begun before its turn comes: who waits for one counts towards the day's number.
    with paced(ctx, installation_id):
        github = ctx.github(installation_id)
        issue = github.find_issue(home, STALL_LABEL, stall_opening(action.poc_id))
        if issue is None:
            issue = github.open_issue(home, action.title, action.body, STALL_LABEL, action.assignee)
    issues.opened(
        action.poc_id,
        issue,
        text_digest(action.title, action.body) if issue.body == action.body else "",
        action.escalation,
        assignee=action.assignee,
    )


def _edit_issue(ctx: Reconciliation, installation_id: int, action: EditIssue) -> None:
    github, issues = ctx.github(installation_id), ctx.writing.stall_issues
    try:
        body = action.body
        if body is not None:
            # What people wrote around our block may have changed since.
            body = replace_block(github.issue(action.repository, action.number).body, body)
        github.edit_issue(
            action.repository,
            action.number,
            title=action.title,
            body=body,
            state=action.state,
            label=action.label,
            assign=action.assign,
            unassign=action.unassign,
        )
    except GitHubError as error:
        if not error.gone:
            raise
        if github.repository(action.repository.id).has_issues:
            issues.became(action.poc_id, IssueState.GONE)
        return  # where they are switched off, they may come back with this one in them
    issues.edited(action, at=ctx.looked_at)
