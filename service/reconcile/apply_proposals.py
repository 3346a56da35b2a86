"""Open pull requests that change the charter, and answer the commands that asked for them.

A pull request is found again by its branch, so each step may be repeated. If GitHub refuses one, the answer
names the line to write instead.
"""

from __future__ import annotations

import structlog

from service.ports import GitHubError
from service.reconcile.apply_messages import paced, post_comment
from service.reconcile.context import Reconciliation
from service.rules.values.actions import PULL_REQUEST, Offer, PostComment, Propose, Proposed

log = structlog.get_logger(__name__)


def propose(ctx: Reconciliation, installation_id: int, action: Propose) -> None:
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
