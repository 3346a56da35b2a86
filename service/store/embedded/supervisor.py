"""The server of a DATA_DIR: started for one process, joined by others."""

from __future__ import annotations

import atexit
import os
import subprocess
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from service.store.embedded.cluster import (
    ENVIRONMENT,
    USER,
    clear_leftovers,
    drop_sockets,
    end,
    failed,
    make_cluster,
    make_data_dir,
    refuse_elsewhere,
    socket_folder,
)
from service.store.embedded.lock import (
    BRIEF_COMMANDS,
    DataDirInUse,
    DataDirLock,
    giving_way,
    holder_of,
    in_use,
    open_in,
)
from service.store.embedded.memory import shared_buffers
from service.store.embedded.programs import MAJOR, Programs, find_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from service.store.embedded.lock import Holder

DATABASE = "poc_governor"
READY_WITHIN = 120.0
"""Seconds; recovery after a crash reads what was written since the last checkpoint."""

LARGEST_LOG = 4 << 20
SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=60",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    # The server's own lines and fatal ones: errors of statements are the client's to log, without values.
    "log_min_messages=log",
    "log_min_error_statement=panic",
)


class EmbeddedPostgres:
    """PostgreSQL on DATA_DIR as a child of this process, which it does not outlive.

    The kernel tells it of the end of the *thread* that started it: of the main thread's, as a rule.
    `command` is the name of the command that runs it (`serve`), for the refusal that others get.
    """

    def __init__(self, data_dir: Path, command: str) -> None:
        self._data_dir = data_dir.resolve()
        self._cluster = self._data_dir / f"postgresql-{MAJOR}"
        self._lock = DataDirLock(self._data_dir, command)
        self._process: subprocess.Popen[bytes] | None = None
        self._programs: Programs | None = None
        self._sockets = self._cluster
        self._pid = os.getpid()

    @property
    def url(self) -> str:
        """The address for psycopg, and with `postgresql+psycopg:` for SQLAlchemy."""
        return self._address(DATABASE)

    def start(self, meanwhile: Callable[[], None] | None = None) -> str:
        """Take the lock and start the server; returns the address once it answers.

        `meanwhile` is done while the server starts.
        """
        assert not self._lock.held
        try:
            with _explained(self._data_dir):
                make_data_dir(self._data_dir)
                former = self._lock.acquire()
                atexit.register(self.stop)
                refuse_elsewhere(self._cluster)
                self._programs = find_programs(self._data_dir, self._cluster)
                make_cluster(self._cluster, self._programs)
                self._sockets = socket_folder(self._cluster, self._programs, former.sockets)
                self._run(meanwhile)
                self._make_database()
                self._lock.announce(self.url, str(self._sockets))
        except BaseException:
            self.stop()
            raise
        return self.url

    @property
    def runs(self) -> bool:
        """Whether the server is this process's own."""
        return self._lock.held

    def poll(self) -> int | None:
        """The server's return code if it has ended."""
        assert self._process is not None
        return self._process.poll()

    def restart(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Start the server again, at the same address and under the same lock.

        Once the caller `is_stopping`, it isn't waited for any more: recovery may take two minutes.
        """
        with _explained(self._data_dir):
            self._end_server()
            self._run(is_stopping=is_stopping)

    def stop(self) -> None:
        """Shut the server down and release the lock; doing it twice is fine."""
        if os.getpid() != self._pid:  # a fork of us, at its exit
            return
        atexit.unregister(self.stop)
        self._end_server()
        if self._lock.held:
            drop_sockets(self._cluster, self._sockets)
        self._lock.release()

    def _address(self, database: str) -> str:
        return f"postgresql:///{database}?host={quote(str(self._sockets), safe='')}&port=5432&user={USER}"

    def _run(
        self, meanwhile: Callable[[], None] | None = None, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """Start the server and wait until it answers; what a killed one left behind gets time to end."""
        deadline = time.monotonic() + READY_WITHIN
        while True:
            clear_leftovers(self._cluster, self._sockets)
            said = self._spawn_and_wait(deadline, meanwhile, is_stopping)
            if said is None or is_stopping():
                return
            self._end_server()
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise failed(self._data_dir, said)
            time.sleep(0.1)

    def _spawn_and_wait(
        self, deadline: float, meanwhile: Callable[[], None] | None, is_stopping: Callable[[], bool]
    ) -> str | None:
        """None once the server answers, or nobody waits for it any more; else what it said."""
        log = open_in(self._data_dir, "postgresql.log")
        try:
            if os.fstat(log).st_size > LARGEST_LOG:
                os.ftruncate(log, 0)
            begin = os.fstat(log).st_size
            self._process = self._spawn(log)
            if meanwhile:
                meanwhile()
            while not is_stopping() and not _answers(self._address("postgres")):
                if self.poll() is not None or time.monotonic() > deadline:
                    return _reason(os.pread(log, 8000, begin).decode(errors="replace"))
                time.sleep(0.02)
        finally:
            os.close(log)
        return None

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        assert self._programs is not None
        cache = f"shared_buffers={shared_buffers()}"
        settings = [part for setting in (*SETTINGS, cache) for part in ("-c", setting)]
        where = ["-D", str(self._cluster), "-k", str(self._sockets)]
        return subprocess.Popen(  # noqa: S603 (a program of the wheel's)
            self._programs.command("postgres", *where, *settings),
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us: we end the server when we are done with it
            umask=0o077,
        )

    def _make_database(self) -> None:
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _end_server(self) -> None:
        if self._process is not None and self._process.poll() is None:
            end(self._process.send_signal, self._ended)

    def _ended(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def join(data_dir: Path, timeout: float) -> str | None:
    """The address of the server that another process runs on this DATA_DIR; None if nobody does.

    The server ends with that process: a caller that outlives it asks again.
    """
    data_dir = data_dir.resolve()
    deadline = time.monotonic() + timeout
    while holder := _holder(data_dir):
        if holder.url and _answers(holder.url):
            return holder.url
        if time.monotonic() > deadline:
            raise in_use(data_dir, holder, "has a server that does not answer, run")
        time.sleep(0.02)
    return None


def has_database(data_dir: Path) -> bool:
    """Whether there is a cluster in this DATA_DIR, or somebody who is making one.

    Raises `PostgresFailed` where what was here is somewhere else, or of another PostgreSQL.
    """
    cluster = data_dir.resolve() / f"postgresql-{MAJOR}"
    with _explained(data_dir):
        if (cluster / "PG_VERSION").exists() or holder_of(data_dir.resolve()) is not None:
            return True
        refuse_elsewhere(cluster)
        return False


@contextmanager
def open_database(data_dir: Path, command: str, timeout: float = 60.0) -> Iterator[str]:
    """The address of the server on DATA_DIR: another process's, or one started for as long as this lasts."""
    own = EmbeddedPostgres(data_dir, command)
    holder = _holder(data_dir.resolve())
    # A command that runs on would lose the server of one that ends soon: it rather waits for that end.
    lasting = command not in BRIEF_COMMANDS and holder is not None and holder.command in BRIEF_COMMANDS
    url = None if lasting else join(data_dir, timeout)
    while url is None:
        try:
            url = own.start()
        except DataDirInUse:  # another process was faster
            url = join(data_dir, timeout)
    try:
        with giving_way(data_dir) if own.runs and command in BRIEF_COMMANDS else nullcontext():
            yield url
    finally:
        own.stop()


def _holder(data_dir: Path) -> Holder | None:
    with _explained(data_dir):
        return holder_of(data_dir)


@contextmanager
def _explained(data_dir: Path) -> Iterator[None]:
    """Raise what the system says as `PostgresFailed`, with a remedy."""
    try:
        yield
    except (OSError, psycopg.Error) as error:
        raise failed(data_dir, f"{error}.") from error


def _reason(said: str) -> str:
    """Of the server's log its last lines, which say why it ended."""
    return "\n".join(said.splitlines()[-8:]) or f"no answer after {READY_WITHIN:.0f} seconds."


def _answers(url: str) -> bool:
    """Whether a server accepts connections there."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
