"""Ask those who sign as reviewers, where an organisation lets us: each once on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from service.ports import GitHubError
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.rules.commands.charter_changes import may_ask_reviewers
from service.rules.values.actions import AskReviewer
from service.store.messages import MessageState

log = structlog.get_logger(__name__)


def ask_reviewers(ctx: Reconciliation, poc: Poc, number: int, people: Sequence[str]) -> Decision:
    """Ask those who have not signed yet, but for the author: GitHub takes no review of one's own."""
    installation_id, repository = poc.known.installation_id, poc.known.repository.ref
    if ctx.observe or not people or not may_ask_reviewers(ctx.permissions(installation_id)):
        return Decision("", (), installation_id)
    author = poc.record.pulls[number].author.lower()
    asked = (AskReviewer(repository, number, login) for login in people if login.lower() != author)
    new = tuple(each for each in asked if not ctx.store.messages.was_begun(repository.id, each.key))
    return Decision("", new, installation_id)


def ask(ctx: Reconciliation, installation_id: int, action: AskReviewer) -> None:
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
