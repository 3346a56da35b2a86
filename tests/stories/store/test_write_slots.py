"""Whose turn it is to write: one at a time, each subject with one moment of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from service.rules.queue import APART
from service.store.database import Database, LockClass, lock, transaction
from service.store.litter import delete_litter
from service.store.messages import LAPSES, NotYetError, Pacing

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INSTALLATION, ANOTHER = 7, 8
KEY = "repository:1"


class Clock:
    """The time, as far as a test has let it go on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Ask = Callable[..., float]


@pytest.fixture
def ask(engine: Engine, clock: Clock) -> Ask:
    """Try to write; the seconds to wait, 0 where it was written."""
    pacing = Pacing(Database(engine))

    def asked(key: str = KEY, installation_id: int = INSTALLATION, *, takes: float = 0) -> float:
        try:
            with pacing.writing(installation_id, key, clock):
                clock.wait(takes)
        except NotYetError as error:
            return (error.until - clock.now).total_seconds()
        return 0

    return asked


@pytest.fixture
def rows(database_url: str) -> Iterator[Callable[[], list[tuple[Any, ...]]]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        query = "SELECT subject, extract(epoch FROM at - %s)::float8, used FROM write_slot ORDER BY at"
        yield lambda: connection.execute(query, [NOW]).fetchall()


Rows = Callable[[], list[tuple[Any, ...]]]


def test_the_first_writes_at_once_and_the_next_a_second_after_it_ended(
    ask: Ask, clock: Clock, rows: Rows
) -> None:
    assert ask(takes=0.75) == 0
    clock.wait(0.25)
    assert ask("repository:2") == 0.75
    clock.wait(0.75)
    assert ask("repository:2") == 0
    assert rows() == [(KEY, 0.75, True), ("repository:2", 1.75, True)]


def test_a_subject_that_asks_again_keeps_its_moment_and_has_only_one(
    ask: Ask, clock: Clock, rows: Rows
) -> None:
    ask()
    kept = ask("repository:2")
    assert ask("repository:3") > kept
    clock.wait(0.5)
    assert ask("repository:2") == kept - 0.5
    assert len(rows()) == 3


def test_another_installation_has_moments_of_its_own(ask: Ask) -> None:
    assert ask() == 0
    assert ask(installation_id=ANOTHER) == 0
    assert ask(installation_id=ANOTHER) == 1


def test_each_of_many_wakes_once(ask: Ask, clock: Clock) -> None:
    keys = [f"repository:{n}" for n in range(40)]
    waits = {key: ask(key) for key in keys}
    assert sorted(waits.values()) == list(waits.values())
    came = NOW
    for n, (key, wait) in enumerate(waits.items()):
        if not wait:
            continue
        clock.now = NOW + timedelta(seconds=wait + 0.9 * (n % 2))  # late by up to a worker's glance
        assert clock.now - came >= APART
        assert ask(key, takes=0.9) == 0, key
        came = clock.now


def test_those_who_come_all_too_late_go_one_by_one(ask: Ask, clock: Clock, rows: Rows) -> None:
    """As after a rate limit, or when no worker ran."""
    keys = [f"repository:{n}" for n in range(6)]
    for key in keys:
        ask(key)
    clock.wait(300)
    waits = [ask(key) for key in keys[1:]]
    assert waits[0] == 0
    moments = [at for _, at, _ in rows()]
    assert sorted(waits) == waits
    assert all(wait >= 1 for wait in waits[1:])
    assert len(set(moments)) == 6


@pytest.mark.parametrize(("ago", "free"), [(LAPSES - APART, False), (LAPSES, True)], ids=["before", "after"])
def test_a_moment_that_nobody_came_for_is_free_after_ten_minutes(
    engine: Engine, ask: Ask, clock: Clock, ago: timedelta, *, free: bool
) -> None:
    full = """
        INSERT INTO write_slot (installation_id, subject, at, used)
        SELECT 7, 'repository:1', CAST(:now AS timestamptz) - n * interval '1 second', n > 0
        FROM generate_series(0, 499) AS n
    """
    with transaction(engine) as session:
        session.connection().execute(text(full), {"now": NOW})
    clock.now = NOW + ago
    assert (ask("repository:2") == 0) is free
    # Whoever comes all too late waits like everybody, and is given one moment.
    assert (ask() > timedelta(minutes=30).total_seconds()) is free


def test_while_somebody_writes_nobody_else_does(engine: Engine, clock: Clock) -> None:
    inside, leave = threading.Event(), threading.Event()

    def write() -> None:
        with Pacing(Database(engine)).writing(INSTALLATION, KEY, clock):
            inside.set()
            assert leave.wait(10)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert inside.wait(10)
        clock.wait(20)
        with (
            pytest.raises(NotYetError) as error,
            Pacing(Database(engine)).writing(INSTALLATION, "repository:2", clock),
        ):
            pass
        assert error.value.until > clock.now
        leave.set()
        writing.result()
    clock.wait(1)
    with Pacing(Database(engine)).writing(INSTALLATION, "repository:2", clock):
        pass


def test_many_threads_at_once_get_moments_that_differ(ask: Ask, rows: Rows) -> None:
    with ThreadPoolExecutor(6) as pool:
        waits = list(pool.map(ask, [f"repository:{n}" for n in range(24)]))
    assert waits.count(0) == 1
    moments = sorted(at for _, at, _ in rows())
    assert len(moments) == 24
    assert all(later - earlier >= 1 for earlier, later in pairwise(moments))


def test_a_write_that_fails_counts_and_lets_go(engine: Engine, ask: Ask, clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError), Pacing(Database(engine)).writing(INSTALLATION, KEY, clock):
        raise ZeroDivisionError
    with lock(engine, LockClass.WRITING, str(INSTALLATION)):
        pass
    assert ask() == 1


def test_what_is_older_than_two_hours_is_tidied_away(engine: Engine, ask: Ask, clock: Clock) -> None:
    with transaction(engine) as session:
        present = session.connection().execute(text("SELECT now()")).scalar_one()
    for ago in (3.0, 1.0):
        clock.now = present - timedelta(hours=ago)
        assert ask() == 0
    delete_litter(engine)
    with transaction(engine) as session:
        assert session.connection().execute(text("SELECT count(*) FROM write_slot")).scalar_one() == 1
