"""Subjects: what needs a look, what came of the last one, and which wait, are dirty or dead.

Over 300 lines: these statements are one state machine, and hold only together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from sqlalchemy import Connection, text
from sqlmodel import Session

from service.rules.queue import Urgency
from service.rules.values.github import EventKind, EventRecord
from service.rules.values.subjects import urgency_of
from service.store.database import ask, cursor
from service.store.jobs import RECONCILE_TASK, defer_looks_async, defer_reconciliations

MARK: LiteralString = """
INSERT INTO subject (key, wanted, done, attempts, touched, marked_at, urgency, installation_id)
SELECT k, 1, 0, 0, now(), now(), u, CASE WHEN split_part(k, ':', 1) IN ('installation', 'policy', 'digest')
    THEN about ELSE (SELECT r.installation_id FROM repository r WHERE r.id = about) END
FROM (SELECT k, u, substring(k FROM ':([0-9]+)')::bigint AS about
    FROM unnest(%(keys)s::text[], %(urgencies)s::smallint[]) AS t (k, u) OFFSET 0) AS marked ORDER BY k
ON CONFLICT (key) DO UPDATE SET
    wanted = subject.wanted + 1,
    touched = CASE WHEN subject.wanted > subject.done AND subject.urgency >= excluded.urgency
        THEN subject.touched ELSE now() END,
    marked_at = CASE WHEN subject.wanted > subject.done AND subject.urgency >= excluded.urgency
        THEN subject.marked_at ELSE now() END,
    not_before = CASE WHEN subject.urgency < excluded.urgency THEN NULL ELSE subject.not_before END,
    urgency = CASE WHEN subject.wanted > subject.done
        THEN greatest(subject.urgency, excluded.urgency) ELSE excluded.urgency END,
    installation_id = coalesce(excluded.installation_id, subject.installation_id),
    attempts = CASE WHEN subject.dead_since IS NULL THEN subject.attempts ELSE 0 END,
    dead_since = NULL
RETURNING key, urgency, touched = now() AS to_defer
"""
"""Raise `wanted` of each subject. Keys must be distinct: they are locked in their order, so that two
writers cannot wait for each other. An event does not touch a subject that is dirty already: one that somebody
forgot would never be found while events keep coming. Only one that is more urgent does: it gets a job that
comes before the one that waits, and needn't wait for calls that are kept for what is urgent.

OFFSET 0 keeps PostgreSQL from reading the id out of the key again for each repository that it compares."""


_MARKED = "subjects to mark"
_AT_MOST = "as urgent as this"


@dataclass(frozen=True, slots=True)
class Claim:
    """A dirty subject as a look found it: `wanted` is what the look will have done."""

    key: str
    wanted: int
    attempts: int
    as_of: datetime | None
    facts: tuple[EventRecord, ...]
    urgency: Urgency = Urgency.LATER
    installation_id: int | None = None
    marked_at: datetime | None = None
    """When it was first marked as that urgent, of what it still needs a look for."""


def mark(
    session: Session,
    keys: Iterable[str],
    *,
    as_of: datetime | None = None,
    at_most: Urgency = Urgency.PEOPLE,
) -> None:
    """Mark subjects as needing a look, and defer it where none is under way, or a less urgent one.

    They are as urgent as their kind, and `at_most` as this.
    """
    distinct = sorted(set(keys))
    if not distinct:
        return
    if _MARKED in session.info and as_of is None:
        session.info[_MARKED].update(distinct)
        return
    most = min(at_most, session.info.get(_AT_MOST, at_most))
    rows = cursor(session).execute(MARK, marks({key: min(urgency_of(key), most) for key in distinct}))
    to_defer = _to_defer(rows.fetchall())
    if as_of is not None:
        session.connection().execute(
            text("UPDATE subject SET as_of = :as_of WHERE key = ANY(:keys)"),
            {"as_of": as_of, "keys": distinct},
        )
    defer_reconciliations(session, to_defer)


async def mark_async(connection: psycopg.AsyncConnection[Any], urgencies: Mapping[str, Urgency]) -> None:
    """Mark subjects in the connection's transaction, each as urgent as is said."""
    if urgencies:
        rows = await connection.execute(MARK, marks(urgencies))
        await defer_looks_async(connection, _to_defer(await rows.fetchall()))


def marks(urgencies: Mapping[str, Urgency]) -> Mapping[str, list[Any]]:
    """What `MARK` takes."""
    keys = sorted(urgencies)
    return {"keys": keys, "urgencies": [int(urgencies[key]) for key in keys]}


