"""What the looks remember of pull requests, and what stood at the charter's path at their commits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from service.rules.charter.file import CharterFile, FileKind
from service.rules.facts import PullRequest
from service.store.database import cursor, transaction
from service.store.recording import UPSERT_PULL_REQUESTS, pull_request_columns
from service.store.tables import CharterAt, PullRequestRow

LIST_DELAY = timedelta(minutes=2)
"""By how much GitHub's list, and its clock, may lag behind ours."""


class PullRequests:
    """The tables of pull requests and of charters at commits; each method is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, repository_id: int, number: int) -> PullRequest | None:
        """A pull request as its newest payload showed it."""
        with transaction(self._engine) as session:
            row = session.get(PullRequestRow, (repository_id, number))
            return _pull(row) if row else None

    def open_numbers(self, repository_id: int) -> list[int]:
        """The numbers of a repository's open pull requests."""
        with transaction(self._engine) as session:
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
            for columns in pull_request_columns(open_pulls):
                cursor(session).execute(UPSERT_PULL_REQUESTS, columns)
            session.execute(
                update(PullRequestRow)
                .where(
                    col(PullRequestRow.repository_id) == repository_id,
                    col(PullRequestRow.number).not_in([pull.number for pull in open_pulls]),
                    col(PullRequestRow.updated_at) < listed_at - LIST_DELAY,
                )
                .values(state="closed")
            )

    def charter_at(self, repository_id: int, commit_sha: str) -> CharterFile | None:
        """What stood at the charter's path at a commit, if that was ever read."""
        with transaction(self._engine) as session:
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
        with transaction(self._engine) as session:
            session.execute(statement.on_conflict_do_nothing())


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
