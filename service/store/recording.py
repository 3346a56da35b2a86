"""Deliveries, what they tell, the subjects they mark and the jobs they defer: one transaction a group.

Written in SQL over arrays, one statement a table, because every delivery passes here (bench/acknowledge.py).
Rows are sorted by their keys, so that two writers lock them in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from selectors import EVENT_READ, DefaultSelector
from typing import Any, LiteralString

import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from service.rules.facts import Fact, FactKind, PullRequest, Repository
from service.rules.reception import Reception
from service.store.jobs import defer_looks_async
from service.store.subjects import MARK

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A delivery as it is identified, with what it means."""

    delivery_id: str
    event: str
    body_sha256: bytes
    reception: Reception

    @property
    def key(self) -> tuple[str, str, bytes]:
        """What identifies a delivery: GitHub repeats the id when it delivers again."""
        return self.delivery_id, self.event, self.body_sha256


def open_pool(url: str) -> AsyncConnectionPool[Connection]:
    """Make the receiver's pool; the caller opens and closes it."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=4,
        open=False,
        timeout=5,
        check=_check,
        kwargs={"connect_timeout": 5, "options": "-c timezone=UTC"},
    )


async def _check(connection: Connection) -> None:
    """Ask PostgreSQL only where something is to be read: of an idle connection that is its end."""
    with DefaultSelector() as selector:
        selector.register(connection, EVENT_READ)
        if not selector.select(0):
            return
    await AsyncConnectionPool.check_connection(connection)


DEADLOCKS = 3
"""How often a group is tried again: rows of one table are locked in order, but a repository that two groups
bring at the same time is met once among those that exist, and once among the new."""


async def record(pool: AsyncConnectionPool[Connection], envelopes: Sequence[Envelope]) -> int:
    """Commit a group of deliveries and return how many of them were new."""
    for _ in range(DEADLOCKS):
        with suppress(psycopg.errors.DeadlockDetected):
            return await _record(pool, envelopes)
    return await _record(pool, envelopes)


async def _record(pool: AsyncConnectionPool[Connection], envelopes: Sequence[Envelope]) -> int:
    # The pipeline saves the round trips of BEGIN, COMMIT and the statements that return nothing.
    async with pool.connection() as connection, connection.pipeline(), connection.transaction():
        fresh = await _deliveries(connection, envelopes)
        if fresh:
            await _told(connection, [await _with_reruns(connection, envelope) for envelope in fresh])
        return len(fresh)


INSERT_DELIVERIES: LiteralString = """
WITH known AS MATERIALIZED (
    SELECT r.id, r.poc_reason IS NULL AND r.removed_at IS NULL
        AND (r.archived OR r.fork OR r.is_template OR (r.charter_kind IS NOT NULL AND NOT r.reread))
        AND (r.installation_id, r.full_name, r.default_branch, r.archived, r.fork, r.is_template, r.topics)
            = (t.n, t.f, t.d, t.a, t.k, t.t, string_to_array(t.o, ' ')) AS no_poc
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bool[], %s::bool[], %s::bool[],
        %s::text[]) AS t (i, n, f, d, a, k, t, o)
    JOIN repository r ON r.id = t.i
    ORDER BY r.id FOR NO KEY UPDATE OF r
)
INSERT INTO delivery
    (delivery_id, event, body_sha256, action, installation_id, repository_id, subjects, ignored)
SELECT d, e, b, a, i, r, CASE WHEN quiet THEN '{}' ELSE string_to_array(s, ' ') END,
    CASE WHEN quiet THEN 'not a POC' ELSE g END
FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::text[], %s::bigint[], %s::bigint[], %s::text[],
    %s::text[], %s::bool[]) WITH ORDINALITY AS t (d, e, b, a, i, r, s, g, p, place)
LEFT JOIN known ON known.id = t.r
CROSS JOIN LATERAL (SELECT t.p AND coalesce(known.no_poc, false) AS quiet) AS q
ORDER BY place
ON CONFLICT DO NOTHING RETURNING delivery_id, event, body_sha256, ignored
"""
"""Record deliveries; one that only a POC could need is ignored where the repository is known to be none.

