"""Connections of the pool: one that has ended meanwhile is replaced before anybody notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text

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
