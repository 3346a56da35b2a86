"""The engine, the one transaction of a step, and the locks that serialise looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum
from select import POLLIN, poll
from typing import Any, LiteralString
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import RowFactory, namedtuple_row
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlmodel import Session


class LockClass(IntEnum):
    """What an advisory lock of PostgreSQL is about: the first of its two numbers."""

    SUBJECT = 1
    """One reconciliation of a subject at a time."""
    COMMIT = 2
    """One poster of check runs on a commit at a time."""
    ACCOUNT = 3
    """The daily number of new issues of an installation is counted by one at a time."""
    PLANNING = 4
    """An installation's slots for content writes are given away by one at a time."""
    WRITING = 5
    """Held by whoever writes content for an installation, while it writes."""
    MIGRATION = 6
    """One process migrates the schema."""
    REGISTRATION = 7
    """One reconciliation reads what a repository is."""


LOCK_WAIT = "5s"
"""Jobs are deferred only for clean subjects, so whoever holds a subject is about to let go."""


class LockBusyError(Exception):
    """Somebody else is looking at this subject, and will see what we would have seen."""


def connect(url: str | URL, *, pool_size: int = 10, read_only: bool = False) -> Engine:
    """Make an engine for a libpq URL; it connects at first use, and again after PostgreSQL was away.

    It takes `pool_size` connections and no more: who needs another waits for it.
    """
    driver_url = make_url(url).set(drivername="postgresql+psycopg")
    options = "-c timezone=UTC" + (" -c default_transaction_read_only=on" if read_only else "")
    engine = create_engine(
        driver_url,
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"connect_timeout": 5, "options": options},
    )
    event.listen(engine, "checkout", _still_there)
    return engine


@contextmanager
def connected(url: str, *, pool_size: int = 10) -> Iterator[Engine]:
    """An engine for as long as the block lasts."""
    engine = connect(url, pool_size=pool_size)
    try:
        yield engine
    finally:
        engine.dispose()


def _still_there(connection: psycopg.Connection[Any], *_: object) -> None:
    """Connect anew where an idle connection has something to be read: that is its end.

    Asking PostgreSQL itself, as `pool_pre_ping` does, would cost every transaction a round trip.
    """
    if connection.closed or has_input(connection):
        raise DisconnectionError("the server has closed the connection")


