"""Files of a commit, each read once: it doesn't change, nor does a blob; and where the charter is edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.draft import draft
from service.rules.checks.judge import judge
from service.rules.source.text import CHARTER_PATH, CharterFile, FileKind
from service.rules.values.github import Commit, PullRequest
from service.store.contents import Blob


def blobs_at(
    ctx: Reconciliation, poc: Poc, commit_sha: str, paths: Sequence[str]
) -> Mapping[str, str | None]:
    """The blobs at paths of a commit; one call for all that aren't known."""
    if missing := [path for path in paths if (commit_sha, path) not in poc.blob_shas]:
        _add(poc.blob_shas, commit_sha, ctx.store.contents.blobs_at(poc.id, commit_sha, missing))
    if missing := [path for path in paths if (commit_sha, path) not in poc.blob_shas]:
        github = ctx.github(poc.known.installation_id)
        found = github.blob_shas(poc.known.repository.ref, commit_sha, missing)
        ctx.notes.contents.remember_blobs_at(poc.id, commit_sha, found)
        _add(poc.blob_shas, commit_sha, found)
    return {path: poc.blob_shas[commit_sha, path] for path in paths}


def _add(known: dict[tuple[str, str], str | None], commit_sha: str, found: Mapping[str, str | None]) -> None:
    known.update({(commit_sha, path): blob_sha for path, blob_sha in found.items()})


def blob(ctx: Reconciliation, poc: Poc, blob_sha: str) -> Blob:
    """A file's content, and when it was first seen."""
    if blob_sha not in poc.blobs:
        poc.blobs[blob_sha] = ctx.store.contents.blob(poc.id, blob_sha) or _read_blob(ctx, poc, blob_sha)
    return poc.blobs[blob_sha]


def _read_blob(ctx: Reconciliation, poc: Poc, blob_sha: str) -> Blob:
    data = ctx.github(poc.known.installation_id).blob(poc.known.repository.ref, blob_sha)
    ctx.notes.contents.remember_blob(poc.id, blob_sha, data, ctx.looked_at)
    # A blob whose content was deleted keeps the time when it was first seen.
    return Blob(data, ctx.store.contents.first_seen(poc.id, blob_sha) or ctx.looked_at)


def commit(ctx: Reconciliation, poc: Poc, sha: str) -> Commit:
    """A commit's tree and parents."""
    if sha not in poc.commits:
        known = ctx.store.contents.commit(poc.id, sha)
        if known is None:
            known = ctx.github(poc.known.installation_id).commit(poc.known.repository.ref, sha)
            ctx.notes.contents.remember_commit(poc.id, known)
        poc.commits[sha] = known
    return poc.commits[sha]


def charter_at(ctx: Reconciliation, poc: Poc, commit_sha: str, *, again: bool = False) -> CharterFile:
    """The file at the charter's path at a commit; read once, since a commit doesn't change.

    `again` asks GitHub once more if the file wasn't there: the earlier answer may have been wrong.
    """
    known = poc.charters.get(commit_sha)
    if known is not None:
        return known
    remembered = ctx.store.pull_requests.charter_at(poc.id, commit_sha)
    if remembered is not None and not (again and remembered.kind is FileKind.ABSENT):
        poc.charters[commit_sha] = remembered
        return remembered
    read = _charter_by_blob(ctx, poc, commit_sha)
    if read is None:
        read = ctx.github(poc.known.installation_id).charter_file(poc.known.repository.ref, commit_sha)
    poc.charters[commit_sha] = read
    ctx.notes.pull_requests.remember_charter_at(poc.id, commit_sha, read)
    proposed = read.kind is FileKind.FILE and (
        poc.known.charter is None or poc.known.charter.kind is FileKind.ABSENT
    )
    if proposed:
        ctx.notes.repositories.mark([poc.id])  # the repository shows that a charter is proposed
    return read


def proposal(ctx: Reconciliation, poc: Poc) -> tuple[PullRequest, CharterFile] | None:
    """The oldest open pull request whose head was seen to hold a file at the charter's path."""
    pulls = sorted(
        (pull for pull in poc.record.pulls.values() if pull.state == "open"), key=lambda pull: pull.number
    )
    known = ctx.store.pull_requests.charter_files(poc.id, [pull.head_sha for pull in pulls])
    known = {**known, **{sha: file for sha, file in poc.charters.items() if file.kind is FileKind.FILE}}
    return next(((pull, known[pull.head_sha]) for pull in pulls if pull.head_sha in known), None)


def _charter_by_blob(ctx: Reconciliation, poc: Poc, commit_sha: str) -> CharterFile | None:
    """The charter of a commit whose tree is read anyway, because evidence lies in its files.

    None if the tree doesn't say: there is no such file, or it is a folder or a link.
    """
    files = evidence_files(ctx, poc)
    if not files:
        return None
    blob_sha = blobs_at(ctx, poc, commit_sha, (CHARTER_PATH, *files))[CHARTER_PATH]
    if blob_sha is None:
        return None
    if (
        poc.known.charter is not None
        and blob_sha == poc.known.charter.blob_sha
        and poc.known.charter.data is not None
    ):
        return poc.known.charter
    data = blob(ctx, poc, blob_sha).data
    return None if data is None else CharterFile(FileKind.FILE, data, blob_sha, len(data))


def evidence_files(ctx: Reconciliation, poc: Poc) -> tuple[str, ...]:
    """The files in which the default branch's charter finds its numbers."""
    if poc.known.charter is None:
        return ()
    charter = judge(poc.known.charter, today=ctx.now.date()).charter
    lines = charter.evidence if charter else ()
    return tuple(dict.fromkeys(line.reading.file for line in lines))


def draft_url(ctx: Reconciliation, poc: Poc, branch: str | None = None) -> str:
    """GitHub's editor with a charter filled in; it needs no write permission of ours."""
    repository = poc.known.repository
    if poc.known.charter is not None and poc.known.charter.kind is FileKind.FILE:
        return charter_url(ctx, poc)  # the new-file page refuses a name that exists already
    text = draft(repository=repository.name, owner=None, today=None)
    place = f"{ctx.web_url}/{repository.full_name}/new/{quote(branch or repository.default_branch)}"
    return f"{place}?filename={CHARTER_PATH}&value={quote(text)}"


def charter_url(ctx: Reconciliation, poc: Poc) -> str:
    """Where people edit the charter."""
    repository = poc.known.repository
    return f"{ctx.web_url}/{repository.full_name}/edit/{quote(repository.default_branch)}/{CHARTER_PATH}"
