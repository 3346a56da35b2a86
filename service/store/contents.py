"""What was read of repositories' commits and files; neither changes, so each is read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.checks.surroundings import Access, Gathered, RepositoryFacts
from service.rules.values.github import Commit
from service.store.table import Table
from service.store.tables import BlobAt, BlobRow, KnownCommit, OutsideFactRow

KEEP_BLOBS = text("""
INSERT INTO blob_at (repository_id, commit_sha, path, blob_sha)
SELECT :repository_id, :commit_sha, path, blob_sha
FROM unnest(CAST(:paths AS text[]), CAST(:blobs AS text[])) AS t (path, blob_sha) ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class Blob:
    """A file's content, None where it is too large to be read, and when it was first seen."""

    data: bytes | None
    first_seen_at: datetime


class Contents(Table):
    """The tables of blobs, of paths at commits and of commits."""

    def blobs_at(self, repository_id: int, commit_sha: str, paths: Sequence[str]) -> Mapping[str, str | None]:
        """The blobs at those of the paths that were ever looked up in a commit."""
        with self._database.reading() as session:
            rows = session.exec(
                select(BlobAt).where(
                    BlobAt.repository_id == repository_id,
                    BlobAt.commit_sha == commit_sha,
                    col(BlobAt.path).in_(paths),
                )
            )
            return {row.path: row.blob_sha for row in rows}

    def remember_blobs_at(self, repository_id: int, commit_sha: str, blobs: Mapping[str, str | None]) -> None:
        """Keep which blobs stood at paths of a commit."""
        paths = sorted(blobs)
        found = {"paths": paths, "blobs": [blobs[path] for path in paths]}
        with self._database.transaction() as session:
            session.execute(KEEP_BLOBS, {"repository_id": repository_id, "commit_sha": commit_sha} | found)

    def blob(self, repository_id: int, blob_sha: str) -> Blob | None:
        """A file's content, if it was ever read; None where it was, and is no longer kept."""
        row = self._get(BlobRow, repository_id, blob_sha)
        return Blob(row.data, row.first_seen_at) if row and row.kept else None

    def first_seen(self, repository_id: int, blob_sha: str) -> datetime | None:
        """When a file's content was first seen, also where it is no longer kept."""
        row = self._get(BlobRow, repository_id, blob_sha)
        return row.first_seen_at if row else None

    def remember_blob(self, repository_id: int, blob_sha: str, data: bytes | None, seen_at: datetime) -> None:
        """Keep a file's content, and when it was first seen, which stays whatever comes later."""
        statement = insert(BlobRow).values(
            repository_id=repository_id, blob_sha=blob_sha, data=data, kept=True, first_seen_at=seen_at
        )
        statement = statement.on_conflict_do_update(
            index_elements=["repository_id", "blob_sha"],
            set_={"data": data, "kept": True, "read_at": func.now()},
        )
        self._execute(statement)

    def commit(self, repository_id: int, sha: str) -> Commit | None:
        """A commit's tree and parents, if they were ever asked for."""
        row = self._get(KnownCommit, repository_id, sha)
        return Commit(row.sha, row.tree_sha, tuple(row.parents), tuple(row.co_authors)) if row else None

    def remember_commit(self, repository_id: int, commit: Commit) -> None:
        """Keep a commit's tree and parents."""
        row = {
            "repository_id": repository_id,
            "sha": commit.sha,
            "tree_sha": commit.tree_sha,
            "parents": list(commit.parents),
            "co_authors": list(commit.co_authors),
        }
        self._keep(KnownCommit, [row])


class OutsideFacts(Table):
    """The table of outside facts."""

    def find(self, repository_id: int, blob_sha: str) -> Gathered | None:
        """What was last found out about one text of a repository's charter."""
        row = self._get(OutsideFactRow, repository_id, blob_sha)
        return Gathered(_outside(row.facts), row.ref, row.gathered_at, row.complete) if row else None

    def remember(self, repository_id: int, blob_sha: str, gathered: Gathered) -> None:
        """Keep what was found out, in place of what was found out before."""
        row = {
            "repository_id": repository_id,
            "blob_sha": blob_sha,
            "ref": gathered.ref,
            "gathered_at": gathered.at,
            "complete": gathered.complete,
            "facts": _facts(gathered.outside),
        }
        self._keep(OutsideFactRow, [row], replacing=True)


def _facts(outside: RepositoryFacts) -> dict[str, Any]:
    return {
        name: sorted(found) if isinstance(found, frozenset) else found
        for name, found in asdict(outside).items()
    }


def _outside(facts: dict[str, Any]) -> RepositoryFacts:
    access, environments, missing, strangers = (facts.get(name) for name in RepositoryFacts.__slots__)
    return RepositoryFacts(
        owner_access=None if access is None else Access(access),
        environments=None if environments is None else frozenset(environments),
        missing_paths=None if missing is None else frozenset(missing),
        strangers=None if strangers is None else frozenset(strangers),
    )