def has_input(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Whether PostgreSQL has said something on a connection that was idle."""
    polled = poll()
    polled.register(connection, POLLIN)
    return bool(polled.poll(0))


def reading(engine: Engine) -> Session:
    """A session for questions, without a transaction around them, which would cost two round trips more and
    promise nothing: at PostgreSQL's usual level each statement sees what is committed when it begins.
    """
    return Session(_autocommit(engine), expire_on_commit=False)


_AUTOCOMMIT: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()


def _autocommit(engine: Engine) -> Engine:
    """The same engine without transactions; made once, since making it costs more than a statement."""
    if engine not in _AUTOCOMMIT:
        _AUTOCOMMIT[engine] = engine.execution_options(isolation_level="AUTOCOMMIT")
    return _AUTOCOMMIT[engine]


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back by any exception."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def cursor(session: Session) -> psycopg.Cursor[Any]:
    """Psycopg's own cursor in the session's transaction, for statements over arrays."""
    return _driver_of(session.connection()).cursor()


def ask(
    asked: Session | Connection,
    statement: LiteralString | bytes,
    values: Mapping[str, Any],
    rows: RowFactory[Any] = namedtuple_row,
) -> psycopg.Cursor[Any]:
    """Send a statement by psycopg itself; errors are SQLAlchemy's all the same.

    To send it and to read its rows takes SQLAlchemy five times as long, and its ORM ten times.
    """
    connection = asked if isinstance(asked, Connection) else asked.connection()
    driver = _driver_of(connection)
    try:
        return driver.cursor(row_factory=rows).execute(statement, values)
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        said = statement.decode() if isinstance(statement, bytes) else statement
        raise DBAPIError.instance(
            said, values, error, psycopg.Error, connection_invalidated=driver.closed
        ) from error


def _driver_of(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


TRY_LOCK: LiteralString = "SELECT pg_try_advisory_lock(%(class)s, hashtext(%(key)s))"
WAIT_FOR_LOCK: LiteralString = "SELECT pg_advisory_lock(%(class)s, hashtext(%(key)s))"
UNLOCK: LiteralString = "SELECT pg_advisory_unlock(%(class)s, hashtext(%(key)s))"


@contextmanager
def lock(
    engine: Engine, lock_class: LockClass, key: str, *, wait: str | None = LOCK_WAIT
) -> Iterator[Connection]:
    """Hold the advisory lock of `key` on a connection of its own: it is gone when this process is.

    Raises `LockBusyError` when somebody holds it for longer than `wait`; None waits not at all.
    """
    with _autocommit(engine).connect() as connection:
        values = {"class": int(lock_class), "key": key}
        if not _is_free(connection, values):
            if wait is None:
                raise LockBusyError(key)
            _wait_for(connection, values, wait)
        try:
            yield connection
        finally:
            _unlock(connection, values)


TryLock = Callable[[LockClass, str], bool]
"""Takes the advisory lock of a key, or says that somebody else holds it."""


@contextmanager
def further_locks(connection: Connection) -> Iterator[TryLock]:
    """Let locks be taken on a connection that holds one already; they are given back at the end."""
    taken: list[Mapping[str, object]] = []

    def take(lock_class: LockClass, key: str) -> bool:
        values = {"class": int(lock_class), "key": key}
        is_free = _is_free(connection, values)
        taken.extend([values] if is_free else [])
        return is_free

    try:
        yield take
    finally:
        for values in taken:
            _unlock(connection, values)


def _is_free(connection: Connection, values: Mapping[str, object]) -> bool:
    """Take a lock if nobody has it."""
    ((taken,),) = ask(connection, TRY_LOCK, values)
    return bool(taken)


def _unlock(connection: Connection, values: Mapping[str, object]) -> None:
    """Give a lock back; a connection that can't isn't given back to the pool with the lock on it."""
    if not (connection.closed or connection.invalidated):
        try:
            ask(connection, UNLOCK, values)
        except OperationalError:
            connection.invalidate()


def _wait_for(connection: Connection, values: Mapping[str, object], wait: str) -> None:
    connection.execute(text(f"SET lock_timeout = '{wait}'"))
    try:
        ask(connection, WAIT_FOR_LOCK, values)
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise LockBusyError(str(values["key"])) from error
        raise
    finally:
        if not connection.invalidated:
            connection.execute(text("RESET lock_timeout"))


class Database:
    """Where tables are read and changed: each call in a session of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def reading(self) -> AbstractContextManager[Session]:
        """A session for questions."""
        return reading(self._engine)

    def transaction(self) -> AbstractContextManager[Session]:
        """A session for changes, committed at its end."""
        return transaction(self._engine)

    def lock(
        self, lock_class: LockClass, key: str, *, wait: str | None = LOCK_WAIT
    ) -> AbstractContextManager[Connection]:
        """`lock` of this database."""
        return lock(self._engine, lock_class, key, wait=wait)


class WithinSession(Database):
    """The same in one session that is open already: in a transaction, or for reading only."""

    def __init__(self, session: Session, *, read_only: bool = False) -> None:
        self._session = session
        self._read_only = read_only

    @contextmanager
    def _use(self) -> Iterator[Session]:
        yield self._session

    def reading(self) -> AbstractContextManager[Session]:
        """The session."""
        return self._use()

    def transaction(self) -> AbstractContextManager[Session]:
        """The session; `RuntimeError` where it is for reading only."""
        if self._read_only:
            raise RuntimeError("a change while a reconciliation gathers and decides: note it instead")
        return self._use()

    def lock(
        self, lock_class: LockClass, key: str, *, wait: str | None = LOCK_WAIT
    ) -> AbstractContextManager[Connection]:
        """Locks need a connection of their own, and a session has only one."""
        raise RuntimeError(f"no lock {lock_class.name} {key} for {wait} within a session")
