"""The engine, the one transaction of a step, and the locks that serialise looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from selectors import EVENT_READ, DefaultSelector
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlmodel import Session

SUBJECT_LOCK = 1
"""The class of a subject's advisory lock: one look at a time."""
COMMIT_LOCK = 2
"""The class of a commit's lock: one poster of check runs at a time."""
ACCOUNT_LOCK = 3
"""The class of an installation's lock: its daily number of new issues is counted by one at a time."""

PLANNING_LOCK = 4
"""The class of the lock under which an installation's moments for content writes are given away."""
WRITING_LOCK = 5
"""The class of the lock that whoever writes content for an installation holds while it writes."""

LOCK_WAIT = "5s"
"""Jobs are deferred only for clean subjects, so whoever holds a subject is about to let go."""
AT_ONCE = "1ms"
"""For those who would rather come back than wait."""


class LockBusyError(Exception):
    """Somebody else is looking at this subject, and will see what we would have seen."""


def connect(url: str, *, pool_size: int = 10) -> Engine:
    """Make an engine for a libpq URL; it connects at first use, and again after PostgreSQL was away."""
    driver_url = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(
        driver_url,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC", "prepare_threshold": None},
    )
    event.listen(engine, "checkout", _still_there)
    return engine


def _still_there(connection: psycopg.Connection[Any], *_: object) -> None:
    """Connect anew where an idle connection has something to be read: that is its end.

    Asking PostgreSQL itself, as `pool_pre_ping` does, would cost every transaction a round trip.
    """
    if connection.closed or has_input(connection):
        raise DisconnectionError("the server has closed the connection")


def has_input(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Whether PostgreSQL has said something on a connection that was idle."""
    with DefaultSelector() as selector:
        selector.register(connection, EVENT_READ)
        return bool(selector.select(0))


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Questions without a transaction around them, which would cost two round trips more and promise nothing:
    at PostgreSQL's usual level each statement sees what is committed when it begins.
    """
    with Session(engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False) as session:
        yield session


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back by any exception."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def cursor(session: Session) -> psycopg.Cursor[Any]:
    """Psycopg's own cursor in the session's transaction, for statements over arrays."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection.cursor()


@contextmanager
def lock(engine: Engine, lock_class: int, key: str, *, wait: str = LOCK_WAIT) -> Iterator[Connection]:
    """Hold the advisory lock of `key` on a connection of its own: it is gone when this process is.

    Raises `LockBusyError` when somebody holds it for longer than `wait`.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = '{wait}'"))
        values = {"class": lock_class, "key": key}
        try:
            connection.execute(text("SELECT pg_advisory_lock(:class, hashtext(:key))"), values)
        except OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise LockBusyError(key) from error
            raise
        finally:
            if not connection.invalidated:
                connection.execute(text("RESET lock_timeout"))
        try:
            yield connection
        finally:
            # A connection that cannot unlock is not given back to the pool with the lock on it.
            if connection.closed or connection.invalidated:
                pass
            else:
                try:
                    connection.execute(text("SELECT pg_advisory_unlock(:class, hashtext(:key))"), values)
                except OperationalError:
                    connection.invalidate()
