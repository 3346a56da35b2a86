"""The lock on DATA_DIR, held for life by the process that runs its server, and what stands in it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

LOCK_NAME = "poc-governor.lock"
WAITING_NAME = "poc-governor.waiting"
"""Locked by those who wait for a brief command, which looks whether somebody does."""
BRIEF_COMMANDS = frozenset({"backup", "doctor", "replace-credentials", "ruleset", "setup", "sweep"})
"""Commands that end by themselves, and that give way to others: worth waiting for."""

BRIEF_PATIENCE = 30.0
"""Longer than a server takes to shut down."""
GLANCE = 0.3
"""Longer than another process's question whether the lock is held, which holds it for an instant."""


class DataDirInUse(Exception):  # noqa: N818 (reads as the claim it makes)
    """Another process of ours runs the server of this DATA_DIR."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, as written in it; the address and the socket's folder once the server answers."""

    pid: int
    command: str
    url: str | None = None
    sockets: str | None = None


def in_use(data_dir: Path, holder: Holder, what: str = "is in use") -> DataDirInUse:
    """The refusal: the folder, who holds it, and what to do."""
    by = f"`poc-governor {holder.command}` (pid {holder.pid})" if holder.pid else "another process"
    return DataDirInUse(
        f"DATA_DIR {data_dir} {what} by {by}. Stop that process, set DATA_DIR to another folder, "
        "or set DATABASE_URL to a PostgreSQL server that both may use."
    )


def open_in(data_dir: Path, name: str) -> int:
    """Open a private file of ours in DATA_DIR; what root makes belongs to the folder's owner."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(data_dir / name, flags, 0o600)
    owner = data_dir.stat()
    if os.geteuid() == 0 and os.fstat(fd).st_uid != owner.st_uid:
        os.fchown(fd, owner.st_uid, owner.st_gid)
    return fd


def holder_of(data_dir: Path) -> Holder | None:
    """Whoever holds the lock now, or None; a holder that has not yet written its name has pid 0."""
    try:
        fd = os.open(data_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _locked(fd, fcntl.LOCK_SH) else _read(fd)
    finally:
        os.close(fd)


def _is_waited_for(data_dir: Path) -> bool:
    """Whether a command that runs on waits for the one that holds the lock."""
    try:
        fd = os.open(data_dir / WAITING_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _locked(fd, fcntl.LOCK_EX)
    finally:
        os.close(fd)


class _WaitedForError(BaseException):
    """A command that runs on waits for this one; no handler of errors may take it for one."""


@contextmanager
def giving_way(data_dir: Path) -> Iterator[None]:
    """End what is under way with `DataDirInUse` once a command that runs on waits; nothing is lost by it."""
    ended, guard = threading.Event(), threading.Lock()

    def stop(*_: object) -> None:
        raise _WaitedForError

    def watch() -> None:
        while not ended.wait(GLANCE):
            with guard:
                if not ended.is_set() and _is_waited_for(data_dir):
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
                    return

    former = signal.signal(signal.SIGUSR1, stop)
    threading.Thread(target=watch, daemon=True).start()
    try:
        try:
            yield
        finally:
            with guard:
                ended.set()
    except _WaitedForError:
        raise DataDirInUse(
            f"`poc-governor serve` or `work` waits for DATA_DIR {data_dir}, so this command has made way. "
            "Nothing is lost; run it again when that has started."
        ) from None
    finally:
        signal.signal(signal.SIGUSR1, former)


class DataDirLock:
    """An flock: the kernel releases it however the process ends, and no program we execute inherits it."""

    def __init__(self, data_dir: Path, command: str) -> None:
        self._data_dir = data_dir
        self._command = command
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self) -> Holder:
        """Take the lock, waiting a little for a command that ends by itself, or refuse.

        Returns what stood in it: a former holder that was killed.
        """
        fd = open_in(self._data_dir, LOCK_NAME)
        try:
            self._wait(fd)
            former = _read(fd)
            self._fd = fd
            os.register_at_fork(after_in_child=self._leave)
            self.announce(None, former.sockets)
        except BaseException:
            self._fd = None
            os.close(fd)
            raise
        return former

    def _wait(self, fd: int) -> None:
        started, asking = time.monotonic(), None
        try:
            while not _locked(fd, fcntl.LOCK_EX):
                holder = _read(fd)
                is_brief = holder.command in BRIEF_COMMANDS
                if time.monotonic() - started > (BRIEF_PATIENCE if is_brief else GLANCE):
                    raise in_use(self._data_dir, holder)
                if is_brief and self._command not in BRIEF_COMMANDS and asking is None:
                    asking = open_in(self._data_dir, WAITING_NAME)
                    fcntl.flock(asking, fcntl.LOCK_SH)
                time.sleep(0.02)
        finally:
            if asking is not None:
                os.close(asking)

    def announce(self, url: str | None, sockets: str | None) -> None:
        """Write who holds the lock, where the server answers, and where its socket is."""
        assert self._fd is not None
        holder = Holder(os.getpid(), self._command, url, sockets)
        os.ftruncate(self._fd, 0)
        os.write(self._fd, json.dumps(asdict(holder)).encode())

    def _leave(self) -> None:
        """In a fork of us: it must not hold the lock when we no longer do."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def release(self) -> None:
        """Give the lock back; doing it twice is fine."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def _locked(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(fd: int) -> Holder:
    try:
        return Holder(**json.loads(os.pread(fd, 4096, 0)))
    except (ValueError, TypeError):
        return Holder(0, "")
