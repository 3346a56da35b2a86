"""Open pull requests that change the charter, and answer the commands that asked for them.

What was opened is found again by its branch, so each step may be repeated. Where GitHub does not take a pull
request, the line to write is said instead.
"""

from __future__ import annotations

import structlog

from service.ports import GitHubError
from service.reconcile.apply_messages import paced, post_comment
from service.reconcile.context import Reconciliation
from service.rules.queue.retry import FailureKind
from service.rules.values.actions import PULL_REQUEST, Offer, PostComment, Propose, Proposed

log = structlog.get_logger(__name__)

_NEVER = (FailureKind.GONE, FailureKind.REFUSED)
"""Asking again would be answered the same."""


def propose(ctx: Reconciliation, installation_id: int, action: Propose) -> None:
    """Open what was not opened before, and say what came of it; raises `GitHubError`."""
    if ctx.writing.messages.was_said(action.repository.id, action.key):
        return
    said = [
        each if isinstance(each, str) else _offered(ctx, installation_id, action, each)
        for each in action.said
    ]
    answer = PostComment(action.repository, action.number, action.key, "\n".join(said))
    post_comment(ctx, installation_id, answer)


def _offered(ctx: Reconciliation, installation_id: int, action: Propose, offer: Offer) -> str:
    """What is said of a pull request, or the line to write where there is none."""
    try:
        proposed = _opened(ctx, installation_id, offer)
    except GitHubError as error:
        if error.failure.kind not in _NEVER:
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
    """The pull request, opened unless it was before; None where it may not be."""
    proposals = ctx.proposals(installation_id)
    if proposals is None:
        return None
    # Found before a turn is asked for: the turn of the look that opened it is that of the answer now.
    found = proposals.find(offer.repository, offer.proposal.branch)
    if found is not None:
        return found
    with paced(ctx, installation_id):
        return proposals.open(offer.repository, offer.proposal)
