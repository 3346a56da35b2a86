"""A database that has grown: generated rows, made in the server and indexed after."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.payloads import FIRST_REPOSITORY, INSTALLATION
from service.store.database import connect
from service.store.schema import migrate

PULLS = 5
"""Open pull requests of each POC."""
APART = 2.0
"""Seconds between two deliveries, as in an organisation that sends 43,000 a day."""
POCS = """
INSERT INTO installation (id, account, permissions) VALUES ({installation}, 'acme', '{{}}');
INSERT INTO repository (id, installation_id, full_name, default_branch, topics, pushed_at, updated_at,
    first_pushed_at, reread, poc_reason, registered_at, charter_kind)
SELECT {first} + n, {installation}, 'acme/triage-' || n || CASE WHEN n < {pocs} THEN '-poc' ELSE '' END,
    'main', '{{}}', '2026-01-01', '2026-01-01', '2026-01-01', false, CASE WHEN n < {pocs} THEN 'name' END,
    now(), CASE WHEN n < {pocs} THEN 'charter' ELSE 'absent' END
FROM generate_series(0, {repositories} - 1) AS n;
INSERT INTO poc (repository_id) SELECT {first} + n FROM generate_series(0, {pocs} - 1) AS n;
INSERT INTO pull_request (repository_id, number, head_sha, base_ref, base_sha, author, state, updated_at)
SELECT {first} + n, k, md5(n || ':' || k) || '01234567', 'main', repeat('a', 40), 'jane-doe', 'open',
    '2026-01-01' FROM generate_series(0, {pocs} - 1) AS n, generate_series(1, {pulls}) AS k;
INSERT INTO check_run (repository_id, head_sha, name, subject, external_id, digest, conclusion, title,
    github_id)
SELECT repository_id, head_sha, 'POC charter', 'pull_request:' || repository_id || ':' || number, head_sha,
    md5(head_sha), 'success', 'The charter is complete', 1 FROM pull_request;
INSERT INTO subject (key, wanted, done, attempts, looked_at, next_look_at)
SELECT key, 1, 1, 0, now(), now() + n % 24 * interval '1 hour' FROM (
    SELECT 'repository:' || {first} + n AS key, n FROM generate_series(0, {pocs} - 1) AS n
    UNION ALL SELECT 'pull_request:' || repository_id || ':' || number, repository_id FROM pull_request
) AS keys;
"""
FACTS = """
INSERT INTO fact (id, subject, kind, at, actor, detail, recorded_at, answered_at)
SELECT 'repository:' || r || ':act:commit:' || md5(n::text) || '01234567', 'repository:' || r,
    CASE n % 10 WHEN 0 THEN 'default-pushed' WHEN 1 THEN 'charter-pushed' WHEN 2 THEN 'rerun-requested'
        ELSE 'activity' END, at, 'jane-doe',
    '{{"deed": "commit", "sha": "' || md5(n::text) || '01234567"}}', at, at
FROM (SELECT n, {first} + n * {pocs}::bigint / {facts} AS r, now() - n * interval '2 seconds' AS at
    FROM generate_series(0, {facts} - 1) AS n) AS t;
"""
DELIVERIES = """
INSERT INTO delivery (delivery_id, event, body_sha256, action, installation_id, repository_id, subjects,
    received_at)
SELECT
    (substr(t, 1, 12) || '6' || substr(t, 13) || 'b' || substr(md5(n::text), 1, 15))::uuid, 'pull_request',
    sha256(n::text::bytea), 'synchronize', {installation}, r, ARRAY['repository:' || r], at
FROM (
    SELECT n, at, {first} + n * 7919 % {repositories} AS r,
        lpad(to_hex((extract(epoch FROM at) * 10000000)::bigint + 122192928000000000), 15, '0') AS t
    FROM (SELECT n, now() - ({deliveries} - n) * interval '1 second' * {apart} AS at
        FROM generate_series(1, {deliveries}::bigint) AS n) AS moments
) AS rows;
"""
INDEXES = """
SELECT c.relname::text, t.relname::text, pg_get_indexdef(i.indexrelid), pg_get_constraintdef(k.oid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
WHERE t.relname = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows; the POCs are the first of the repositories."""

    pocs: int
    repositories: int
    deliveries: int = 0
    facts: int = 0
    apart: float = APART


def fill(url: str, size: Size) -> None:
    """Make the tables and fill them."""
    began = time.monotonic()
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '256MB'")
        _run(connection, POCS, size)
        with _indexed_after(connection, "delivery", "fact"):
            if size.facts:
                _run(connection, FACTS, size)
            if size.deliveries:
                _run(connection, DELIVERIES, size)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    print(
        f"{size.deliveries} deliveries, {size.facts} facts, {size.pocs} POCs among {size.repositories} "
        f"repositories after {time.monotonic() - began:.0f} s",
        flush=True,
    )


def _run(connection: psycopg.Connection[Any], statements: str, size: Size) -> None:
    connection.execute(
        statements.format(
            installation=INSTALLATION,
            first=FIRST_REPOSITORY,
            pulls=PULLS,
            pocs=size.pocs,
            repositories=size.repositories,
            deliveries=size.deliveries,
            facts=size.facts,
            apart=size.apart,
        ).encode()
    )


@contextmanager
def _indexed_after(connection: psycopg.Connection[Any], *tables: str) -> Iterator[None]:
    """Without the tables' indexes within the block: to make one over all rows is much quicker."""
    indexes: Sequence[tuple[str, str, str, str | None]]
    indexes = connection.execute(INDEXES, (list(tables),)).fetchall()
    for name, table, _, constraint in indexes:
        drops = f"ALTER TABLE {table} DROP CONSTRAINT {name}" if constraint else f"DROP INDEX {name}"
        connection.execute(drops.encode())
    yield
    for name, table, index, constraint in indexes:
        makes = f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}" if constraint else index
        connection.execute(makes.encode())


def sizes(url: str) -> str:
    """Tables and indexes above 8 MB."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT relname, pg_relation_size(oid) / 1048576 FROM pg_class WHERE relkind IN ('r', 'i') "
            "AND pg_relation_size(oid) > 8 * 1048576 ORDER BY 2 DESC"
        ).fetchall()
    return ", ".join(f"{name} {size}" for name, size in rows)