def _to_defer(rows: Iterable[tuple[str, int, bool]]) -> dict[str, Urgency]:
    return {key: Urgency(urgency) for key, urgency, to_defer in rows if to_defer}


@contextmanager
def marking_last(session: Session, at_most: Urgency = Urgency.PEOPLE) -> Iterator[None]:
    """Mark all that is marked within the block at its end, in one order: see `MARK`."""
    session.info[_AT_MOST] = at_most
    session.info[_MARKED] = set[str]()
    try:
        yield
    finally:
        marked = session.info.pop(_MARKED)
    mark(session, marked)


CLAIM: LiteralString = """
UPDATE subject SET touched = now() WHERE key = %(key)s AND wanted > done
AND (not_before IS NULL OR not_before <= now())
RETURNING wanted, attempts, as_of, urgency, installation_id, marked_at
"""
UNANSWERED: LiteralString = """
SELECT id, subject, kind, at, actor, detail FROM fact
WHERE subject = %(key)s AND answered_at IS NULL ORDER BY at, id
"""


def claim(connection: Connection, key: str) -> Claim | None:
    """Read a subject under its lock; None where it is clean, or waits until a later time."""
    row = ask(connection, CLAIM, {"key": key}).fetchone()
    if row is None:
        return None
    # A statement of its own: the claim may have waited for who marks the subject, and one statement would see
    # the mark of that transaction without its events.
    events = ask(connection, UNANSWERED, {"key": key})
    facts = tuple(map(event_of, events))
    urgency = Urgency(row.urgency)
    return Claim(key, row.wanted, row.attempts, row.as_of, facts, urgency, row.installation_id, row.marked_at)


def peek(session: Session, key: str, as_of: datetime | None) -> Claim:
    """A subject as a look would find it now, without claiming it."""
    events = ask(session, UNANSWERED, {"key": key})
    return Claim(key, 0, 0, as_of, tuple(map(event_of, events)))


def event_of(row: Any) -> EventRecord:  # noqa: ANN401 (of the table, or with columns named like its)
    """A row as a recorded event."""
    return EventRecord(row.id, row.subject, EventKind(row.kind), row.at, row.actor, row.detail)


FINISH: LiteralString = """
WITH answered AS (
    UPDATE fact SET answered_at = now() WHERE id = ANY(%(facts)s)
)
UPDATE subject SET
    done = %(wanted)s, looked_at = touched, touched = now(), outcome = %(outcome)s, last_error = %(error)s,
    next_look_at = %(next_look_at)s, marked_at = CASE WHEN wanted > %(wanted)s THEN now() END,
    attempts = 0, not_before = NULL, dead_since = CASE WHEN %(dead)s THEN now() END,
    as_of = CASE WHEN wanted = %(wanted)s THEN NULL ELSE as_of END
WHERE key = %(key)s RETURNING wanted > %(wanted)s AS dirty
"""


def finish(
    connection: Connection,
    seen: Claim,
    outcome: str,
    *,
    answered: Collection[EventRecord],
    again_at: datetime | None = None,
) -> bool:
    """Store what came of a subject, and tell whether something arrived meanwhile that keeps it dirty.

    It rests until `again_at`. What was told and not `answered` is for the next sweep; and what was seen at
    another time than the present says nothing of when to look again.
    """
    rests = again_at is not None and seen.as_of is None and len(answered) == len(seen.facts)
    again = again_at if rests else None
    return _finish(connection, seen, outcome=outcome, error=None, dead=False, answered=answered, again=again)


def give_up(connection: Connection, seen: Claim, error: str, *, dead: bool) -> bool:
    """Store that a subject will not be tried again by itself; tell whether something arrived meanwhile.

    Nothing that was told is answered by that.
    """
    return _finish(connection, seen, outcome="gave up", error=error, dead=dead, answered=())


def _finish(
    connection: Connection,
    seen: Claim,
    *,
    outcome: str,
    error: str | None,
    dead: bool,
    answered: Iterable[EventRecord],
    again: datetime | None = None,
) -> bool:
    row = ask(
        connection,
        FINISH,
        {
            "key": seen.key,
            "wanted": seen.wanted,
            "facts": [fact.id for fact in answered],
            "outcome": outcome,
            "error": error,
            "dead": dead,
            "next_look_at": again,
        },
    ).fetchone()
    return row is not None and bool(row.dirty)


