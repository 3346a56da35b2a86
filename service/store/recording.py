"""Deliveries, what they tell, the subjects they mark and the jobs they defer: one transaction a group.

Written in SQL over rows that arrive as one JSON text, one statement a table, because every delivery passes
here (bench/acknowledge.py): psycopg takes ten times as long to write arrays.
Rows are sorted by their keys, so that two writers lock them in one order. Over 300 lines because these
statements are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from service.rules.policy.model import POLICY_REPOSITORY
from service.rules.policy.recognition import OPT_OUT_TOPIC
from service.rules.queue import Urgency
from service.rules.values.github import EventKind, EventRecord, PullRequest, Repository
from service.rules.values.subjects import DeliveryEffects
from service.store.connections import RECEIVING
from service.store.database import has_input
from service.store.subjects import mark_async, stored_id

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A delivery as it is identified, with what it means."""

    delivery_id: str
    event: str
    body_sha256: bytes
    reception: DeliveryEffects

    @property
    def key(self) -> tuple[str, str, bytes]:
        """What identifies a delivery: GitHub repeats the id when it delivers again."""
        return stored_id(self.delivery_id), self.event, self.body_sha256


OPTIONS = "-c timezone=UTC -c plan_cache_mode=force_generic_plan"
"""Each statement is planned once for a connection. PostgreSQL would plan `MARK` for each group, since it
can't know how many keys come, and that took almost as long as all the rest of the transaction."""


def open_pool(url: str) -> AsyncConnectionPool[Connection]:
    """Make the receiver's pool; the caller opens and closes it."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=RECEIVING,
        open=False,
        timeout=5,
        check=_check,
        kwargs={"connect_timeout": 5, "options": OPTIONS, "autocommit": True},
    )


async def _check(connection: Connection) -> None:
    """Ask PostgreSQL only where something is to be read: of an idle connection that is its end."""
    if has_input(connection):
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
    # Two round trips: `transaction()` would wait within a pipeline for BEGIN, before COMMIT, and after it.
    # What fails is rolled back where the connection goes back to the pool.
    async with pool.connection() as connection, connection.pipeline():
        await connection.execute("BEGIN")
        fresh = await _deliveries(connection, envelopes)
        if fresh:
            await _told(connection, fresh)
        await connection.execute("COMMIT")
        return len(fresh)


TRIAL: LiteralString = """
SELECT current_setting('transaction_read_only') = 'on', (SELECT max(version_num) FROM alembic_version),
    (SELECT count(*) FROM (SELECT FROM generate_series(1, 2000) AS n ORDER BY repeat('x', 200) || n) AS t)
"""
"""Sorts more than `work_mem` holds, so that something is written to the disk; nothing of it stays."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was found out on a connection for deliveries."""

    read_only: bool
    revision: str | None


async def try_out(pool: AsyncConnectionPool[Connection]) -> Trial:
    """Do what storing a delivery needs; raises what psycopg and the pool raise where that fails."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL work_mem = '64kB'")
        found = await (await connection.execute(TRIAL)).fetchone()
    assert found is not None
    return Trial(bool(found[0]), found[1])


async def record_refused(pool: AsyncConnectionPool[Connection], deliveries: int) -> None:
    """Count deliveries that were refused, in the row of this minute."""
    async with pool.connection() as connection:
        await connection.execute(
            """
            INSERT INTO refused (minute, deliveries) VALUES (date_trunc('minute', now()), %s)
            ON CONFLICT (minute) DO UPDATE SET deliveries = refused.deliveries + excluded.deliveries
            """,
            (deliveries,),
        )


INSERT_DELIVERIES: LiteralString = """
WITH known AS MATERIALIZED (
    SELECT r.id, r.poc_reason IS NULL AS no_poc,
        (r.archived OR r.fork OR r.is_template OR %(opt_out)s = ANY(r.topics) OR r.full_name LIKE %(policy)s)
            AND r.poc_reason IS NULL OR r.charter_kind IS NOT NULL AND NOT r.reread AS looked_at,
        r.removed_at IS NULL
        AND (r.installation_id, r.full_name, r.default_branch, r.private, r.archived, r.fork, r.is_template,
            r.has_issues, r.topics)
            = (t.installation_id, t.full_name, t.default_branch, t.private, t.archived, t.fork, t.is_template,
            t.has_issues, t.topics)
        AND coalesce(t.properties, r.properties, '{}') = coalesce(r.properties, '{}') AS as_described
    FROM json_to_recordset(%(described)s::json) AS t (id bigint, installation_id bigint, full_name text,
        default_branch text, private bool, archived bool, fork bool, is_template bool, has_issues bool,
        topics text[], properties jsonb)
    JOIN repository r ON r.id = t.id AND r.id = ANY(%(ids)s)
    ORDER BY r.id FOR NO KEY UPDATE OF r
)
INSERT INTO delivery
    (delivery_id, event, body_sha256, action, installation_id, repository_id, subjects, ignored)
