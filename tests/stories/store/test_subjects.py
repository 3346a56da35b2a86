"""Subjects: what marking, waiting and waking do to the counters and to the jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from service.rules.queue import Urgency
from service.rules.values.github import EventKind
from service.store import database, subjects
from service.store.database import LockBusyError, LockClass, lock, transaction
from tests.harness.waiting import eventually

KEY = "repository:1"
FORGOTTEN = timedelta(seconds=45)
Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def ask(database_url: str) -> Iterator[Ask]:
    with psycopg.connect(database_url, autocommit=True) as connection:

        def asked(query: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(query)  # type: ignore[arg-type,call-overload,unused-ignore]
            return cursor.fetchall() if cursor.description else []

        yield asked


def mark(engine: Engine, *keys: str, as_of: datetime | None = None) -> None:
    with transaction(engine) as session:
        subjects.mark(session, keys or [KEY], as_of=as_of)


def wake(engine: Engine) -> list[str]:
    with transaction(engine) as session:
        session.connection().execute(text("SET LOCAL lock_timeout = '2s'"))
        return subjects.wake_forgotten(session, untouched_for=FORGOTTEN)


def jobs(ask: Ask) -> list[str]:
    return [row[0] for row in ask("SELECT args ->> 'key' FROM procrastinate_jobs ORDER BY id")]


def test_marking_defers_a_job_for_each_subject_that_was_clean(engine: Engine, ask: Ask) -> None:
    mark(engine, "repository:2", "repository:1", "repository:2")
    mark(engine, "repository:2", "repository:3")
    assert sorted(jobs(ask)) == ["repository:1", "repository:2", "repository:3"]
    assert ask("SELECT key, wanted FROM subject ORDER BY key") == [
        ("repository:1", 1),
        ("repository:2", 2),
        ("repository:3", 1),
    ]
    mark(engine)
    with transaction(engine) as session:
        subjects.mark(session, [])


PULL = "pull_request:1:5"


def priorities(ask: Ask) -> list[tuple[Any, ...]]:
    return ask("SELECT args ->> 'key', priority FROM procrastinate_jobs ORDER BY id")


def test_what_people_wait_for_comes_before_a_repository_and_that_before_the_safety_net(
    engine: Engine, ask: Ask
) -> None:
    mark(engine, PULL, KEY, "merge_group:1:a:b", "deployment:1:2", "policy:7")
    with transaction(engine) as session:
        subjects.mark(session, ["pull_request:1:6"], at_most=Urgency.NOBODY)
    assert dict(priorities(ask)) == {
        PULL: 3,
        KEY: 2,
        "merge_group:1:a:b": 3,
        "deployment:1:2": 3,
        "policy:7": 2,
        "pull_request:1:6": 1,
    }


def test_what_becomes_more_urgent_gets_one_more_job(engine: Engine, ask: Ask) -> None:
    for most in (Urgency.NOBODY, Urgency.LATER, Urgency.NOBODY, Urgency.PEOPLE, Urgency.PEOPLE):
        with transaction(engine) as session:
            subjects.mark(session, [PULL], at_most=most)
    assert priorities(ask) == [(PULL, 1), (PULL, 2), (PULL, 3)]
    assert ask("SELECT wanted, urgency FROM subject") == [(5, 3)]


def test_what_was_clean_is_as_urgent_as_its_new_mark(engine: Engine, ask: Ask) -> None:
    mark(engine, PULL)
    ask("UPDATE subject SET done = wanted")
    with transaction(engine) as session:
        subjects.mark(session, [PULL], at_most=Urgency.NOBODY)
    assert priorities(ask) == [(PULL, 3), (PULL, 1)]


def test_what_is_tried_again_or_woken_stays_as_urgent(engine: Engine, ask: Ask) -> None:
    mark(engine, PULL)
    ask("DELETE FROM procrastinate_jobs")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        claimed = subjects.claim(connection, PULL)
    assert claimed is not None
    with transaction(engine) as session:
        subjects.postpone(session, claimed, "later", until=datetime.now(UTC), counts=True)
    assert priorities(ask) == [(PULL, 3)]
    ask("DELETE FROM procrastinate_jobs")
    ask("UPDATE subject SET touched = now() - interval '46 seconds', not_before = NULL")
    assert wake(engine) == [PULL]
    assert priorities(ask) == [(PULL, 3)]


def test_a_subject_is_its_installations(engine: Engine, ask: Ask) -> None:
    ask("INSERT INTO repository (id, installation_id, full_name, topics) VALUES (1, 7, 'acme/x', '{}')")
    mark(engine, PULL, KEY, "policy:8", "installation:9", "digest:8:slack", "repository:404")
    found: dict[str, int | None] = dict(ask("SELECT key, installation_id FROM subject"))
    assert found == {
        PULL: 7,
        KEY: 7,
        "policy:8": 8,
        "installation:9": 9,
        "digest:8:slack": 8,
        "repository:404": None,
    }


def test_a_transaction_that_is_rolled_back_leaves_neither_mark_nor_job(engine: Engine, ask: Ask) -> None:
    def fail() -> None:
        with transaction(engine) as session:
            subjects.mark(session, [KEY])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ask("SELECT key FROM subject") == []
    assert jobs(ask) == []


def test_a_claim_is_none_for_what_is_clean_unknown_or_waits(engine: Engine, ask: Ask) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert subjects.claim(connection, KEY) is None
        mark(engine)
        found = subjects.claim(connection, KEY)
        assert found is not None
        assert found == subjects.Claim(KEY, 1, 0, None, (), marked_at=found.marked_at)
        ask("UPDATE subject SET not_before = now() + interval '1 minute'")
        assert subjects.claim(connection, KEY) is None
        ask("UPDATE subject SET not_before = now() - interval '1 minute'")
        assert subjects.claim(connection, KEY) == found
        subjects.finish(connection, found, "seen", answered=())
        assert subjects.claim(connection, KEY) is None


def test_a_claim_that_waited_for_a_mark_has_the_events_that_came_with_it(
    engine: Engine, ask: Ask, database_url: str
) -> None:
    mark(engine)

    def claimed() -> subjects.Claim | None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return subjects.claim(connection, KEY)

    with psycopg.connect(database_url) as receiver, ThreadPoolExecutor() as pool:
        receiver.execute(
            "INSERT INTO fact (id, subject, kind, at, actor, detail) "
            "VALUES ('pushed', %s, %s, now(), '', '')",
            (KEY, EventKind.CHARTER_PUSHED),
        )
        receiver.execute(subjects.MARK, subjects.marks({KEY: Urgency.LATER}))
        claim = pool.submit(claimed)
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        eventually(lambda: ask(waiting), "the claim waits for the receiver")
        receiver.commit()
        found = claim.result()
    assert found is not None
    assert (found.wanted, [fact.id for fact in found.facts]) == (2, ["pushed"])


def test_as_of_belongs_to_the_mark_and_survives_what_comes_before_it(engine: Engine, ask: Ask) -> None:
    later = datetime(2031, 1, 1, tzinfo=UTC)
    mark(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        before = subjects.claim(connection, KEY)
        assert before is not None
        mark(engine, as_of=later)
        subjects.finish(connection, before, "seen", answered=())
        assert ask("SELECT as_of FROM subject") == [(later,)]
        claimed = subjects.claim(connection, KEY)
        assert claimed is not None
        assert claimed.as_of == later
        with transaction(engine) as session:
            subjects.postpone(session, claimed, "later", until=datetime.now(UTC), counts=True)
        assert ask("SELECT as_of, attempts FROM subject") == [(later, 1)]
        subjects.finish(connection, claimed, "seen", answered=())
        assert ask("SELECT as_of, attempts FROM subject") == [(None, 0)]


def test_what_was_forgotten_is_woken_once_for_a_while(engine: Engine, ask: Ask) -> None:
    mark(engine, "repository:1", "repository:2")
    ask("DELETE FROM procrastinate_jobs")
    ask("UPDATE subject SET touched = now() - interval '46 seconds' WHERE key = 'repository:1'")
    assert wake(engine) == ["repository:1"]
    assert jobs(ask) == ["repository:1"]
    assert wake(engine) == []


def test_what_is_clean_waits_or_has_a_job_is_not_woken(engine: Engine, ask: Ask) -> None:
    mark(engine, "clean:1", "waits:1", "queued:1", "due:1")
    ask("DELETE FROM procrastinate_jobs WHERE args ->> 'key' <> 'queued:1'")
    ask("UPDATE subject SET touched = now() - interval '1 hour'")
    ask("UPDATE subject SET done = wanted WHERE key = 'clean:1'")
    ask("UPDATE subject SET not_before = now() + interval '1 minute' WHERE key = 'waits:1'")
    ask("UPDATE subject SET not_before = now() - interval '46 seconds' WHERE key = 'due:1'")
    assert wake(engine) == ["due:1"]


def test_a_job_that_a_killed_worker_left_does_not_keep_its_subject_from_being_woken(
    engine: Engine, ask: Ask
) -> None:
    mark(engine)
    ask("UPDATE procrastinate_jobs SET status = 'doing'")
    ask("UPDATE subject SET touched = now() - interval '46 seconds'")
    assert wake(engine) == [KEY]


def test_a_forgotten_subject_is_woken_also_while_events_keep_coming(engine: Engine, ask: Ask) -> None:
    mark(engine)
    ask("DELETE FROM procrastinate_jobs")
    ask("UPDATE subject SET touched = now() - interval '46 seconds'")
    mark(engine)
    assert jobs(ask) == []
    assert wake(engine) == [KEY]


def test_waking_does_not_wait_for_a_subject_that_is_being_marked(engine: Engine, ask: Ask) -> None:
    mark(engine, "repository:1", "repository:2")
    ask("DELETE FROM procrastinate_jobs")
    ask("UPDATE subject SET touched = now() - interval '46 seconds'")
    with transaction(engine) as session:
        subjects.mark(session, ["repository:2"])
        assert wake(engine) == ["repository:1"]
    assert wake(engine) == ["repository:2"]


def test_a_lock_is_for_one_at_a_time_and_of_its_class(
    engine: Engine, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_WAIT", "200ms")
    with lock(engine, LockClass.SUBJECT, KEY), lock(engine, LockClass.COMMIT, KEY):
        assert ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(2,)]
        with pytest.raises(LockBusyError), lock(engine, LockClass.SUBJECT, KEY):
            pytest.fail("locked twice")
    with lock(engine, LockClass.SUBJECT, KEY):
        pass
    assert ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_lock_is_given_back_by_an_exception_and_with_a_lost_connection(engine: Engine, ask: Ask) -> None:
    with pytest.raises(ZeroDivisionError), lock(engine, LockClass.SUBJECT, KEY):
        raise ZeroDivisionError
    with lock(engine, LockClass.SUBJECT, KEY):
        ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    with lock(engine, LockClass.SUBJECT, KEY):
        assert ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(1,)]


PRESENT = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("as_of", "answered", "rests"),
    [
        pytest.param(None, 1, True, id="what was told is answered"),
        pytest.param(None, 0, False, id="something is not answered"),
        pytest.param(PRESENT, 1, False, id="it was looked at another time"),
    ],
)
def test_a_subject_rests_unless_something_is_left(
    engine: Engine, ask: Ask, as_of: datetime | None, answered: int, rests: bool
) -> None:
    ask(
        "INSERT INTO fact (id, subject, kind, at, actor, detail)"
        f" VALUES ('f1', '{KEY}', 'commanded', now(), '', '')"
    )
    mark(engine, as_of=as_of)
    with lock(engine, LockClass.SUBJECT, KEY) as connection:
        seen = subjects.claim(connection, KEY)
        assert seen is not None
        assert len(seen.facts) == 1
        subjects.finish(connection, seen, "fine", answered=seen.facts[:answered], again_at=PRESENT)
    assert ask("SELECT next_look_at FROM subject") == [(PRESENT if rests else None,)]


def test_what_was_given_up_does_not_rest(engine: Engine, ask: Ask) -> None:
    for again in (PRESENT, None):
        mark(engine)
        with lock(engine, LockClass.SUBJECT, KEY) as connection:
            seen = subjects.claim(connection, KEY)
            assert seen is not None
            if again:
                subjects.finish(connection, seen, "fine", answered=(), again_at=again)
            else:
                subjects.give_up(connection, seen, "no", dead=False)
        assert ask("SELECT next_look_at FROM subject") == [(again,)]
