"""Registration: what a repository's default branch says, and whether it is a POC.

The first reconciliation of any subject of a repository does it, so that one that we first learn of
through a pull request is registered too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.ports import GitHub, GitHubError
from service.reconcile.context import Reconciliation
from service.reconcile.history import read_beginnings
from service.reconcile.poc import Poc
from service.rules.checks.judge import declares
from service.rules.checks.verdict import same
from service.rules.policy.recognition import KnownRepository, exclusion, poc_reason
from service.rules.queue import Failure, FailureKind
from service.rules.source.text import CHARTER_PATH
from service.rules.values.daily_round import next_look
from service.rules.values.github import EventKind, PullRequest, RepositoryRef
from service.store.database import LockClass

MEANWHILE = timedelta(seconds=1)
"""Registering takes about three calls."""


def gather(ctx: Reconciliation, repository_id: int, *, number: int | None = None) -> Poc | None:
    """What is stored of a repository; None if no event named it."""
    record = ctx.store.poc_records.find(repository_id, number=number)
    if record is None:
        return None
    ctx.knows(record.installation)
    return Poc(record, ctx.store, ctx.notes)


def registered(ctx: Reconciliation, poc: Poc | None) -> Poc | None:
    """The repository, its default branch read if that is due; None if it isn't known any more."""
    if poc is None or poc.known.removed:
        return None
    ctx.under(poc.record.policy, poc.record.installation, poc.known.repository)
    ctx.look_again(next_look(ctx.now, poc.id, ctx.policy.calendar))
    if poc.id not in ctx.registering and (not poc.known.described or _must_read(ctx, poc.known)):
        _take_turn(ctx, poc)
    if not poc.known.described:
        poc.described(ctx.github(poc.known.installation_id).repository(poc.id))
    _register(ctx, poc)
    return poc


def _take_turn(ctx: Reconciliation, poc: Poc) -> None:
    """Be the one who registers it: who comes meanwhile waits, and then finds it done."""
    known = poc.known
    alone = ctx.take(LockClass.REGISTRATION, str(poc.id))
    if alone and ctx.store.repositories.find(poc.id) == known:
        ctx.registering.add(poc.id)
        return
    message = f"{known.repository.full_name} is being registered by another reconciliation"
    raise GitHubError(
        Failure(FailureKind.PACED, message, ctx.clock() + (timedelta() if alone else MEANWHILE))
    )


def _register(ctx: Reconciliation, poc: Poc) -> None:
    known = poc.known
    charter, read = known.charter, None
    if exclusion(known.repository, ctx.policy) is not None and ctx.told(EventKind.CHARTER_PUSHED):
        ctx.notes.repositories.unread(poc.id)  # once nothing excludes it any more, no event tells of this
    if _must_read(ctx, known):
        github = ctx.github(known.installation_id)
        charter = read = github.charter_file(
            known.repository.ref, newest_push(ctx, EventKind.CHARTER_PUSHED, known.repository.default_branch)
        )
    declared = charter is not None and declares(charter)
    reason = poc_reason(known.repository, declares_charter=declared, policy=ctx.policy)
    if read is None and reason == known.poc_reason:
        return
    found = known.poc_reason is None or known.reread
    if reason is not None and poc.record.poc_id is None:
        # Committed by itself: the notes of a POC name its record.
        poc.begun(ctx.writing.pocs.begin(poc.id, CHARTER_PATH, ctx.looked_at))
    if reason is not None and found:
        # Of a new POC, or of one that changed without an event.
        list_pull_requests(ctx, poc, found=read_beginnings(ctx, poc))
    if reason is not None and known.poc_reason is None:
        ctx.notes.repositories.mark([poc.id])  # if a pull request came first, the repository is next
    changed = read is not None and not same(read, known.charter or read)
    ceased = reason is None and known.poc_reason is not None
    poc.registered(
        reason,
        read,
        declared=declared,
        at=ctx.looked_at,
        tell_pull_requests=ceased or (reason is not None and (found or changed)),
    )


def list_pull_requests(
    ctx: Reconciliation,
    poc: Poc,
    *,
    unless_since: datetime | None = None,
    found: Sequence[PullRequest] | None = None,
) -> bool:
    """Find out which pull requests are open, unless done since then; returns whether events were missed."""
    listed_at = poc.record.poc.pulls_listed_at
    if listed_at is not None and unless_since is not None and listed_at >= unless_since:
        return False
    github, repository = ctx.github(poc.known.installation_id), poc.known.repository.ref
    if found is None:
        found = tuple(github.open_pull_requests(repository))
    others = sorted(set(poc.record.open_numbers) - {pull.number for pull in found})
    now = [
        read_pull_request(github, repository, number)
        or replace(poc.record.pulls[number], state="closed", updated_at=ctx.looked_at)
        for number in others
    ]
    missed = poc.pull_requests_read([*found, *now])
    poc.pull_requests_listed(ctx.looked_at)
    if missed:
        ctx.notes.pull_requests.mark(poc.id, missed)
    return bool(missed)


def read_pull_request(github: GitHub, repository: RepositoryRef, number: int) -> PullRequest | None:
    """A pull request as GitHub shows it; None where it has none of that number."""
    try:
        return github.pull_request(repository, number)
    except GitHubError as error:
        if not error.gone:
            raise
        return None


def newest_push(ctx: Reconciliation, kind: EventKind, branch: str) -> str:
    """The commit that was pushed last; the branch's name if no push was recorded, or two at one time."""
    pushes = [fact for fact in ctx.facts if fact.kind is kind]
    last = max((fact.at for fact in pushes), default=None)
    commits = {fact.detail for fact in pushes if fact.at == last}
    return commits.pop() if len(commits) == 1 and all(commits) else branch


def _must_read(ctx: Reconciliation, known: KnownRepository) -> bool:
    """Whether the default branch's charter isn't known.

    No bytes are kept of what isn't a POC, and a submodule may be stored as nothing.
    """
    if exclusion(known.repository, ctx.policy) is not None:
        return False
    charter = known.charter
    unknown = charter is None or charter.data is None
    reason = poc_reason(known.repository, declares_charter=False, policy=ctx.policy)
    may_be_poc = known.poc_reason is None and reason is not None
    return charter is None or known.reread or ctx.told(EventKind.CHARTER_PUSHED) or (unknown and may_be_poc)