SELECT d, e, decode(b, 'base64'), a, i, r, CASE WHEN quiet THEN '{}' ELSE s || changed END,
    CASE WHEN quiet THEN CASE WHEN do_ THEN 'described as before' ELSE 'not a POC' END ELSE g END
FROM ROWS FROM (json_to_recordset(%(deliveries)s::json) AS (delivery_id uuid, event text, body_sha256 text,
    action text, installation_id bigint, repository_id bigint, subjects text[], ignored text,
    for_pocs_only bool, describes_only bool, branch text))
    WITH ORDINALITY AS t (d, e, b, a, i, r, s, g, p, do_, br, place)
LEFT JOIN known ON known.id = t.r
CROSS JOIN LATERAL (SELECT coalesce(known.looked_at AND known.as_described, false)
    AND (t.do_ OR t.p AND known.no_poc AND (t.br IS NULL OR EXISTS (
        SELECT FROM branch_rule b WHERE b.repository_id = t.r AND b.branch = t.br
        AND NOT b.required AND b.asked_at > now() - interval '1 day'))) AS quiet,
    CASE WHEN t.g IS NULL AND NOT known.as_described AND NOT 'repository:' || t.r = ANY(t.s)
        THEN ARRAY['repository:' || t.r] ELSE '{}' END AS changed) AS q
ORDER BY place
ON CONFLICT DO NOTHING RETURNING delivery_id::text, event, body_sha256, subjects, ignored
"""
"""Record deliveries. One that only a POC could need is ignored where the repository is known to be none, and
one that only describes a repository where all of that is known. Whether the branch of a pull request requires
our check run all the same is asked once a day. Whatever tells of a change of a known repository marks it.

The lock on the repository's row decides between an event and a reconciliation that finds a POC meanwhile:
either the event sees the POC, or the reconciliation sees the pull request that the event brought, and marks
it.

The ids are given as an array as well: of a list in JSON PostgreSQL expects a hundred rows, and for so many it
would read all repositories.
"""


OF_RECEPTION = (
    *("action", "installation_id", "repository_id", "subjects"),
    *("ignored", "for_pocs_only", "describes_only", "branch"),
)
"""What is recorded of what a delivery means."""
NEVER = {"opt_out": OPT_OUT_TOPIC, "policy": f"%/{POLICY_REPOSITORY}"}
"""What makes a repository none, whatever selects it, besides what GitHub says of it."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A delivery that was not known, and the subjects that it marks; a quiet one marks nothing."""

    envelope: Envelope
    subjects: Sequence[str]
    quiet: bool


async def _deliveries(connection: Connection, envelopes: Sequence[Envelope]) -> list[Fresh]:
    """Record those that are new, and return them."""
    by_key = {envelope.key: envelope for envelope in envelopes}
    ordered = sorted(by_key.items(), key=itemgetter(0))
    rows = [
        {
            "delivery_id": key[0],
            "event": envelope.event,
            "body_sha256": envelope.body_sha256,
            **{name: getattr(envelope.reception, name) for name in OF_RECEPTION},
        }
        for key, envelope in ordered
    ]
    described = of_repositories(_newest(envelope.reception for _, envelope in ordered))
    cursor = await connection.execute(INSERT_DELIVERIES, described | {"deliveries": as_json(rows)} | NEVER)
    fresh = []
    for *key, subjects, ignored in await cursor.fetchall():
        envelope = by_key[tuple(key)]
        quiet = ignored is not None and envelope.reception.ignored is None
        fresh.append(Fresh(envelope, subjects, quiet))
    return fresh