The lock on the repository's row decides between an event and a look that finds a POC meanwhile: either the
event sees the POC, or the look sees the pull request that the event brought and marks it.
"""


async def _deliveries(connection: Connection, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Record those that are new, and return them with what is left to be done about each."""
    by_key = {envelope.key: envelope for envelope in envelopes}
    ordered = [by_key[key] for key in sorted(by_key)]
    rows = [
        (
            *envelope.key,
            envelope.reception.action,
            envelope.reception.installation_id,
            envelope.reception.repository_id,
            " ".join(envelope.reception.subjects),
            envelope.reception.ignored,
            envelope.reception.for_pocs_only,
        )
        for envelope in ordered
    ]
    described = [(*row[:4], *row[5:8], row[9]) for row in _newest(one.reception for one in ordered)]
    cursor = await connection.execute(INSERT_DELIVERIES, (*_columns(described, 8), *_columns(rows, 9)))
    fresh = []
    async for *key, ignored in cursor:
        envelope = by_key[tuple(key)]
        if ignored and not envelope.reception.ignored:
            envelope = replace(envelope, reception=replace(envelope.reception, subjects=(), facts=()))
        fresh.append(envelope)
    return fresh


async def _with_reruns(connection: Connection, envelope: Envelope) -> Reception:
    """Find whose check runs were asked for again: the payload names a commit, at times nothing else."""
    reception = envelope.reception
    if reception.rerun_sha is None or reception.repository_id is None:
        return reception
    cursor = await connection.execute(
        """
        SELECT subject FROM check_run WHERE repository_id = %(id)s AND head_sha = %(sha)s
        UNION SELECT 'pull_request:' || repository_id || ':' || number FROM pull_request
        WHERE repository_id = %(id)s AND head_sha = %(sha)s
        """,
        {"id": reception.repository_id, "sha": reception.rerun_sha},
    )
    subjects = tuple(sorted(row[0] for row in await cursor.fetchall()))
    now = datetime.now(UTC)
    facts = tuple(
        Fact(
            f"{subject}:rerun:{envelope.event}:{envelope.delivery_id}", subject, FactKind.RERUN_REQUESTED, now
        )
        for subject in subjects
    )
    return replace(reception, subjects=subjects, facts=facts)


async def _told(connection: Connection, receptions: Sequence[Reception]) -> None:
    for reception in receptions:
        if reception.installation or reception.stubs or reception.removed:
            await _installation(connection, reception)
    await _repositories(connection, receptions)
    await _pull_requests(connection, [r.pull_request for r in receptions if r.pull_request])
    await _facts(connection, [fact for reception in receptions for fact in reception.facts])
    keys = sorted({key for reception in receptions for key in reception.subjects})
    if keys:
        cursor = await connection.execute(MARK, {"keys": keys})
        await defer_looks_async(connection, [key for key, was_clean in await cursor.fetchall() if was_clean])


async def _installation(connection: Connection, reception: Reception) -> None:
    if installation := reception.installation:
        await connection.execute(
            """
            INSERT INTO installation (id, account, permissions, suspended_at, deleted_at)
            VALUES (%(id)s, %(account)s, %(permissions)s, %(suspended)s, CASE WHEN %(deleted)s THEN now() END)
            ON CONFLICT (id) DO UPDATE SET account = excluded.account, permissions = excluded.permissions,
                suspended_at = excluded.suspended_at,
                deleted_at = coalesce(installation.deleted_at, excluded.deleted_at)
            """,
            {
                "id": installation.id,
                "account": installation.account,
                "permissions": Jsonb(installation.permissions),
                "suspended": installation.suspended_at,
                "deleted": reception.uninstalled,
            },
        )
    if reception.removed:
        await connection.execute(
            "UPDATE repository SET removed_at = now() WHERE id = ANY(%s) AND installation_id = %s",
            (sorted(reception.removed), reception.installation_id),
        )
    if reception.stubs:
        stubs = sorted((stub.id, stub.full_name) for stub in reception.stubs)
        await connection.execute(
            """
            INSERT INTO repository (id, installation_id, full_name, topics)
            SELECT i, %s, n, '{}' FROM unnest(%s::bigint[], %s::text[]) AS t (i, n)
            ON CONFLICT (id) DO UPDATE SET installation_id = excluded.installation_id,
                full_name = excluded.full_name, removed_at = NULL, reread = true
            """,
            (reception.installation_id, *_columns(stubs, 2)),
        )


REPOSITORY_WIDTH = 12

