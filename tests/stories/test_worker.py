"""The worker's mechanism: a dirty subject gets its look, and what came of it decides what happens next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock

import psycopg
import pytest
from sqlalchemy import Engine
from starlette.requests import Request

from service.ports import GitHubError
from service.reconcile.context import Decision, Reconciliation, UnusableError
from service.rules.queue import MAX_ATTEMPTS, Failure, FailureKind
from service.rules.values.github import EventKind, EventRecord
from service.store import database, subjects
from service.store.database import LockBusyError, LockClass, lock, transaction
from service.store.health import health
from service.store.subjects import SubjectState
from service.web.health import Metrics, Readiness
from service.worker import reconcile_while_dirty, tidy, wake_forgotten
from tests.harness.controlled import Make, Script, controlled
from tests.harness.github import FakeApp, FakeGitHub
from tests.harness.waiting import eventually

KEY, OTHER = "pull_request:7:1", "pull_request:7:2"


@pytest.fixture
def ask(database_url: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    with psycopg.connect(database_url, autocommit=True) as connection:

        def asked(statement: Any, *values: object) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

        yield asked


Ask = Callable[..., list[tuple[Any, ...]]]


def mark(engine: Engine, *keys: str, as_of: datetime | None = None) -> None:
    with transaction(engine) as session:
        subjects.mark(session, keys or [KEY], as_of=as_of)


def state(engine: Engine, key: str = KEY) -> SubjectState:
    with transaction(engine) as session:
        [found] = subjects.states(session, [key])
    return found


def due(ask: Ask, key: str = KEY) -> None:
    """Let the time pass that a subject waits for."""
    ask("UPDATE subject SET not_before = now() - interval '1 second' WHERE key = %s", key)


def add_fact(ask: Ask, fact_id: str, key: str = KEY) -> None:
    ask(
        "INSERT INTO fact (id, subject, kind, at, actor, detail) "
        "VALUES (%s, %s, 'rerun-requested', now(), '', '')",
        fact_id,
        key,
    )


def failing(kind: FailureKind, until: datetime | None = None) -> Script:
    def script(ctx: Reconciliation) -> Decision:
        raise GitHubError(Failure(kind, f"GitHub says no to {ctx.key}", until))

    return script


@pytest.mark.parametrize("end", [None, *FailureKind], ids=str)
def test_a_lock_is_held_until_the_notes_are_written(
    make: Make, engine: Engine, end: FailureKind | None
) -> None:
    def is_free() -> bool:
        with suppress(LockBusyError), lock(engine, LockClass.REGISTRATION, "7", wait=None):
            return True
        return False

    def script(ctx: Reconciliation) -> Decision:
        assert ctx.take(LockClass.REGISTRATION, "7")
        assert not is_free()
        if end:
            raise GitHubError(Failure(end, "GitHub says no"))
        return Decision("seen")

    with lock(engine, LockClass.REGISTRATION, "8"):
        services = make(script)
        mark(engine)
        reconcile_while_dirty(services, KEY)
    assert is_free()
    assert (state(engine).last_error or state(engine).outcome) in ("GitHub says no", "seen")


def test_a_dirty_subject_is_looked_at_once_and_is_clean(make: Make, engine: Engine) -> None:
    looks: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        looks.append(ctx.key)
        return Decision("seen")

    services = make(script)
    mark(engine)
    reconcile_while_dirty(services, KEY)
    reconcile_while_dirty(services, KEY)
    reconcile_while_dirty(services, "repository:404")
    assert looks == [KEY]
    assert state(engine) == SubjectState(
        KEY, dirty=False, dead=False, outcome="seen", last_error=None, waits_until=None
    )


@pytest.mark.parametrize("events", [1, 25])
def test_events_during_a_look_lead_to_exactly_one_more_and_to_no_job(
    make: Make, engine: Engine, ask: Ask, events: int
) -> None:
    looks: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        looks.append(ctx.key)
        if len(looks) == 1:
            for _ in range(events):
                mark(engine)
        return Decision("seen")

    mark(engine)
    ask("DELETE FROM procrastinate_jobs")
    reconcile_while_dirty(make(script), KEY)
    assert looks == [KEY, KEY]
    assert ask("SELECT wanted, done FROM subject") == [(1 + events, 1 + events)]
    assert ask("SELECT id FROM procrastinate_jobs") == []


def test_a_burst_before_the_look_leads_to_one_job_and_one_look(make: Make, engine: Engine, ask: Ask) -> None:
    looks: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        looks.append(ctx.key)
        return Decision("seen")

    for _ in range(30):
        mark(engine)
    assert ask("SELECT args ->> 'key' FROM procrastinate_jobs") == [(KEY,)]
    reconcile_while_dirty(make(script), KEY)
    assert looks == [KEY]


def test_two_looks_at_one_subject_never_overlap_in_threads_either(make: Make, engine: Engine) -> None:
    inside = threading.Semaphore(1)
    overlaps: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        if not inside.acquire(blocking=False):
            overlaps.append(ctx.key)
            return Decision("overlapped")
        mark(engine) if state(engine).outcome is None else None
        inside.release()
        return Decision("seen")

    services = make(script)
    mark(engine)
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(reconcile_while_dirty, services, KEY) for _ in range(12)]:
            each.result()
    assert overlaps == []
    assert not state(engine).dirty


def test_whoever_finds_a_subject_locked_leaves_it_to_the_holder(
    make: Make, engine: Engine, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_WAIT", "200ms")
    services = make(lambda _look: Decision("seen"))
    mark(engine)
    with lock(engine, LockClass.SUBJECT, KEY):
        reconcile_while_dirty(services, KEY)
        assert state(engine).dirty
    reconcile_while_dirty(services, KEY)
    assert not state(engine).dirty
    assert ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_transient_failure_waits_with_a_timer_and_counts(make: Make, engine: Engine, ask: Ask) -> None:
    mark(engine)
    ask("DELETE FROM procrastinate_jobs")
    services = make(failing(FailureKind.TRANSIENT))
    reconcile_while_dirty(services, KEY)
    now = datetime.now(UTC)
    waiting = state(engine)
    assert waiting.dirty
    assert not waiting.dead
    assert waiting.waits_until is not None
    assert now < waiting.waits_until < now + timedelta(seconds=3)
    assert waiting.last_error == f"GitHub says no to {KEY}"
    [(key, timer)] = ask("SELECT args ->> 'key', scheduled_at FROM procrastinate_jobs")
    assert (key, timer) == (KEY, waiting.waits_until)
    assert ask("SELECT attempts FROM subject") == [(1,)]

    reconcile_while_dirty(services, KEY)  # too early: nothing happens
    mark(engine)  # nor does an event hurry it
    assert len(ask("SELECT id FROM procrastinate_jobs")) == 1
    assert ask("SELECT attempts FROM subject") == [(1,)]

    due(ask)
    reconcile_while_dirty(make(lambda _look: Decision("well again")), KEY)
    assert state(engine) == SubjectState(
        KEY, dirty=False, dead=False, outcome="well again", last_error=None, waits_until=None
    )
    assert ask("SELECT attempts FROM subject") == [(0,)]


def test_a_waiting_retry_does_not_hold_up_another_pull_request_of_the_repository(
    make: Make, engine: Engine, ask: Ask
) -> None:
    def script(ctx: Reconciliation) -> Decision:
        if ctx.key == KEY:
            return failing(FailureKind.TRANSIENT)(ctx)
        return Decision("seen")

    services = make(script)
    mark(engine, KEY, OTHER)
    reconcile_while_dirty(services, KEY)
    reconcile_while_dirty(services, OTHER)
    assert state(engine, KEY).waits_until is not None
    assert state(engine, OTHER).outcome == "seen"
    mark(engine, OTHER)
    assert ask("SELECT args ->> 'key' FROM procrastinate_jobs WHERE scheduled_at IS NULL ORDER BY id DESC")[
        0
    ] == (OTHER,)
    reconcile_while_dirty(services, OTHER)
    assert not state(engine, OTHER).dirty


def test_a_subject_that_keeps_failing_is_dead_after_the_cap_is_shown_and_is_woken_by_its_next_event(
    make: Make, engine: Engine, ask: Ask
) -> None:
    services = make(failing(FailureKind.TRANSIENT))
    mark(engine)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert not state(engine).dead
        due(ask)
        reconcile_while_dirty(services, KEY)
        assert ask("SELECT attempts FROM subject") == [(attempt % MAX_ATTEMPTS,)]
    dead = state(engine)
    assert (dead.dirty, dead.dead, dead.outcome, dead.waits_until) == (False, True, "gave up", None)
    assert dead.last_error == f"GitHub says no to {KEY}"

    ready = asyncio.run(Readiness(engine, AsyncMock(return_value=None))(_request()))
    assert ready.status_code == 200
    body = bytes(ready.body).decode()
    assert '"dead_count":1' in body
    assert KEY not in body
    assert b"poc_governor_subjects_dead 1.0" in bytes(Metrics(engine)(_request()).body)

    ask("DELETE FROM procrastinate_jobs")
    mark(engine)
    assert ask("SELECT args ->> 'key' FROM procrastinate_jobs") == [(KEY,)]
    assert health(engine).dead_count == 0
    reconcile_while_dirty(services, KEY)
    assert ask("SELECT attempts, dead_since FROM subject") == [(1, None)]
    due(ask)
    reconcile_while_dirty(make(lambda _look: Decision("well again")), KEY)
    assert state(engine).outcome == "well again"
    assert health(engine).dead_count == 0


def test_an_error_of_our_own_is_retried_and_then_dead_without_its_text(
    make: Make, engine: Engine, ask: Ask
) -> None:
    def script(_look: Reconciliation) -> Decision:
        raise RuntimeError("token ghs_secret")

    services = make(script)
    mark(engine)
    for _ in range(MAX_ATTEMPTS):
        due(ask)
        reconcile_while_dirty(services, KEY)
    assert state(engine).dead
    assert state(engine).last_error == "an error of the service itself: see its log"


def test_what_github_refuses_is_dead_at_once(make: Make, engine: Engine) -> None:
    mark(engine)
    reconcile_while_dirty(make(failing(FailureKind.REFUSED)), KEY)
    assert state(engine).dead
    assert not state(engine).dirty


def test_what_is_gone_is_finished_and_not_dead(make: Make, engine: Engine) -> None:
    mark(engine)
    reconcile_while_dirty(make(failing(FailureKind.GONE)), KEY)
    assert state(engine) == SubjectState(KEY, False, False, "gave up", f"GitHub says no to {KEY}", None)


def test_what_may_not_be_used_any_more_is_finished_with_the_reason(make: Make, engine: Engine) -> None:
    def script(_look: Reconciliation) -> Decision:
        raise UnusableError("the installation is suspended")

    mark(engine)
    reconcile_while_dirty(make(script), KEY)
    assert state(engine).outcome == "the installation is suspended"
    assert not state(engine).dirty


def test_a_rate_limit_is_waited_for_and_never_counts(make: Make, engine: Engine, ask: Ask) -> None:
    until = datetime.now(UTC) + timedelta(minutes=20)
    services = make(failing(FailureKind.RATE_LIMITED, until))
    mark(engine)
    for _ in range(MAX_ATTEMPTS + 2):
        reconcile_while_dirty(services, KEY)
        waits = state(engine).waits_until
        assert waits is not None
        assert until <= waits <= until + timedelta(seconds=30)
        assert ask("SELECT attempts FROM subject") == [(0,)]
        due(ask)
    assert not state(engine).dead


def test_an_event_during_a_look_that_gives_up_gets_its_look(make: Make, engine: Engine) -> None:
    looks: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        looks.append(ctx.key)
        if len(looks) == 1:
            mark(engine)
            return failing(FailureKind.REFUSED)(ctx)
        return Decision("seen")

    mark(engine)
    reconcile_while_dirty(make(script), KEY)
    assert len(looks) == 2
    assert state(engine).outcome == "seen"
    assert not state(engine).dead


def test_facts_are_answered_exactly_once(make: Make, engine: Engine, ask: Ask) -> None:
    seen: list[list[str]] = []

    def script(ctx: Reconciliation) -> Decision:
        seen.append([fact.id for fact in ctx.facts])
        assert ctx.told(EventKind.RERUN_REQUESTED) == bool(ctx.facts)
        if len(seen) == 1:
            add_fact(ask, "during")
            mark(engine)
        return Decision("seen")

    for fact_id in ("first", "second"):
        add_fact(ask, fact_id)
    add_fact(ask, "of another", OTHER)
    mark(engine)
    services = make(script)
    reconcile_while_dirty(services, KEY)
    mark(engine)
    reconcile_while_dirty(services, KEY)
    assert seen == [["first", "second"], ["during"], []]
    assert ask("SELECT id FROM fact WHERE answered_at IS NULL") == [("of another",)]


@pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.REFUSED, FailureKind.RATE_LIMITED])
def test_facts_of_a_look_that_failed_are_there_for_the_next(
    make: Make, engine: Engine, ask: Ask, kind: FailureKind
) -> None:
    add_fact(ask, "asked")
    mark(engine)
    reconcile_while_dirty(make(failing(kind)), KEY)
    seen: list[EventRecord] = []

    def script(ctx: Reconciliation) -> Decision:
        seen.extend(ctx.facts)
        return Decision("seen")

    due(ask)
    mark(engine)
    reconcile_while_dirty(make(script), KEY)
    assert [fact.id for fact in seen] == ["asked"]


def test_as_of_is_kept_until_a_look_at_that_time_is_done_and_then_cleared(
    make: Make, engine: Engine, ask: Ask
) -> None:
    later = datetime(2031, 2, 3, 9, tzinfo=UTC)
    clocks: list[datetime] = []

    def script(ctx: Reconciliation) -> Decision:
        clocks.append(ctx.now)
        if len(clocks) == 1:
            mark(engine, as_of=later)  # asked for while a look at another time is under way
        if len(clocks) == 2:
            return failing(FailureKind.TRANSIENT)(ctx)
        return Decision("seen")

    services = make(script)
    mark(engine)
    reconcile_while_dirty(services, KEY)
    assert ask("SELECT as_of FROM subject") == [(later,)]
    due(ask)
    reconcile_while_dirty(services, KEY)
    assert ask("SELECT as_of FROM subject") == [(None,)]
    mark(engine)
    reconcile_while_dirty(services, KEY)
    assert clocks[1:3] == [later, later]
    assert abs(clocks[0] - datetime.now(UTC)) < timedelta(minutes=1)
    assert abs(clocks[3] - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_look_whose_lock_was_lost_stores_nothing_and_the_subject_is_woken(
    make: Make, engine: Engine, ask: Ask
) -> None:
    looks: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        looks.append(ctx.key)
        if len(looks) == 1:
            ask(
                "SELECT pg_terminate_backend(pid) FROM pg_locks "
                "WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database "
                "WHERE datname = current_database())"
            )
        return Decision("seen")

    services = make(script)
    mark(engine)
    ask("DELETE FROM procrastinate_jobs")
    reconcile_while_dirty(services, KEY)
    assert state(engine).dirty
    wake_forgotten(services)
    assert ask("SELECT id FROM procrastinate_jobs") == []
    ask("UPDATE subject SET touched = now() - interval '46 seconds'")
    wake_forgotten(services)
    assert ask("SELECT args ->> 'key' FROM procrastinate_jobs") == [(KEY,)]
    reconcile_while_dirty(services, KEY)
    assert not state(engine).dirty
    assert looks == [KEY, KEY]


def test_a_database_that_is_away_is_no_error_of_a_look() -> None:
    services = controlled("postgresql://nobody@127.0.0.1:1/none", lambda _look: Decision("seen"))
    reconcile_while_dirty(services, KEY)
    services.engine.dispose()


def test_a_look_in_another_thread_is_waited_for_and_sees_the_event(make: Make, engine: Engine) -> None:
    begun, go_on = threading.Event(), threading.Event()
    looks: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        looks.append(ctx.key)
        begun.set()
        assert go_on.wait(20)
        return Decision("seen")

    services = make(script)
    mark(engine)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reconcile_while_dirty, services, KEY)
        assert begun.wait(20)
        mark(engine)
        second = pool.submit(reconcile_while_dirty, services, KEY)
        go_on.set()
        first.result()
        second.result()
    eventually(lambda: not state(engine).dirty, "the event was seen")
    assert looks == [KEY, KEY]


def test_tidying_deletes_what_is_old_and_nothing_that_waits(make: Make, engine: Engine, ask: Ask) -> None:
    mark(engine)
    ask(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, status) "
        "VALUES ('q', 'old', 0, 'doing')"
    )
    ask("UPDATE procrastinate_events SET at = now() - interval '2 days'")
    ask(
        "INSERT INTO delivery (delivery_id, event, body_sha256, subjects, received_at) VALUES "
        "(gen_random_uuid(), 'old', '', '{}', now() - interval '31 days'), "
        "(gen_random_uuid(), 'new', '', '{}', now() - interval '29 days')"
    )
    ask(
        "INSERT INTO outside_fact (repository_id, blob_sha, ref, gathered_at, complete, facts) VALUES "
        "(1, 'old', 'main', now() - interval '31 days', true, '{}'), "
        "(1, 'new', 'main', now() - interval '29 days', true, '{}')"
    )
    tidy(make(lambda _look: Decision("seen")))
    assert ask("SELECT task_name FROM procrastinate_jobs") == [("look",)]
    assert ask("SELECT event FROM delivery") == [("new",)]
    assert ask("SELECT blob_sha FROM outside_fact") == [("new",)]


def _request() -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "headers": []})


def test_the_queue_ages_from_when_a_subject_could_be_looked_at(engine: Engine, ask: Ask) -> None:
    mark(engine)
    waited = "UPDATE subject SET touched = now() - interval '1 hour', not_before = now() - interval '{}'"
    for since, least, most in (("1 second", 1, 60), ("2 hours", 3600, 3660)):
        ask(waited.format(since))
        age = health(engine).queue_age
        assert age is not None
        assert least <= age < most


def test_who_waits_for_a_turn_to_write_is_no_failure_and_keeps_nobody_else_waiting(
    make: Make, engine: Engine, ask: Ask
) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    ask("INSERT INTO installation (id, account, permissions) VALUES (7, 'acme', '{}')")
    wait = failing(FailureKind.PACED, until)

    def script(ctx: Reconciliation) -> Decision:
        ctx.github(7)
        return wait(ctx)

    services = make(script)
    assert isinstance(services.app, FakeApp)
    services.app.githubs[7] = FakeGitHub()
    mark(engine)
    reconcile_while_dirty(services, KEY)
    assert state(engine).waits_until == until
    assert ask("SELECT attempts FROM subject") == [(0,)]
    assert ask("SELECT rate_limited_until FROM installation") == [(None,)]
