"""Registration: what a repository's default branch says, and whether it is a POC.

Done by whichever look comes first, so that a repository first heard of through a pull request is known too.
"""

from __future__ import annotations

from service.reconcile.context import Look
from service.rules.checks.judge import declares
from service.rules.checks.verdict import same
from service.rules.policy.poc import KnownRepository
from service.rules.policy.recognition import exclusion, poc_reason
from service.rules.source.text import FileKind
from service.rules.values.github import FactKind


def registered(look: Look, repository_id: int) -> KnownRepository | None:
    """A repository whose default branch was read; None if nobody ever told of it, or it was taken away."""
    known = look.records.repositories.find(repository_id)
    if known is None or known.removed:
        return None
    if not known.described:
        github = look.github(known.installation_id)
        described = github.repository(repository_id)
        look.records.repositories.listed(known.installation_id, [described])
        known = look.records.repositories.find(repository_id) or known
    look.under(look.records.policies.in_force(known.installation_id))
    return _register(look, known)


def _register(look: Look, known: KnownRepository) -> KnownRepository:
    charter, read = known.charter, None
    if _must_read(look, known):
        github = look.github(known.installation_id)
        charter = read = github.charter_file(
            known.repository.ref, newest_push(look, FactKind.CHARTER_PUSHED, known.repository.default_branch)
        )
    declared = charter is not None and declares(charter)
    reason = poc_reason(known.repository, declares_charter=declared, policy=look.policy)
    if read is None and reason == known.poc_reason:
        return known
    found = known.poc_reason is None or known.reread
    if reason is not None and found:
        _list_pull_requests(look, known)
    changed = read is not None and not same(read, known.charter or read)
    return look.records.repositories.register(
        known.repository.id,
        reason,
        read,
        declared=declared,
        at=look.looked_at,
        tell_pull_requests=reason is not None and (found or changed),
    )


def newest_push(look: Look, kind: FactKind, branch: str) -> str:
    """The commit that was pushed last; the branch's name where that is not told, or by two at once."""
    pushes = [fact for fact in look.facts if fact.kind is kind]
    last = max((fact.at for fact in pushes), default=None)
    commits = {fact.detail for fact in pushes if fact.at == last}
    return commits.pop() if len(commits) == 1 and all(commits) else branch


def _must_read(look: Look, known: KnownRepository) -> bool:
    """Whether the default branch's charter is not known; of a repository that is no POC no bytes are kept."""
    if exclusion(known.repository, look.policy) is not None:
        return False
    charter = known.charter
    unknown = charter is None or (charter.kind is FileKind.FILE and charter.data is None)
    reason = poc_reason(known.repository, declares_charter=False, policy=look.policy)
    may_be_poc = known.poc_reason is None and reason is not None
    return charter is None or known.reread or look.told(FactKind.CHARTER_PUSHED) or (unknown and may_be_poc)


def _list_pull_requests(look: Look, known: KnownRepository) -> None:
    """Learn which pull requests are open in a new POC, or in one that moved without our being told."""
    repository = known.repository
    listed = look.github(known.installation_id).open_pull_requests(repository.ref)
    look.records.pull_requests.remember_open(repository.id, listed, look.looked_at)
