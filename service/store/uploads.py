"""What workflow runs send: token, numbers, fact, and the subjects that need a look, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import LiteralString

import psycopg
from psycopg_pool import AsyncConnectionPool

from service.rules.charter.quantity import plain
from service.rules.evidence.claims import Reason, Refused, WorkflowRun, refuse_event
from service.rules.evidence.upload import Sent
from service.rules.source.text import shown
from service.rules.values import activity
from service.rules.values.github import EventKind, EventRecord
from service.rules.values.subjects import pull_request_key, repository_key, urgency_of
from service.store.policies import policy_of
from service.store.recording import DEADLOCKS, Connection, as_json
from service.store.subjects import mark_async


async def record_upload(
    pool: AsyncConnectionPool[Connection], run: WorkflowRun, numbers: Sequence[Sent], source: str
) -> Refused | None:
    """Commit the numbers of a run, or return why nothing of them was stored."""
    for _ in range(DEADLOCKS):
        with suppress(psycopg.errors.DeadlockDetected):
            return await _record(pool, run, numbers, source)
    return await _record(pool, run, numbers, source)


class _RefusedError(Exception):
    """Rolls back."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.refused = Refused(reason, detail)


async def _record(
    pool: AsyncConnectionPool[Connection], run: WorkflowRun, numbers: Sequence[Sent], source: str
) -> Refused | None:
    try:
        async with pool.connection() as connection, connection.transaction():
            await _admit(connection, run)
            await _use_token(connection, run)
            if await _insert(connection, run, numbers, source):
                await _tell(connection, run)
    except _RefusedError as error:
        return error.refused
    return None


ADMIT: LiteralString = """
SELECT r.poc_reason IS NOT NULL, p.good_text FROM repository r
LEFT JOIN installation i ON i.id = r.installation_id
LEFT JOIN policy p ON p.installation_id = r.installation_id
WHERE r.id = %s AND r.removed_at IS NULL AND i.deleted_at IS NULL AND i.suspended_at IS NULL
FOR NO KEY UPDATE OF r
"""
"""The lock decides between an upload and a delivery that brings a pull request on the same commit: either the
upload sees the pull request, or the look that the delivery asked for sees the numbers."""


async def _admit(connection: Connection, run: WorkflowRun) -> None:
    row = await (await connection.execute(ADMIT, (run.repository_id,))).fetchone()
    if row is None:
        detail = f"POC Governor is not installed on {run.repository}. Install the app there, or ask who can."
        raise _RefusedError(Reason.NOT_INSTALLED, detail)
    if not row[0]:
        detail = f"{run.repository} isn't a POC. Give it the topic `poc`, or a charter in `POC.md`."
        raise _RefusedError(Reason.NO_POC, detail)
    if refused := refuse_event(run, policy_of(row[1]).evidence_events):
        raise _RefusedError(refused.reason, refused.detail)


async def _use_token(connection: Connection, run: WorkflowRun) -> None:
    cursor = await connection.execute(
        "INSERT INTO used_token (jti, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (run.token_id, run.token_ends),
    )
    if not cursor.rowcount:
        detail = "This token was used before. Ask for a new one for each request: a job may ask often."
        raise _RefusedError(Reason.USED, detail)


INSERT: LiteralString = """
INSERT INTO evidence (repository_id, run_sha, commit_sha, number, level, source, source_id,
    key, metric, value, unit, environment, dataset, load, measured_over, segment, n, at)
SELECT %(repository_id)s, %(run_sha)s, %(commit_sha)s, %(number)s, level, %(source)s, %(source_id)s,
    key, metric, value, unit, environment, dataset, load, measured_over, segment, n, now()
FROM json_to_recordset(%(rows)s::json) AS t (key text, level text, metric text, value text, unit text,
    environment text, dataset text, load text, measured_over text, segment text, n bigint)
ON CONFLICT (repository_id, run_sha, source_id, key) DO NOTHING
"""

SENT_BEFORE: LiteralString = """
SELECT e.key, e.value, e.unit
FROM json_to_recordset(%(rows)s::json) AS t (key text, value text, unit text, n bigint)
JOIN evidence e ON e.key = t.key AND e.repository_id = %(repository_id)s AND e.run_sha = %(run_sha)s
    AND e.source_id = %(source_id)s
WHERE (e.value, e.unit) <> (t.value, t.unit) OR e.n IS DISTINCT FROM t.n
ORDER BY e.key LIMIT 1
"""


async def _insert(connection: Connection, run: WorkflowRun, numbers: Sequence[Sent], source: str) -> int:
    """Insert what this job has not sent before and return how many that were; its values never change."""
    rows = sorted((_row(number, run) for number in numbers), key=lambda row: str(row["key"]))
    values = {
        "repository_id": run.repository_id,
        "run_sha": run.sha,
        "commit_sha": run.speaks_for,
        "number": run.number,
        "source": source,
        "source_id": run.source_id,
        "rows": as_json(rows),
    }
    inserted = (await connection.execute(INSERT, values)).rowcount
    if inserted < len(rows):
        other = await (await connection.execute(SENT_BEFORE, values)).fetchone()
        if other is not None:
            key, value, unit = other
            detail = f"This job has sent {shown(f'{value} {unit}'.strip())} for {shown(key, 60)} before"
            raise _RefusedError(
                Reason.SENT_BEFORE,
                f"{detail}, and what was sent stays. Send a number once, or run the job again.",
            )
    return inserted


def _row(number: Sent, run: WorkflowRun) -> dict[str, object]:
    return {
        "key": number.key,
        "level": str(number.level(run.environment)),
        "metric": number.metric,
        "value": plain(number.value),
        "unit": number.unit,
        "environment": number.environment,
        "dataset": number.dataset,
        "load": number.load,
        "measured_over": number.window,
        "segment": number.segment,
        "n": number.n,
    }


async def _tell(connection: Connection, run: WorkflowRun) -> None:
    """Record that it happened, and mark whom it concerns: the POC, and the pull requests of the commit."""
    repository = repository_key(run.repository_id)
    sent = EventKind.EVIDENCE_SENT
    now = datetime.now(UTC)
    # The first numbers of a commit are activity too, where a person let them be measured.
    did = activity.measured(run.repository_id, run.sha, run.number, run.actor, now)
    for event in (
        EventRecord(f"evidence:{run.token_id}", repository, sent, now, run.actor, run.sha),
        *activity.facts_of(run.repository_id, did),
    ):
        await connection.execute(
            """
            INSERT INTO fact (id, subject, kind, at, actor, detail)
            VALUES (%s, %s, %s, now(), %s, %s) ON CONFLICT DO NOTHING
            """,
            (event.id, event.subject, str(event.kind), event.actor, event.detail),
        )
    cursor = await connection.execute(
        """
        SELECT number FROM pull_request WHERE repository_id = %s AND state = 'open' AND head_sha = %s
        """,
        (run.repository_id, run.sha),
    )
    pulls: list[int] = [row[0] for row in await cursor.fetchall()]
    if run.number is not None:
        pulls.append(run.number)
    keys = (repository, *(pull_request_key(run.repository_id, number) for number in pulls))
    await mark_async(connection, {key: urgency_of(key) for key in keys})
