"""What the looks remember of repositories, and which of them are POCs.

Over 300 lines, so that each statement stands beside what it is read into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, LiteralString

import sqlalchemy as sa
from sqlalchemy import BindParameter, Row, ScalarSelect, bindparam, delete, exists, func, update
from sqlmodel import col, select

from service.rules.policy.recognition import KnownRepository, exclusion
from service.rules.queue import Urgency
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.github import EventKind, Repository, RepositoryRef
from service.rules.values.subjects import pull_request_key, repository_key
from service.store import subjects
from service.store.database import ask, cursor
from service.store.query import Query, any_of
from service.store.recording import UPSERT_REPOSITORIES, as_json, of_repositories, repository_row
from service.store.table import Table
from service.store.tables import CharterAt, FactRow, PocRow, PullRequestRow, RepositoryRow

CHARTERS_READ = """
WITH read AS (
    SELECT r.id, t.kind, t.blob_sha, decode(t.data, 'base64') AS data, t.size FROM repository r
    JOIN json_to_recordset(%(rows)s::json) AS t (id bigint, full_name text, default_branch text,
        kind text, blob_sha text, data text, size int) USING (id, full_name, default_branch)
    WHERE r.installation_id = %(installation)s AND r.poc_reason IS NULL
    ORDER BY r.id FOR NO KEY UPDATE OF r
)
UPDATE repository r SET charter_kind = read.kind, charter_blob_sha = read.blob_sha,
    charter_data = read.data, charter_size = read.size, reread = false,
    charter_changed_at = CASE WHEN (r.charter_kind, r.charter_blob_sha)
        IS DISTINCT FROM (read.kind, read.blob_sha) THEN %(at)s ELSE r.charter_changed_at END