async def _reruns(connection: Connection, envelope: Envelope) -> Sequence[EventRecord]:
    """Find whose check runs were asked for again: the payload names a commit, at times nothing else."""
    reception = envelope.reception
    if reception.rerun_sha is None or reception.repository_id is None:
        return ()
    cursor = await connection.execute(
        """
        SELECT subject FROM check_run WHERE repository_id = %(id)s AND head_sha = %(sha)s
        UNION SELECT 'pull_request:' || repository_id || ':' || number FROM pull_request
        WHERE repository_id = %(id)s AND head_sha = %(sha)s
        """,
        {"id": reception.repository_id, "sha": reception.rerun_sha},
    )
    now = datetime.now(UTC)
    return [
        EventRecord(
            id=f"{subject}:rerun:{envelope.event}:{envelope.delivery_id}",
            subject=subject,
            kind=EventKind.RERUN_REQUESTED,
            at=now,
            detail=reception.rerun_sha,
        )
        for (subject,) in await cursor.fetchall()
    ]


async def _told(connection: Connection, fresh: Sequence[Fresh]) -> None:
    receptions = [one.envelope.reception for one in fresh]
    for reception in receptions:
        if reception.installation or reception.stubs or reception.removed:
            await _installation(connection, reception)
    if logged_out := [reception.logged_out for reception in receptions if reception.logged_out]:
        await connection.execute("DELETE FROM person WHERE id = ANY(%s)", (sorted(logged_out),))
    await _repositories(connection, receptions)
    await _pull_requests(connection, [r.pull_request for r in receptions if r.pull_request])
    marking = [one for one in fresh if not one.quiet]
    reruns = [event for one in marking for event in await _reruns(connection, one.envelope)]
    await _facts(connection, [*reruns, *(each for one in marking for each in one.envelope.reception.events)])
    urgencies = dict.fromkeys((each.subject for each in reruns), Urgency.PEOPLE)
    for one in marking:
        for key in one.subjects:
            urgencies[key] = max(urgencies.get(key, Urgency.NOBODY), one.envelope.reception.urgency(key))
    await mark_async(connection, urgencies)


async def _installation(connection: Connection, reception: DeliveryEffects) -> None:
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
        stubs = sorted(reception.stubs, key=attrgetter("id"))
        await connection.execute(
            """
            INSERT INTO repository (id, installation_id, full_name, topics)
            SELECT id, %s, full_name, '{}'
            FROM json_to_recordset(%s::json) AS t (id bigint, full_name text)
            ON CONFLICT (id) DO UPDATE SET installation_id = excluded.installation_id,
                full_name = excluded.full_name, removed_at = NULL, reread = true
            """,
            (reception.installation_id, as_json(stubs)),
        )


UPSERT_REPOSITORIES: LiteralString = """
INSERT INTO repository (id, installation_id, full_name, default_branch, private, archived, fork,
    is_template, has_issues, topics, properties, pushed_at, updated_at, first_pushed_at)
SELECT t.id, t.installation_id, t.full_name, t.default_branch, t.private, t.archived, t.fork,
    t.is_template, t.has_issues, t.topics, t.properties,
    CASE WHEN known.pushed_at IS NULL THEN t.pushed_at ELSE t.told_at END, t.updated_at, t.pushed_at
FROM json_to_recordset(%(described)s::json) AS t (id bigint, installation_id bigint, full_name text,
    default_branch text, private bool, archived bool, fork bool, is_template bool, has_issues bool,
    topics text[], properties jsonb, pushed_at timestamptz, told_at timestamptz, updated_at timestamptz)
LEFT JOIN repository known ON known.id = t.id AND known.id = ANY(%(ids)s)
ORDER BY t.id
ON CONFLICT (id) DO UPDATE SET
    installation_id = excluded.installation_id, full_name = excluded.full_name,
    default_branch = excluded.default_branch, private = excluded.private, archived = excluded.archived,
    fork = excluded.fork, is_template = excluded.is_template, has_issues = excluded.has_issues,
    topics = excluded.topics, updated_at = excluded.updated_at, removed_at = NULL,
    properties = coalesce(excluded.properties, repository.properties),
    pushed_at = greatest(repository.pushed_at, excluded.pushed_at),
    first_pushed_at = coalesce(repository.first_pushed_at, excluded.pushed_at),
    reread = repository.reread OR repository.default_branch <> excluded.default_branch
WHERE repository.updated_at IS NULL OR repository.updated_at <= excluded.updated_at
"""
"""Describe repositories; a description older than the one we have changes nothing.

Of a known repository `pushed_at` is the newest push that we were told of: the list of repositories shows a
later one only where its event was lost, whatever other events say.
"""


