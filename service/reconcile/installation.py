"""List an installation's repositories, mark those that changed, and read its permissions.

The charters of new repositories are read a hundred at a time. What isn't a POC is known by that, and needs
no reconciliation of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from service.ports import GitHub, GitHubError
from service.reconcile.context import Decision, Reconciliation
from service.rules.checks.judge import declares
from service.rules.policy.recognition import exclusion, poc_reason, uses_properties
from service.rules.queue import Urgency
from service.rules.source.text import FileKind
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
    known = 0
    try:
        for page in _pages(github.repositories()):
            listed += [repository.id for repository in page]
            differ = repositories.listed(installation_id, page)
            if not differ:
                continue
            no_pocs = _no_pocs(ctx, github, installation_id, differ)
            known += len(no_pocs)
            new = [each for each in differ if each not in no_pocs]
            repositories.mark(new, at_most=Urgency.NOBODY)  # with each page: the next one may fail
            changed += new
    except GitHubError as error:
        if not error.gone or listed:
            raise
        # A server without this list: read the repositories that events named, each by its id.
        changed = repositories.ids(installation_id, pocs_only=False)
        repositories.mark(changed, at_most=Urgency.NOBODY)
    else:
        repositories.keep_only(installation_id, listed)
    others = [*_propertied(ctx, installation_id), *_overlooked(ctx, installation_id)]
    if ctx.told(EventKind.ACCESS_GRANTED) or (before and described.grew(before.installation)):
        # What could not be read or written meanwhile is due now, and events may not have been delivered.
        others += repositories.reread_pocs(installation_id)
        ctx.writing.installations.mark_left(installation_id)
    repositories.mark(others, at_most=Urgency.NOBODY)
    strangers = f", {known} no POC" if known else ""
    left = len({*changed, *others})
    return Decision(f"{len(listed)} repositories listed, {left} to look at{strangers}")


def _no_pocs(
    ctx: Reconciliation, github: GitHub, installation_id: int, differ: Sequence[int]
) -> frozenset[int]:
    """Those of the repositories that aren't POCs and never were: nothing is to be done about them.

    The charters of the others are read with them, as far as GitHub tells what they are.
    """
    policy, repositories = ctx.writing.policies.in_force(installation_id), ctx.writing.repositories
    strangers = {known.repository.id: known.repository for known in repositories.strangers(differ)}
    asked = {key: each for key, each in strangers.items() if exclusion(each, policy) is None}
    found = github.charter_files([each.ref for each in asked.values()]) if asked else {}
    # What is there and isn't a charter may be a link to one.
    certain = [
        (asked[key], file) for key, file in found.items() if file.kind is FileKind.ABSENT or declares(file)
    ]
    stored = repositories.charters_read(installation_id, certain, ctx.looked_at)
    no_pocs = {
        each.id
        for each, file in certain
        if each.id in stored and poc_reason(each, declares_charter=declares(file), policy=policy) is None
    }
    return frozenset(no_pocs | (strangers.keys() - asked.keys()))


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


def _overlooked(ctx: Reconciliation, installation_id: int) -> list[int]:
    """What the policy makes something else of by now: it may have come while repositories were listed."""
    policy = ctx.writing.policies.in_force(installation_id)
    return [
        known.repository.id
        for known in ctx.writing.repositories.known(installation_id)
        if known.poc_reason
        != poc_reason(
            known.repository,
            declares_charter=known.charter is not None and declares(known.charter),
            policy=policy,
        )
    ]


def _pages(repositories: Iterable[Repository]) -> Iterator[list[Repository]]:
    rest = iter(repositories)
    while page := list(islice(rest, PAGE)):
        yield page
