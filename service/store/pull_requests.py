"""What the looks remember of pull requests, and what stood at the charter's path at their commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlmodel import col, select

from service.rules.source.text import CharterFile, FileKind
from service.rules.values.github import PullRequest
from service.rules.values.subjects import pull_request_key
from service.store import subjects
from service.store.database import cursor
from service.store.recording import UPSERT_PULL_REQUESTS, pull_request_rows
from service.store.table import Table
from service.store.tables import CharterAt, MergeBase, PullRequestRow


class PullRequests(Table):
    """The tables of pull requests and of charters at commits."""

    def open_numbers(self, repository_id: int) -> list[int]:
        """The numbers of a repository's open pull requests."""
        with self._database.reading() as session:
            rows = select(PullRequestRow.number).where(
                PullRequestRow.repository_id == repository_id, PullRequestRow.state == "open"
            )
            return list(session.exec(rows))

    def remember(self, pulls: Iterable[PullRequest]) -> None:
        """Store pull requests as GitHub showed them; what a later payload told stays."""
        with self._database.transaction() as session:
            for rows in pull_request_rows(pulls):
                cursor(session).execute(UPSERT_PULL_REQUESTS, (rows,))

    def mark(self, repository_id: int, numbers: Iterable[int]) -> None:
        """Mark pull requests of a repository."""
        with self._database.transaction() as session:
            subjects.mark(session, [pull_request_key(repository_id, number) for number in numbers])

    def charter_files(self, repository_id: int, commits: Collection[str]) -> Mapping[str, CharterFile]:
        """The files at the charter's path of those of the commits where one was seen."""
        if not commits:
            return {}
        with self._database.reading() as session:
            rows = session.exec(
                select(CharterAt).where(
                    CharterAt.repository_id == repository_id,
                    CharterAt.kind == FileKind.FILE,
                    col(CharterAt.commit_sha).in_(commits),
                )
            )
            return {row.commit_sha: charter_file_of(row) for row in rows}

    def open_keys(self, repository_ids: Iterable[int]) -> list[str]:
        """The subjects of all open pull requests of some repositories."""
        with self._database.reading() as session:
            rows = session.exec(
                select(PullRequestRow.repository_id, PullRequestRow.number).where(
                    col(PullRequestRow.repository_id).in_(list(repository_ids)),
                    PullRequestRow.state == "open",
                )
            )
            return [pull_request_key(repository_id, number) for repository_id, number in rows]

    def mark_others(self, closed: PullRequest) -> None:
        """Mark the open pull requests with a closed one's head: one of them speaks for it from now on."""
        self.mark_of(closed.repository_id, closed.head_sha)

    def mark_of(self, repository_id: int, head_sha: str) -> None:
        """Mark the open pull requests of a head."""
        with self._database.transaction() as session:
            numbers = session.exec(
                select(PullRequestRow.number).where(
                    PullRequestRow.repository_id == repository_id,
                    PullRequestRow.head_sha == head_sha,
                    PullRequestRow.state == "open",
                )
            )
            subjects.mark(session, [pull_request_key(repository_id, number) for number in numbers])

    def merge_base(self, repository_id: int, base_sha: str, head_sha: str) -> str | None:
        """Where one commit left another, if that was ever asked."""
        row = self._get(MergeBase, repository_id, base_sha, head_sha)
        return row.sha if row else None

    def remember_merge_base(self, repository_id: int, base_sha: str, head_sha: str, sha: str) -> None:
        """Keep where one commit left another."""
        row = {"repository_id": repository_id, "base_sha": base_sha, "head_sha": head_sha, "sha": sha}
        self._keep(MergeBase, [row])

    def ahead(self, repository_id: int, base_sha: str, head_sha: str) -> int | None:
        """How many commits one commit has more than another, if that was ever asked."""
        row = self._get(MergeBase, repository_id, base_sha, head_sha)
        return row.ahead if row else None

    def remember_ahead(self, repository_id: int, base_sha: str, head_sha: str, sha: str, ahead: int) -> None:
        """Keep how many, with where one commit left another."""
        row = {"repository_id": repository_id, "base_sha": base_sha, "head_sha": head_sha, "sha": sha}
        self._keep(MergeBase, [row | {"ahead": ahead}], replacing=True)

    def charter_at(self, repository_id: int, commit_sha: str) -> CharterFile | None:
        """What stood at the charter's path at a commit, if that was ever read."""
        row = self._get(CharterAt, repository_id, commit_sha)
        return charter_file_of(row) if row else None

    def remember_charter_at(self, repository_id: int, commit_sha: str, file: CharterFile) -> None:
        """Keep what stood there: a commit does not change."""
        row = {
            "repository_id": repository_id,
            "commit_sha": commit_sha,
            "kind": str(file.kind),
            "blob_sha": file.blob_sha,
            "data": file.data,
            "size": file.size,
        }
        self._keep(CharterAt, [row], replacing=True)


def pull_of(row: PullRequestRow) -> PullRequest:
    """A row as a pull request."""
    return PullRequest(**{name: getattr(row, name) for name in PullRequest.__slots__})


def charter_file_of(row: CharterAt) -> CharterFile:
    """A row as what stood at the charter's path."""
    return CharterFile(FileKind(row.kind), row.data, row.blob_sha, row.size)