UPSERT_REPOSITORIES: LiteralString = """
INSERT INTO repository (id, installation_id, full_name, default_branch, private, archived, fork,
    is_template, has_issues, topics, pushed_at, updated_at, first_pushed_at)
SELECT i, n, f, d, p, a, k, t, h, string_to_array(o, ' '), x, u, x
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bool[], %s::bool[], %s::bool[],
    %s::bool[], %s::bool[], %s::text[], %s::timestamptz[], %s::timestamptz[])
    AS r (i, n, f, d, p, a, k, t, h, o, x, u)
ON CONFLICT (id) DO UPDATE SET
    installation_id = excluded.installation_id, full_name = excluded.full_name,
    default_branch = excluded.default_branch, private = excluded.private, archived = excluded.archived,
    fork = excluded.fork, is_template = excluded.is_template, has_issues = excluded.has_issues,
    topics = excluded.topics, updated_at = excluded.updated_at, removed_at = NULL,
    pushed_at = greatest(repository.pushed_at, excluded.pushed_at),
    first_pushed_at = coalesce(repository.first_pushed_at, excluded.pushed_at),
    reread = repository.reread OR repository.default_branch <> excluded.default_branch
WHERE repository.updated_at IS NULL OR repository.updated_at <= excluded.updated_at
"""
"""Describe repositories; a description older than the one we have changes nothing."""


def repository_row(repository: Repository, installation_id: int) -> tuple[Any, ...]:
    """A repository in the order of `UPSERT_REPOSITORIES`."""
    return (
        repository.id,
        installation_id,
        repository.full_name,
        repository.default_branch,
        repository.private,
        repository.archived,
        repository.fork,
        repository.is_template,
        repository.has_issues,
        " ".join(repository.topics),
        repository.pushed_at,
        repository.updated_at,
    )


async def _repositories(connection: Connection, receptions: Sequence[Reception]) -> None:
    if rows := _newest(receptions):
        await connection.execute(UPSERT_REPOSITORIES, _columns(rows, REPOSITORY_WIDTH))


def _newest(receptions: Iterable[Reception]) -> list[tuple[Any, ...]]:
    """The newest description of each repository, by its id."""
    newest: dict[int, tuple[Any, ...]] = {}
    for reception in receptions:
        for repository in reception.repositories:
            row = repository_row(repository, reception.installation_id or 0)
            known = newest.get(repository.id)
            if known is None or known[-1] is None or (row[-1] is not None and known[-1] <= row[-1]):
                newest[repository.id] = row
    return [newest[key] for key in sorted(newest)]


UPSERT_PULL_REQUESTS: LiteralString = """
INSERT INTO pull_request
    (repository_id, number, head_sha, before_sha, base_ref, base_sha, author, state, updated_at)
SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::timestamptz[])
ON CONFLICT (repository_id, number) DO UPDATE SET
    head_sha = excluded.head_sha, base_ref = excluded.base_ref,
    base_sha = excluded.base_sha, state = excluded.state, updated_at = excluded.updated_at,
    before_sha = coalesce(excluded.before_sha, pull_request.before_sha)
WHERE pull_request.updated_at < excluded.updated_at
   OR (pull_request.updated_at = excluded.updated_at
       AND pull_request.before_sha IS DISTINCT FROM excluded.head_sha
       AND NOT (pull_request.state = 'closed' AND excluded.state = 'open'))
"""
"""Describe a pull request. GitHub's clock has seconds: of two payloads of one second, the one whose head
was replaced, and the one that shows a closed pull request open, are the older."""


PULL_REQUEST_WIDTH = 9


def _pull_request_row(pull: PullRequest) -> tuple[Any, ...]:
    """A pull request in the order of `UPSERT_PULL_REQUESTS`."""
    return (
        pull.repository_id,
        pull.number,
        pull.head_sha,
        pull.before_sha,
        pull.base_ref,
        pull.base_sha,
        pull.author,
        pull.state,
        pull.updated_at,
    )


async def _pull_requests(connection: Connection, pulls: Iterable[PullRequest]) -> None:
    for columns in pull_request_columns(pulls):
        await connection.execute(UPSERT_PULL_REQUESTS, columns)


def pull_request_columns(pulls: Iterable[PullRequest]) -> Iterator[tuple[list[Any], ...]]:
    """What to run `UPSERT_PULL_REQUESTS` with, one after the other: it takes no pull request twice."""
    rows = sorted(map(_pull_request_row, pulls), key=itemgetter(0, 1))
    while rows:
        once: dict[tuple[int, int], tuple[Any, ...]] = {}
        for row in rows:
            once.setdefault(row[:2], row)
        yield _columns(list(once.values()), PULL_REQUEST_WIDTH)
        rows = [row for row in rows if once[row[:2]] is not row]


async def _facts(connection: Connection, facts: Iterable[Fact]) -> None:
    rows = sorted({(f.id, f.subject, str(f.kind), f.at, f.actor, f.detail) for f in facts})
    if rows:
        await connection.execute(
            """
            INSERT INTO fact (id, subject, kind, at, actor, detail)
            SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[],
                %s::text[])
            ON CONFLICT DO NOTHING
            """,
            _columns(rows, 6),
        )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> tuple[list[Any], ...]:
    return tuple([row[column] for row in rows] for column in range(width))