def of_repositories(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `INSERT_DELIVERIES` and `UPSERT_REPOSITORIES` take of repositories."""
    return {"described": as_json(rows), "ids": [row["id"] for row in rows]}


def repository_row(
    repository: Repository, installation_id: int, told_at: datetime | None
) -> Mapping[str, Any]:
    """A repository as `UPSERT_REPOSITORIES` takes it, with the newest push that is told of."""
    described = {name: getattr(repository, name) for name in Repository.__slots__}
    return described | {"installation_id": installation_id, "told_at": told_at}


async def _repositories(connection: Connection, receptions: Sequence[DeliveryEffects]) -> None:
    if rows := _newest(receptions):
        await connection.execute(UPSERT_REPOSITORIES, of_repositories(rows))


def _newest(receptions: Iterable[DeliveryEffects]) -> list[Mapping[str, Any]]:
    """The newest description of each repository, by its id; and the newest push that they tell of."""
    newest: dict[int, tuple[Repository, int]] = {}
    pushes: dict[int, list[datetime]] = {}
    for reception in receptions:
        for repository in reception.repositories:
            known = newest[repository.id][0].updated_at if repository.id in newest else None
            if known is None or (repository.updated_at is not None and known <= repository.updated_at):
                newest[repository.id] = (repository, reception.installation_id or 0)
            if reception.tells_of_push and repository.pushed_at:
                pushes.setdefault(repository.id, []).append(repository.pushed_at)
    return [repository_row(*newest[key], max(pushes.get(key, ()), default=None)) for key in sorted(newest)]


UPSERT_PULL_REQUESTS: LiteralString = """
INSERT INTO pull_request
    (repository_id, number, head_sha, before_sha, base_ref, base_sha, author, behind, state, updated_at)
SELECT * FROM json_to_recordset(%s::json) AS t (repository_id bigint, number int, head_sha text,
    before_sha text, base_ref text, base_sha text, author text, behind text,
    state text, updated_at timestamptz)
ON CONFLICT (repository_id, number) DO UPDATE SET
    head_sha = excluded.head_sha, base_ref = excluded.base_ref,
    base_sha = excluded.base_sha, behind = excluded.behind,
    state = excluded.state, updated_at = excluded.updated_at,
    before_sha = coalesce(excluded.before_sha, pull_request.before_sha)
WHERE pull_request.updated_at < excluded.updated_at
   OR (pull_request.updated_at = excluded.updated_at
       AND pull_request.before_sha IS DISTINCT FROM excluded.head_sha
       AND NOT (pull_request.state <> 'open' AND excluded.state = 'open'))
"""
"""Describe a pull request. GitHub's clock has seconds: of two payloads of one second, the one whose head
was replaced, and the one that shows a closed pull request open, are the older."""


async def _pull_requests(connection: Connection, pulls: Iterable[PullRequest]) -> None:
    for rows in pull_request_rows(pulls):
        await connection.execute(UPSERT_PULL_REQUESTS, (rows,))


def pull_request_rows(pulls: Iterable[PullRequest]) -> Iterator[str]:
    """What to run `UPSERT_PULL_REQUESTS` with, one after the other: it takes no pull request twice."""
    rows = sorted(pulls, key=_pull_request_key)
    while rows:
        once: dict[tuple[int, int], PullRequest] = {}
        for row in rows:
            once.setdefault(_pull_request_key(row), row)
        yield as_json(list(once.values()))
        rows = [row for row in rows if once[_pull_request_key(row)] is not row]


_pull_request_key = attrgetter("repository_id", "number")


async def _facts(connection: Connection, facts: Iterable[EventRecord]) -> None:
    if rows := sorted(set(facts), key=attrgetter("id", "subject")):
        await connection.execute(
            """
            INSERT INTO fact (id, subject, kind, at, actor, detail)
            SELECT * FROM json_to_recordset(%s::json)
                AS t (id text, subject text, kind text, at timestamptz, actor text, detail text)
            ON CONFLICT DO NOTHING
            """,
            (as_json(rows),),
        )


def as_json(rows: Sequence[object]) -> str:
    """Rows, each a mapping or a dataclass, as the statements take them."""
    return msgspec.json.encode(rows).decode()
