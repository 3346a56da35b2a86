"""Carry out what a reconciliation decided. Repeating an action is safe: what it did before is found first.

A pull request that changes the charter is found again by its branch; if GitHub refuses one, the answer to the
command that asked for it names the line to write instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import groupby
from typing import TypeVar, assert_never

import structlog

from service.ports import GitHubError
from service.reconcile.apply_messages import paced, post_comment, say
from service.reconcile.context import Reconciliation
from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import (
    PULL_REQUEST,
    STALL_LABEL,
    Action,
    Announce,
    AnswerDeployment,
    AskReviewer,
    CompleteCheckRun,
    CreateCheckRun,
    EditIssue,
    Offer,
    OpenIssue,
    OpenNotice,
    PostComment,
    PostedCheckRun,
    Propose,
    Proposed,
    React,
    stall_opening,
    text_digest,
)
from service.rules.values.github import IssueState
from service.store.database import LockBusyError
from service.store.messages import MessageState
from service.texts.markdown import replace_block

log = structlog.get_logger(__name__)

T = TypeVar("T")


def apply(ctx: Reconciliation, installation_id: int, actions: Sequence[Action]) -> None:
    """Carry out actions in their order with an installation's rights; raises `GitHubError`."""
    early: GitHubError | None = None
    for commit, several in groupby(actions, key=_commit_of):
        if commit is None:
            for action in several:
                try:
                    _apply_one(ctx, installation_id, action)
                except GitHubError as error:
                    if error.failure.kind is not FailureKind.UNSEEN:
                        raise
                    early = error  # what GitHub doesn't show yet doesn't hold up the others
        else:
            runs = [action for action in several if isinstance(action, CreateCheckRun)]
            _create_check_runs(ctx, installation_id, runs)
    if early is not None:
        raise early


def _commit_of(action: Action) -> tuple[int, str] | None:
    """The commit that a check run is posted on: those of one commit are posted under one lock."""
    return (action.repository.id, action.head_sha) if isinstance(action, CreateCheckRun) else None


def _apply_one(ctx: Reconciliation, installation_id: int, action: Action) -> None:
    match action:
        case CreateCheckRun():
            _create_check_runs(ctx, installation_id, [action])
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
            _propose(ctx, installation_id, action)
        case AskReviewer():
            _ask(ctx, installation_id, action)
        case PostComment() | OpenNotice() | Announce() | React() | AnswerDeployment():
            say(ctx, installation_id, action)
        case _:
            assert_never(action)


def _create_check_runs(ctx: Reconciliation, installation_id: int, actions: Sequence[CreateCheckRun]) -> None:
    """Post check runs on one commit: all are recorded as begun before the first is posted."""
    repository, head_sha = actions[0].repository, actions[0].head_sha
    posting = ctx.writing.check_runs.posting(repository.id, head_sha)
    with _alone(posting, f"another reconciliation posts on {head_sha[:7]}") as runs:
        newest = runs.newest_of(repository.id, head_sha)
        wanted = [each for each in actions if not _is_posted(newest.get(each.name), each)]
        begun = {
            each.name: newest[each.name]
            for each in wanted
            if each.name in newest and newest[each.name].digest == each.output.digest
        }
        new = {each.name: each.output for each in wanted if each.name not in begun}
        unsent = dict(runs.begin(repository.id, head_sha, ctx.key, new))
        github, sending = ctx.github(installation_id), ""
        try:
            for each in wanted:
                posted = begun.get(each.name) or unsent[each.name]
                where = repository, head_sha, each.name, posted.external_id
                github_id = github.find_check_run(*where) if each.name in begun else None
                if github_id is None:
                    unsent[each.name], sending = posted, each.name
                    details_url = ctx.details_url(repository, each.name)
                    github_id = github.create_check_run(*where, each.output, details_url=details_url)
                    del unsent[each.name]
                runs.posted(posted.row_id, github_id)
        except GitHubError as error:
            # One without an answer may be on GitHub; those that were refused, or never sent, aren't.
            if error.failure.kind is FailureKind.TRANSIENT:
                unsent.pop(sending, None)
            runs.forget([run.row_id for run in unsent.values()])
            raise


