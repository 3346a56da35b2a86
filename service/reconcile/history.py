"""What people did before a POC was registered, read into the timeline once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.ports import GitHubError
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc

SPAN = timedelta(days=180)


def read_history(ctx: Reconciliation, poc: Poc) -> None:
    """Read what people did in the last half year; if GitHub refuses a part, it is left out.

    A dormant POC is left alone until somebody pushes.
    """
    repository = poc.known.repository
    if poc.known.dormant or repository.archived or poc.record.poc.history_read:
        return
    github = ctx.github(poc.known.installation_id)
    try:
        told = list(github.history(repository.ref, repository.default_branch, ctx.looked_at - SPAN))
    except GitHubError as error:
        if not error.final:
            raise
        return
    # A commit's date comes from its author's clock, which may be wrong.
    happened = [replace(each, at=min(each.at, ctx.looked_at)) for each in told]
    poc.history_read(happened, ctx.looked_at)