FROM read WHERE r.id = read.id RETURNING r.id
"""
KEEP_ONLY: LiteralString = """
UPDATE repository SET removed_at = now()
WHERE installation_id = %(installation)s AND removed_at IS NULL AND id <> ALL(%(kept)s::bigint[])
"""
DESCRIBED = Query(
    sa.select(
        *(
            col(column)
            for column in (
                RepositoryRow.id,
                RepositoryRow.installation_id,
                RepositoryRow.full_name,
                RepositoryRow.default_branch,
                RepositoryRow.private,
                RepositoryRow.archived,
                RepositoryRow.fork,
                RepositoryRow.is_template,
                RepositoryRow.has_issues,
                RepositoryRow.topics,
                RepositoryRow.pushed_at,
                RepositoryRow.updated_at,
                RepositoryRow.removed_at,
                RepositoryRow.reread,
            )
        )
    ).where(col(RepositoryRow.id) == any_of("ids", sa.BigInteger))
)
"""What a listing is compared with: not the charters."""
KNOWN = Query(
    sa.select(RepositoryRow)
    .where(
        col(RepositoryRow.installation_id) == bindparam("installation_id"),
        col(RepositoryRow.removed_at).is_(None),
        col(RepositoryRow.default_branch) != "",
    )
    .order_by(col(RepositoryRow.full_name))
)


class Repositories(Table):
    """The table of repositories."""

    def find(self, repository_id: int) -> KnownRepository | None:
        """A repository, if any event or list has told of it."""
        row = self._get(RepositoryRow, repository_id)
        return known_of(row) if row else None

    def listed(self, installation_id: int, page: Sequence[Repository]) -> list[int]:
        """Store a page of the repository list and return the ids that differ from what events had told."""
        with self._database.transaction() as session:
            known = {row.id: row for row in DESCRIBED.all(session, ids=[r.id for r in page])}
            changed = [r.id for r in page if r.id not in known or _differs(known[r.id], r)]
            missed = [r.id for r in page if r.id in known and _missed_push(known[r.id], r)]
            as_known = {
                r.id for r in page if r.id in known and _is_described(known[r.id], r, installation_id)
            }
            rows = [
                repository_row(one, installation_id, one.pushed_at)
                for one in sorted(page, key=attrgetter("id"))
                if one.id not in as_known.difference(changed, missed)
            ]
            if rows:
                cursor(session).execute(UPSERT_REPOSITORIES, of_repositories(rows))
            if missed:
                ask(session, "UPDATE repository SET reread = true WHERE id = ANY(%(ids)s)", {"ids": missed})
            return changed

    def strangers(self, repository_ids: Sequence[int]) -> list[KnownRepository]:
        """Those of some repositories that are described, and never were a POC."""
        with self._database.reading() as session:
            rows = session.exec(
                select(RepositoryRow).where(
                    col(RepositoryRow.id).in_(repository_ids),
                    col(RepositoryRow.poc_reason).is_(None),
                    RepositoryRow.default_branch != "",
                    ~exists().where(col(PocRow.repository_id) == col(RepositoryRow.id)),
                )
            )
            return list(map(known_of, rows))

    def charters_read(
        self, installation_id: int, read: Sequence[tuple[Repository, CharterFile]], at: datetime
    ) -> list[int]:
        """Store what stands at the charter's path of repositories that aren't POCs yet, and return their ids.

        One that became something else since GitHub was asked, or turned out to be a POC, is left out.
        """
        rows = [
            {
                "id": repository.id,
                "full_name": repository.full_name,
                "default_branch": repository.default_branch,
                "kind": file.kind,
                "blob_sha": file.blob_sha,
                "data": file.data,
                "size": file.size,
            }
            for repository, file in read
        ]
        if not rows:
            return []
        with self._database.transaction() as session:
            found = cursor(session).execute(
                CHARTERS_READ, {"installation": installation_id, "rows": as_json(rows), "at": at}
            )
            return [row[0] for row in found]

    def keep_only(self, installation_id: int, kept: Iterable[int]) -> None:
        """Note that an installation covers only these repositories any more."""
        with self._database.transaction() as session:
            ask(session, KEEP_ONLY, {"installation": installation_id, "kept": [*kept]})

    def ids(self, installation_id: int, *, pocs_only: bool) -> list[int]:
        """The repositories of an installation that are not known to be gone."""
        statement = select(RepositoryRow.id).where(
            col(RepositoryRow.installation_id) == installation_id, col(RepositoryRow.removed_at).is_(None)
        )
        if pocs_only:
            statement = statement.where(col(RepositoryRow.poc_reason).is_not(None))
        with self._database.reading() as session:
            return list(session.exec(statement.order_by(col(RepositoryRow.id))))

    def unread(self, repository_id: int) -> None:
        """Note that the default branch has another charter than the one that is known."""
        self._execute(update(RepositoryRow).where(col(RepositoryRow.id) == repository_id).values(reread=True))

    def reread_pocs(self, installation_id: int) -> list[int]:
        """Note that the POCs of an installation may have changed unseen, and return their ids."""
        with self._database.transaction() as session:
            rows = session.exec(
                update(RepositoryRow)
                .where(
                    col(RepositoryRow.installation_id) == installation_id,
                    col(RepositoryRow.poc_reason).is_not(None),
                    col(RepositoryRow.removed_at).is_(None),
                )
                .values(reread=True)
                .returning(col(RepositoryRow.id))
            )
            return [row.id for row in rows]

    def register(
        self,
        repository_id: int,
        reason: str | None,
        charter: CharterFile | None,
        *,
        declared: bool,
        at: datetime,
        tell_pull_requests: bool,
    ) -> KnownRepository:
        """Store whether a repository is a POC, and its charter unless that was not read.

        The open pull requests that this changes something for are marked with it, so that a kill loses none.
        """
        with self._database.transaction() as session:
            row = session.get_one(RepositoryRow, repository_id)
            if reason and row.poc_reason is None:
                row.registered_at = at
            row.poc_reason = reason
            if charter is not None:
                if charter.blob_sha != row.charter_blob_sha or str(charter.kind) != row.charter_kind:
                    row.charter_changed_at = at
                row.charter_kind = charter.kind
                row.charter_blob_sha, row.charter_size = charter.blob_sha, charter.size
                row.charter_data = charter.data if reason else None
                row.reread = False
            if declared and row.chartered_at is None:
                row.chartered_at = at
            session.add(row)
            if tell_pull_requests:
                open_pulls = select(PullRequestRow.number).where(
                    PullRequestRow.repository_id == repository_id, PullRequestRow.state == "open"
                )
                numbers = session.exec(open_pulls)
                subjects.mark(session, [pull_request_key(repository_id, number) for number in numbers])
            return known_of(row)

    def renamed(self, repository: Repository) -> None:
        """Note a name that no event told of, and forget what its old name did not show."""
        with self._database.transaction() as session:
            session.execute(
                update(RepositoryRow)
                .where(col(RepositoryRow.id) == repository.id)
                .values(full_name=repository.full_name, reread=True)
            )
            session.execute(
                delete(CharterAt).where(
                    col(CharterAt.repository_id) == repository.id,
                    col(CharterAt.kind) == str(FileKind.ABSENT),
                )
            )

    def propertied(
        self, installation_id: int, told: Mapping[int, Mapping[str, tuple[str, ...]]]
    ) -> list[int]:
        """Store custom properties by repository, and return the ids of those that differ."""
        with self._database.transaction() as session:
            rows = session.exec(
                select(RepositoryRow).where(
                    RepositoryRow.installation_id == installation_id, col(RepositoryRow.id).in_(list(told))
                )
            )
            changed = []
            for row in rows:
                values = {name: list(each) for name, each in told[row.id].items()}
                if row.properties != values:
                    row.properties = values
                    changed.append(row.id)
            return changed

    def known(self, installation_id: int) -> list[KnownRepository]:
        """All repositories of an installation that are described and not known to be gone."""
        with self._database.reading() as session:
            return list(map(known_of, KNOWN.all(session, installation_id=installation_id)))

    def named(self, installation_id: int, full_name: str) -> RepositoryRef | None:
        """The repository of an installation that has that name now; names do not differ by case."""
        with self._database.reading() as session:
            row = session.exec(
                select(RepositoryRow).where(
                    RepositoryRow.installation_id == installation_id,
                    func.lower(RepositoryRow.full_name) == full_name.lower(),
                    col(RepositoryRow.removed_at).is_(None),
                )
            ).first()
            return RepositoryRef(row.id, row.full_name) if row else None

    def mark(self, repository_ids: Iterable[int], *, at_most: Urgency = Urgency.LATER) -> None:
        """Mark repositories as needing a look."""
        with self._database.transaction() as session:
            subjects.mark(session, map(repository_key, repository_ids), at_most=at_most)


def known_of(row: RepositoryRow | Row[Any]) -> KnownRepository:
    """A row as a known repository."""
    charter = None
    if row.charter_kind is not None:
        charter = CharterFile(
            FileKind(row.charter_kind), row.charter_data, row.charter_blob_sha, row.charter_size
        )
    return KnownRepository(
        installation_id=row.installation_id,
        repository=Repository(
            id=row.id,
            full_name=row.full_name,
            default_branch=row.default_branch,
            private=row.private,
            archived=row.archived,
            fork=row.fork,
            is_template=row.is_template,
            has_issues=row.has_issues,
            topics=tuple(row.topics),
            properties=None
            if row.properties is None
            else {name: tuple(values) for name, values in row.properties.items()},
            pushed_at=row.pushed_at,
            updated_at=row.updated_at,
        ),
        described=bool(row.default_branch),
        removed=row.removed_at is not None,
        reread=row.reread,
        first_seen_at=row.first_seen_at,
        first_pushed_at=row.first_pushed_at,
        poc_reason=row.poc_reason,
        registered_at=row.registered_at,
        charter=charter,
        chartered_at=row.chartered_at,
        charter_changed_at=row.charter_changed_at,
    )


def _is_described(row: Row[Any], listed: Repository, installation_id: int) -> bool:
    """Whether all that a list says of a repository, and `_differs` doesn't ask about, is stored already."""
    told = (row.installation_id, row.private, row.fork, row.updated_at)
    return told == (installation_id, listed.private, listed.fork, listed.updated_at)


def _differs(row: Row[Any], listed: Repository) -> bool:
    """Whether the list says something that bears on being a POC, or names a push we have not heard of."""
    told = (row.full_name, row.default_branch, row.archived, row.is_template, row.has_issues)
    lists = (listed.full_name, listed.default_branch, listed.archived, listed.is_template, listed.has_issues)
    if told != lists or set(row.topics) != set(listed.topics) or row.removed_at is not None:
        return True
    # What is never a POC is never read, so it stays unread.
    return exclusion(listed) is None and (row.reread or _missed_push(row, listed))


def _missed_push(row: Row[Any], listed: Repository) -> bool:
    return listed.pushed_at is not None and (row.pushed_at is None or row.pushed_at < listed.pushed_at)


def default_head_of(subject: BindParameter[str]) -> ScalarSelect[str]:
    """The commit that the default branch was last pushed to, as a part of a statement."""
    return (
        select(FactRow.detail)
        .where(col(FactRow.subject) == subject, FactRow.kind == EventKind.DEFAULT_PUSHED)
        .order_by(col(FactRow.at).desc(), col(FactRow.recorded_at).desc())
        .limit(1)
        .scalar_subquery()
    )