POSTPONE = text("""
UPDATE subject SET
    not_before = CASE WHEN urgency > :urgency THEN NULL ELSE CAST(:until AS timestamptz) END,
    last_error = :error, touched = now(), attempts = attempts + :counts
WHERE key = :key RETURNING urgency, not_before
""")


def postpone(session: Session, seen: Claim, error: str, *, until: datetime, counts: bool) -> None:
    """Let a subject wait until a time, with a timer that wakes it then.

    If something more urgent was told meanwhile, it's looked at again at once: the job of that found the
    subject locked, and calls that were kept for what is urgent are there now.
    """
    given = {"key": seen.key, "urgency": int(seen.urgency), "until": until, "error": error}
    row = session.connection().execute(POSTPONE, given | {"counts": int(counts)}).one()
    defer_reconciliations(session, {seen.key: Urgency(row.urgency)}, at=row.not_before)


def wake_forgotten(session: Session, *, untouched_for: timedelta) -> list[str]:
    """Defer a look at each dirty subject that nobody will come to: the recovery for everything.

    Rows that somebody has locked wait for the next time: their order is not that of `MARK`.
    """
    rows = session.connection().execute(
        text("""
            UPDATE subject SET touched = now() WHERE key IN (
                SELECT key FROM subject
                WHERE wanted > done AND touched < now() - :untouched
                  AND (not_before IS NULL OR not_before < now() - :untouched)
                  AND NOT EXISTS (
                    SELECT 1 FROM procrastinate_jobs job
                    WHERE job.status = 'todo' AND job.task_name = :look AND job.args ->> 'key' = subject.key
                      AND (job.scheduled_at IS NULL OR job.scheduled_at < now()))
                FOR UPDATE SKIP LOCKED)
            RETURNING key, urgency
        """),
        {"untouched": untouched_for, "look": RECONCILE_TASK},
    )
    urgencies = {row.key: Urgency(row.urgency) for row in rows}
    defer_reconciliations(session, urgencies)
    return list(urgencies)


@dataclass(frozen=True, slots=True)
class SubjectState:
    """A subject as `sweep` and the tests see it."""

    key: str
    dirty: bool
    dead: bool
    outcome: str | None
    last_error: str | None
    waits_until: datetime | None


def dead(session: Session) -> list[str]:
    """The subjects that were given up."""
    rows = session.connection().execute(text("SELECT key FROM subject WHERE dead_since IS NOT NULL"))
    return [row.key for row in rows]


def stored_deliveries(session: Session, delivery_ids: set[str]) -> set[str]:
    """Which of these deliveries are in the database."""
    given = {stored_id(each): each for each in delivery_ids}
    asked = text("SELECT DISTINCT delivery_id FROM delivery WHERE delivery_id = ANY(CAST(:ids AS uuid[]))")
    rows = session.connection().execute(asked, {"ids": sorted(given)})
    return {given[str(row.delivery_id)] for row in rows}


def ready(session: Session) -> list[str]:
    """The subjects that could be looked at now."""
    rows = session.connection().execute(
        text(
            "SELECT key FROM subject WHERE wanted > done AND (not_before IS NULL OR not_before <= now()) "
            "ORDER BY key"
        )
    )
    return [row.key for row in rows]


def states(session: Session, keys: Sequence[str]) -> list[SubjectState]:
    """The state of each of the given subjects that exists."""
    rows = session.connection().execute(
        text(
            "SELECT key, wanted > done, dead_since IS NOT NULL, outcome, last_error, not_before "
            "FROM subject WHERE key = ANY(:keys) ORDER BY key"
        ),
        {"keys": list(keys)},
    )
    return [SubjectState(*row) for row in rows]


GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OF_A_TIME = "1"
"""The version of UUIDs that begin with the lowest digits of a time."""


def stored_id(given: str) -> str:
    """The UUID that stands for an id: in the order of its time, so that an index grows at its end.

    The time's digits of version 1 are reordered as in version 6 (RFC 9562). What isn't a UUID, which GitHub
    doesn't send, is stored as the beginning of its SHA-256.
    """
    if not GUID.fullmatch(given):
        digits = hashlib.sha256(given.encode()).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
    if given[14] != OF_A_TIME:
        return given
    time = given[15:18] + given[9:13] + given[:8]
    return f"{time[:8]}-{time[8:12]}-6{time[12:]}{given[18:]}"