def _is_posted(posted: PostedCheckRun | None, action: CreateCheckRun) -> bool:
    """Whether another reconciliation of the same commit was faster."""
    return posted is not None and posted.digest == action.output.digest and posted.github_id is not None


@contextmanager
def _alone(lock: AbstractContextManager[T], otherwise: str) -> Iterator[T]:
    """Hold a lock; if somebody else has it, the reconciliation is retried later."""
    with ExitStack() as stack:
        try:
            held = stack.enter_context(lock)
        except LockBusyError as error:
            raise GitHubError(Failure(FailureKind.TRANSIENT, otherwise)) from error
        yield held


def _open_issue(ctx: Reconciliation, installation_id: int, action: OpenIssue) -> None:
    home, issues = action.repository, ctx.writing.stall_issues
    if not issues.begin(
        action.poc_id,
        installation_id,
        action.day,
        action.most,
        home_repository_id=None if home.id == action.repository_id else home.id,
        escalation=action.escalation,
    ):
        return  # today's quota is used up; tomorrow's reconciliation opens it
    # Reserve the daily quota first: issues that wait for a write slot count against it.
    with paced(ctx, installation_id):
        github = ctx.github(installation_id)
        issue = github.find_issue(home, STALL_LABEL, stall_opening(action.repository_id))
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
        return  # if issues are disabled, this one reappears when they are enabled again: not recorded as gone
    issues.edited(action, at=ctx.looked_at)


def _propose(ctx: Reconciliation, installation_id: int, action: Propose) -> None:
    """Open the pull requests that aren't open yet, and answer the command; raises `GitHubError`."""
    if ctx.writing.messages.was_said(action.repository.id, action.key):
        return
    said = [
        each if isinstance(each, str) else _offered(ctx, installation_id, action, each)
        for each in action.said
    ]
    answer = PostComment(action.repository, action.number, action.key, "\n".join(said))
    post_comment(ctx, installation_id, answer)


def _offered(ctx: Reconciliation, installation_id: int, action: Propose, offer: Offer) -> str:
    """The text about the pull request, or the line to write if there is none."""
    try:
        proposed = _opened(ctx, installation_id, offer)
    except GitHubError as error:
        if not error.final:
            raise
        branch, reason = offer.proposal.branch, error.failure.message
        log.warning("no pull request", subject=ctx.key, branch=branch, reason=reason)
        proposed = None
    if proposed is None:
        return offer.line
    elsewhere = offer.repository.id != action.repository.id
    reference = f"{offer.repository.full_name if elsewhere else ''}#{proposed.number}"
    return offer.said[proposed.state].replace(PULL_REQUEST, reference)


def _opened(ctx: Reconciliation, installation_id: int, offer: Offer) -> Proposed | None:
    """The pull request, opened if it isn't there yet; None if we have no permission for it."""
    proposals = ctx.proposals(installation_id)
    if proposals is None:
        return None
    # Look for an existing pull request first: the write slot of the attempt that opened it serves the answer.
    found = proposals.find(offer.repository, offer.proposal.branch)
    if found is not None:
        return found
    with paced(ctx, installation_id):
        return proposals.open(offer.repository, offer.proposal)


def _ask(ctx: Reconciliation, installation_id: int, action: AskReviewer) -> None:
    """Ask one; who may not review there is left out. Raises `GitHubError`."""
    messages, repository_id = ctx.writing.messages, action.repository.id
    reviewers = ctx.reviewers(installation_id)
    if reviewers is None or messages.begin(repository_id, action.key) is MessageState.SAID:
        return
    try:
        reviewers.ask(action.repository, action.number, action.login)
    except GitHubError as error:
        if not error.final:
            messages.forget(repository_id, action.key)
            raise
        log.warning("no reviewer", subject=ctx.key, action=str(action), reason=error.failure.message)
    messages.said(repository_id, action.key, action.number, 0)
