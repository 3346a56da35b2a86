"""Connections of the pool: one that has ended meanwhile is replaced before anybody notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from service.store.connections import LEAST, USUAL, WEB, Room, room, share
from service.store.database import connect, has_input, reading

End = Callable[[psycopg.Connection[object], str], None]


def by_us(connection: psycopg.Connection[object], _url: str) -> None:
    connection.close()


def by_the_server(connection: psycopg.Connection[object], url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
    while not has_input(connection):
        pass


@pytest.fixture
def single(database_url: str) -> Iterator[Engine]:
    """An engine that keeps one connection."""
    engine = connect(database_url, pool_size=1)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("end", [by_us, by_the_server], ids=["closed", "terminated by the server"])
def test_a_connection_that_has_ended_is_replaced(single: Engine, database_url: str, end: End) -> None:
    with reading(single) as session:
        idle = session.connection().connection.driver_connection
    assert isinstance(idle, psycopg.Connection)
    end(idle, database_url)
    with reading(single) as session:
        assert session.connection().execute(text("SELECT 1")).scalar() == 1


def test_reading_leaves_no_transaction_open(single: Engine) -> None:
    with reading(single) as session:
        connection = session.connection()
        first, second = (connection.execute(text("SELECT now()")).scalar_one() for _ in range(2))
        assert first < second


# How many there are


@pytest.mark.parametrize("connections", range(LEAST, 101))
def test_a_worker_takes_no_more_than_its_share(connections: int) -> None:
    mine = share(connections)
    assert mine.connections <= connections
    assert mine.pool == 2 * mine.looks + 2
    assert mine.queue >= 1


def test_looks_at_a_time() -> None:
    looks = {connections: share(connections).looks for connections in (LEAST, 9, 10, 20, USUAL, 100)}
    assert looks == {LEAST: 2, 9: 2, 10: 3, 20: 8, USUAL: 8, 100: 8}


def test_twelve_processes_fit_a_hundred_connections() -> None:
    assert Room(100, 3, 0).lacking(12 * max(LEAST, WEB)) == ""


def test_an_engine_takes_no_more_than_it_was_given(single: Engine) -> None:
    single.pool._timeout = 0.05  # type: ignore[attr-defined]
    with single.connect(), pytest.raises(PoolTimeoutError), single.connect():
        pass


REMEDY = (
    "raise its max_connections, lower DATABASE_CONNECTIONS (to 8 at least) or WEB_PROCESSES, "
    "or run fewer processes"
)


@pytest.mark.parametrize(
    ("found", "in_use"),
    [
        pytest.param(Room(100, 3, 70), ", and 70 are in use", id="others use them"),
        pytest.param(Room(30, 3, 25), "", id="it never fits"),
    ],
)
def test_what_is_said_where_they_do_not_fit(found: Room, in_use: str) -> None:
    assert found.lacking(28) == (
        f"up to 28 connections are wanted here, but PostgreSQL takes {found.most}, 3 of them for its own "
        f"administrators{in_use}: {REMEDY}"
    )


def test_nothing_is_said_where_they_fit() -> None:
    assert Room(100, 3, 69).lacking(28) == ""


def test_postgresql_is_asked_for_its_room(single: Engine, database_url: str) -> None:
    before = room(single)
    with psycopg.connect(database_url):
        after = room(single)
    assert (after.most, after.reserved) == (before.most, before.reserved)
    assert after.used > 0
    assert before.most > before.reserved
