"""Files of a commit, each read once: a commit does not change, and neither does a blob."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.reconcile.context import Reconciliation
from service.rules.checks.judge import judge
from service.rules.policy.poc import KnownRepository
from service.rules.source.text import CHARTER_PATH, CharterFile, FileKind
from service.rules.values.github import Commit
from service.store.contents import Blob


def blobs_at(
    ctx: Reconciliation, known: KnownRepository, commit_sha: str, paths: Sequence[str]
) -> Mapping[str, str | None]:
    """Which blobs stand at paths of a commit; one call for all that is not known."""
    contents, repository = ctx.records.contents, known.repository.ref
    remembered = contents.blobs_at(repository.id, commit_sha, paths)
    missing = [path for path in paths if path not in remembered]
    if not missing:
        return remembered
    found = ctx.github(known.installation_id).blob_shas(repository, commit_sha, missing)
    contents.remember_blobs_at(repository.id, commit_sha, found)
    return {**remembered, **found}


def blob(ctx: Reconciliation, known: KnownRepository, blob_sha: str) -> Blob:
    """A file's content, and when it was first seen."""
    contents, repository = ctx.records.contents, known.repository.ref
    remembered = contents.blob(repository.id, blob_sha)
    if remembered is not None:
        return remembered
    data = ctx.github(known.installation_id).blob(repository, blob_sha)
    return contents.remember_blob(repository.id, blob_sha, data, ctx.looked_at)


def commit(ctx: Reconciliation, known: KnownRepository, sha: str) -> Commit:
    """A commit's tree and parents."""
    contents, repository = ctx.records.contents, known.repository.ref
    remembered = contents.commit(repository.id, sha)
    if remembered is not None:
        return remembered
    found = ctx.github(known.installation_id).commit(repository, sha)
    contents.remember_commit(repository.id, found)
    return found


def charter_at(
    ctx: Reconciliation, known: KnownRepository, commit_sha: str, *, again: bool = False
) -> CharterFile:
    """What stands at the charter's path at a commit; read once, since a commit does not change.

    Somebody who asks `again` may doubt an answer that it was not there.
    """
    remembered = ctx.records.pull_requests.charter_at(known.repository.id, commit_sha)
    if remembered is not None and not (again and remembered.kind is FileKind.ABSENT):
        return remembered
    read = _charter_by_blob(ctx, known, commit_sha)
    if read is None:
        read = ctx.github(known.installation_id).charter_file(known.repository.ref, commit_sha)
    ctx.records.pull_requests.remember_charter_at(known.repository.id, commit_sha, read)
    proposed = read.kind is FileKind.FILE and (known.charter is None or known.charter.kind is FileKind.ABSENT)
    if proposed and not ctx.dry:
        ctx.records.repositories.mark([known.repository.id])  # it follows that a charter is proposed
    return read


def _charter_by_blob(ctx: Reconciliation, known: KnownRepository, commit_sha: str) -> CharterFile | None:
    """The charter of a commit whose tree is looked into anyway, because evidence lies in its files.

    None where that does not tell: no such file, or something else than a file.
    """
    files = evidence_files(ctx, known)
    if not files:
        return None
    blob_sha = blobs_at(ctx, known, commit_sha, (CHARTER_PATH, *files))[CHARTER_PATH]
    if blob_sha is None:
        return None
    if known.charter is not None and blob_sha == known.charter.blob_sha and known.charter.data is not None:
        return known.charter
    data = blob(ctx, known, blob_sha).data
    return None if data is None else CharterFile(FileKind.FILE, data, blob_sha, len(data))


def evidence_files(ctx: Reconciliation, known: KnownRepository) -> tuple[str, ...]:
    """The files in which the default branch's charter finds its numbers."""
    if known.charter is None:
        return ()
    charter = judge(known.charter, today=ctx.now.date()).charter
    lines = charter.evidence if charter else ()
    return tuple(dict.fromkeys(line.reading.file for line in lines))
