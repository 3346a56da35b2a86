"""What the looks remember of pull requests, and what stood at the charter's path at their commits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.source.text import CharterFile, FileKind
from service.rules.values.github import PullRequest
from service.rules.values.subjects import pull_request_key
from service.store import subjects
from service.store.database import cursor, reading, transaction
from service.store.recording import UPSERT_PULL_REQUESTS, pull_request_rows
from service.store.tables import CharterAt, MergeBase, PullRequestRow

LIST_DELAY = timedelta(minutes=2)
"""By how much GitHub's list, and its clock, may lag behind ours."""


class PullRequests:
    """The tables of pull requests and of charters at commits; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, repository_id: int, number: int) -> PullRequest | None:
        """A pull request as its newest payload showed it."""
        with reading(self._engine) as session:
            row = session.get(PullRequestRow, (repository_id, number))
            return _pull(row) if row else None

    def open_numbers(self, repository_id: int) -> list[int]:
        """The numbers of a repository's open pull requests."""
        with reading(self._engine) as session:
            rows = select(PullRequestRow.number).where(
                PullRequestRow.repository_id == repository_id, PullRequestRow.state == "open"
            )
            return list(session.exec(rows))

    def remember_open(self, repository_id: int, pulls: Iterable[PullRequest], listed_at: datetime) -> None:
        """Store the list of a repository's open pull requests; those that it lacks are closed.

        Not those that changed around the time of the list: one of them may have been opened after it.
        """
        open_pulls = sorted(pulls, key=lambda pull: pull.number)
        with transaction(self._engine) as session:
            for rows in pull_request_rows(open_pulls):
                cursor(session).execute(UPSERT_PULL_REQUESTS, (rows,))
            session.execute(
                update(PullRequestRow)
                .where(
                    col(PullRequestRow.repository_id) == repository_id,
                    col(PullRequestRow.number).not_in([pull.number for pull in open_pulls]),
                    col(PullRequestRow.updated_at) < listed_at - LIST_DELAY,
                )
                .values(state="closed")
            )

    def proposes_charter(self, repository_id: int) -> bool:
        """Whether the head of an open pull request was seen to hold a file at the charter's path."""
        with reading(self._engine) as session:
            return (
                session.exec(
                    select(CharterAt.commit_sha)
                    .join(
                        PullRequestRow,
                        (col(PullRequestRow.repository_id) == CharterAt.repository_id)
                        & (col(PullRequestRow.head_sha) == CharterAt.commit_sha),
                    )
                    .where(
                        PullRequestRow.repository_id == repository_id,
                        PullRequestRow.state == "open",
                        CharterAt.kind == FileKind.FILE,
                    )
                    .limit(1)
                ).first()
                is not None
            )

    def proposal(self, repository_id: int) -> tuple[PullRequest, CharterFile] | None:
        """The oldest open pull request whose head was seen to hold a file at the charter's path."""
        with reading(self._engine) as session:
            found = session.exec(
                select(PullRequestRow, CharterAt)
                .join(
                    CharterAt,
                    (col(CharterAt.repository_id) == PullRequestRow.repository_id)
                    & (col(CharterAt.commit_sha) == PullRequestRow.head_sha),
                )
                .where(
                    PullRequestRow.repository_id == repository_id,
                    PullRequestRow.state == "open",
                    CharterAt.kind == FileKind.FILE,
                )
                .order_by(col(PullRequestRow.number))
                .limit(1)
            ).first()
            if found is None:
                return None
            pull, stood = found
            return _pull(pull), CharterFile(FileKind(stood.kind), stood.data, stood.blob_sha, stood.size)

    def open_keys(self, repository_ids: Iterable[int]) -> list[str]:
        """The subjects of all open pull requests of some repositories."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(PullRequestRow.repository_id, PullRequestRow.number).where(
                    col(PullRequestRow.repository_id).in_(list(repository_ids)),
                    PullRequestRow.state == "open",
                )
            )
            return [pull_request_key(repository_id, number) for repository_id, number in rows]

    def speaker(self, pull: PullRequest) -> int | None:
        """Which of the open pull requests with this one's head has a say in its check run: the oldest."""
        with reading(self._engine) as session:
            return session.exec(
                select(func.min(PullRequestRow.number)).where(
                    PullRequestRow.repository_id == pull.repository_id,
                    PullRequestRow.head_sha == pull.head_sha,
                    PullRequestRow.state == "open",
                )
            ).one()

    def mark_others(self, closed: PullRequest) -> None:
        """Mark the open pull requests with a closed one's head: one of them speaks for it from now on."""
        with transaction(self._engine) as session:
            numbers = session.exec(
                select(PullRequestRow.number).where(
                    PullRequestRow.repository_id == closed.repository_id,
                    PullRequestRow.head_sha == closed.head_sha,
                    PullRequestRow.state == "open",
                )
            )
            subjects.mark(session, [pull_request_key(closed.repository_id, number) for number in numbers])

    def merge_base(self, repository_id: int, base_sha: str, head_sha: str) -> str | None:
        """Where one commit left another, if that was ever asked."""
        with reading(self._engine) as session:
            row = session.get(MergeBase, (repository_id, base_sha, head_sha))
            return row.sha if row else None

    def remember_merge_base(self, repository_id: int, base_sha: str, head_sha: str, sha: str) -> None:
        """Keep where one commit left another."""
        row = {"repository_id": repository_id, "base_sha": base_sha, "head_sha": head_sha, "sha": sha}
        with transaction(self._engine) as session:
            session.execute(insert(MergeBase).values(**row).on_conflict_do_nothing())

    def charter_at(self, repository_id: int, commit_sha: str) -> CharterFile | None:
        """What stood at the charter's path at a commit, if that was ever read."""
        with reading(self._engine) as session:
            row = session.get(CharterAt, (repository_id, commit_sha))
            return CharterFile(FileKind(row.kind), row.data, row.blob_sha, row.size) if row else None

    def remember_charter_at(self, repository_id: int, commit_sha: str, file: CharterFile) -> None:
        """Keep what stood there: a commit does not change."""
        statement = insert(CharterAt).values(
            repository_id=repository_id,
            commit_sha=commit_sha,
            kind=str(file.kind),
            blob_sha=file.blob_sha,
            data=file.data,
            size=file.size,
        )
        told = {"kind": str(file.kind), "blob_sha": file.blob_sha, "data": file.data, "size": file.size}
        statement = statement.on_conflict_do_update(index_elements=["repository_id", "commit_sha"], set_=told)
        with transaction(self._engine) as session:
            session.execute(statement)


def _pull(row: PullRequestRow) -> PullRequest:
    return PullRequest(
        repository_id=row.repository_id,
        number=row.number,
        head_sha=row.head_sha,
        base_ref=row.base_ref,
        base_sha=row.base_sha,
        author=row.author,
        state=row.state,
        updated_at=row.updated_at,
        before_sha=row.before_sha,
    )
