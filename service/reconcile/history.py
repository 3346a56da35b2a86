"""What people did before a POC was registered, read into the timeline once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from service.ports import GitHubError
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.values.activity import Activity
from service.rules.values.github import PullRequest

SPAN = timedelta(days=180)


def read_history(ctx: Reconciliation, poc: Poc) -> None:
    """Read what people did in the last half year; if GitHub refuses a part, it is left out."""
    if not _is_due(poc):
        return
    if ctx.saves_calls(poc.known.installation_id):
        ctx.look_again(ctx.now)
        return
    repository, github = poc.known.repository, ctx.github(poc.known.installation_id)
    try:
        told = list(github.history(repository.ref, repository.default_branch, ctx.looked_at - SPAN))
    except GitHubError as error:
        if not error.final:
            raise
        return
    _keep(ctx, poc, told)


def read_beginnings(ctx: Reconciliation, poc: Poc) -> tuple[PullRequest, ...] | None:
    """Read the same in one call with the open pull requests; None if GitHub doesn't tell those with it."""
    if not _is_due(poc):
        return None
    repository, github = poc.known.repository, ctx.github(poc.known.installation_id)
    told = github.beginnings(repository.ref, repository.default_branch, ctx.looked_at - SPAN)
    if told is None:
        return None
    _keep(ctx, poc, told.activities)
    return told.open_pull_requests


def _is_due(poc: Poc) -> bool:
    """Once; a dormant POC is left alone until somebody pushes."""
    return not (poc.known.dormant or poc.known.repository.archived or poc.record.poc.history_read)


def _keep(ctx: Reconciliation, poc: Poc, told: Iterable[Activity]) -> None:
    # A commit's date comes from its author's clock, which may be wrong.
    happened = [replace(each, at=min(each.at, ctx.looked_at)) for each in told]
    poc.history_read(happened, ctx.looked_at)
