"""Our check runs: noted before they are posted, so that a kill in between is found out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, update
from sqlmodel import col, select

from service.rules.values.actions import CheckRunOutput, PostedCheckRun
from service.store.database import Database, LockClass
from service.store.tables import CheckRunRow


class CheckRuns:
    """The table of check runs; each method is a statement or a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def posting(self, repository_id: int, head_sha: str) -> Iterator[None]:
        """Be the only one who posts check runs on a commit; two pull requests may share it."""
        with self._database.lock(LockClass.COMMIT, f"{repository_id}:{head_sha}"):
            yield

    def newest(self, repository_id: int, head_sha: str, name: str) -> PostedCheckRun | None:
        """The newest check run of ours on a commit."""
        with self._database.reading() as session:
            row = session.exec(
                select(CheckRunRow)
                .where(
                    CheckRunRow.repository_id == repository_id,
                    CheckRunRow.head_sha == head_sha,
                    CheckRunRow.name == name,
                )
                .order_by(col(CheckRunRow.id).desc())
                .limit(1)
            ).first()
            if row is None or row.id is None:
                return None
            return PostedCheckRun(row.id, row.external_id, row.digest, row.github_id)

    def begin(
        self, repository_id: int, head_sha: str, name: str, subject: str, output: CheckRunOutput
    ) -> PostedCheckRun:
        """Note that a check run is about to be posted, and under which `external_id` it can be found."""
        row = CheckRunRow(
            repository_id=repository_id,
            head_sha=head_sha,
            name=name,
            subject=subject,
            external_id=f"poc-governor:{uuid.uuid4()}",
            digest=output.digest,
            conclusion=output.conclusion,
            title=output.title,
        )
        with self._database.transaction() as session:
            session.add(row)
            session.flush()
            assert row.id is not None
            return PostedCheckRun(row.id, row.external_id, row.digest, None)

    def posted(self, row_id: int, github_id: int) -> None:
        """Note the id that GitHub gave to a check run."""
        with self._database.transaction() as session:
            session.execute(
                update(CheckRunRow).where(col(CheckRunRow.id) == row_id).values(github_id=github_id)
            )

    def forget(self, row_id: int) -> None:
        """Forget a check run that turned out never to have been posted."""
        with self._database.transaction() as session:
            session.execute(delete(CheckRunRow).where(col(CheckRunRow.id) == row_id))
