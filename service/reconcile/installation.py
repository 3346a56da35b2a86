"""List an installation's repositories, mark those that changed, and read its permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from service.ports import GitHubError
from service.reconcile.context import Decision, Reconciliation
from service.rules.policy.recognition import uses_properties
from service.rules.queue import Urgency
from service.rules.values.github import EventKind, Repository

PAGE = 100


def reconcile_installation(ctx: Reconciliation, installation_id: int) -> Decision:
    """List what the installation covers, a hundred a call, and mark what differs from the recorded events."""
    ctx.app.forget_token(installation_id)
    before, described = ctx.writing.installations.find(installation_id), ctx.app.describe(installation_id)
    ctx.writing.installations.remember(described)
    github = ctx.github(installation_id)
    repositories = ctx.writing.repositories
    listed: list[int] = []
    changed: list[int] = []
    try:
        for page in _pages(github.repositories()):
            listed += [repository.id for repository in page]
            changed += repositories.listed(installation_id, page)
    except GitHubError as error:
        if not error.gone or listed:
            raise
        # A server without this list: read the repositories that events named, each by its id.
        changed = repositories.ids(installation_id, pocs_only=False)
    else:
        repositories.keep_only(installation_id, listed)
    changed += _propertied(ctx, installation_id)
    if ctx.told(EventKind.ACCESS_GRANTED) or (before and described.grew(before.installation)):
        # What could not be read or written meanwhile is due now, and events may not have been delivered.
        changed += repositories.reread_pocs(installation_id)
        ctx.writing.installations.mark_left(installation_id)
    repositories.mark(changed, at_most=Urgency.NOBODY)
    return Decision(f"{len(listed)} repositories listed, {len(changed)} to look at")


def _propertied(ctx: Reconciliation, installation_id: int) -> list[int]:
    """The repositories whose custom properties changed, if the policy uses properties."""
    known = ctx.writing.installations.find(installation_id)
    policy = ctx.writing.policies.in_force(installation_id)
    if known is None or not uses_properties(policy):
        return []
    github = ctx.github(installation_id)
    try:
        told = dict(github.property_values(known.installation.account))
    except GitHubError as error:
        if not error.final:
            raise
        return []  # no organisation, or no permission: only recorded events say something
    return ctx.writing.repositories.propertied(installation_id, told)


def _pages(repositories: Iterable[Repository]) -> Iterator[list[Repository]]:
    rest = iter(repositories)
    while page := list(islice(rest, PAGE)):
        yield page
