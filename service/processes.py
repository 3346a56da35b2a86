"""Processes that are kept: forked from this one, started again when they end, and ended in order.

A fork shares the memory that it doesn't change, and imports nothing anew. It's safe only while this process
has one thread and no event loop, so nothing here has either.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import structlog

from service.parent import held_open
from service.store.embedded import EmbeddedPostgres, PostgresFailed

log = structlog.get_logger(__name__)

FIRST_WAIT, LONGEST_WAIT, HEALTHY = 0.5, 30.0, 60.0
"""Seconds: what ran for `HEALTHY` starts again after `FIRST_WAIT`, all else waits twice as long each time."""
GLANCE = 0.5
"""Seconds between two looks at PostgreSQL, and at what is to start again."""
GRACE = 25
"""Seconds that a process has to end in order: a worker finishes what is under way, which takes 20 at most."""
STOPS = (signal.SIGTERM, signal.SIGINT)
STOPPED = 128
"""A process that a signal stopped ends with this and the signal's number, as a shell would tell it."""
CONTEXT = (
    multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")
)
"""Libraries of macOS don't survive a fork: there, each process imports everything for itself."""


class Again:
    """When something that ended starts again."""

    def __init__(self) -> None:
        self._began, self._wait = time.monotonic(), FIRST_WAIT
        self._due: float | None = None

    def after(self) -> float:
        """Note that it ended; returns the seconds until it starts again."""
        now = time.monotonic()
        self._wait = FIRST_WAIT if now - self._began > HEALTHY else min(2 * self._wait, LONGEST_WAIT)
        self._due = now + self._wait
        return self._wait

    @property
    def waits(self) -> bool:
        """Whether it has ended and not started again."""
        return self._due is not None

    def now(self) -> bool:
        """Whether it's time, told once."""
        now = time.monotonic()
        if self._due is None or now < self._due:
            return False
        self._due, self._began = None, now
        return True


class Process:
    """One of the processes; it runs a function."""

    def __init__(self, name: str, run: Callable[[], None], *, once: bool) -> None:
        self._name, self._run, self._once = name, run, once
        self._process: BaseProcess | None = None
        self._again = Again()
        self.code: int | None = None
        """Its exit code, if it was to run once and has."""

    @property
    def running(self) -> BaseProcess | None:
        """The process while it runs."""
        return self._process

    def start(self) -> None:
        """Start it; a signal that comes meanwhile waits until the new process can handle it."""
        process = CONTEXT.Process(target=_begin, args=(self._name, self._run))
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        self._process = process

    def tend(self) -> None:
        """Look whether it has ended, and start it again when it's time."""
        if self._process and (code := self._process.exitcode) is not None:
            self._process.close()
            self._process = None
            if self._once and 0 <= code < STOPPED:
                self.code = code
            else:
                log.error("ended, starting it again", process=self._name, code=code, wait=self._again.after())
        if self._again.now():
            try:
                self.start()
            except OSError as error:  # too little memory, or too many processes
                wait = self._again.after()
                log.error("process does not start", process=self._name, error=str(error), wait=wait)  # noqa: TRY400 (it is its own explanation)


class Server:
    """The embedded PostgreSQL, which runs already."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres, self._again = postgres, Again()

    def tend(self, is_stopping: Callable[[], bool]) -> None:
        """Look whether it has ended, and start it again when it's time."""
        if not self._again.waits and (code := self._postgres.poll()) is not None:
            log.error("PostgreSQL ended, starting it again", code=code, wait=self._again.after())
        if self._again.now():
            try:
                self._postgres.restart(is_stopping)
            except PostgresFailed as error:
                log.error("PostgreSQL does not start", error=str(error))  # noqa: TRY400 (it is its own explanation)


class Processes:
    """All of them; for the main thread, which is the only one."""

    def __init__(self, postgres: EmbeddedPostgres | None) -> None:
        self._servers = [Server(postgres)] if postgres else []
        self._processes: list[Process] = []
        self._is_stopping = False
        self._woken, self._wake = os.pipe()
        self._parent = held_open()

    def __enter__(self) -> Self:
        for number in STOPS:
            signal.signal(number, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all in order, and kill what doesn't end in time."""
        deadline = time.monotonic() + GRACE
        running = [process.running for process in self._processes if process.running]
        for process in running:
            process.terminate()
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
            process.kill()
            process.join()

    def keep(self, name: str, run: Callable[[], None], *, once: bool = False) -> Process:
        """Have a process run the function, again whenever it ends; with `once` only if it was killed."""
        process = Process(name, run, once=once)
        self._processes.append(process)
        if not self._is_stopping:
            process.start()
        return process

    def see_to(self, once: Process | None = None) -> int | None:
        """See to all until SIGTERM, SIGINT or the parent's end; or until `once` ended: its exit code."""
        while not self._is_stopping:
            for server in self._servers:
                server.tend(lambda: self._is_stopping)
            for process in self._processes:
                process.tend()
            if once and once.code is not None:
                return once.code
            self._doze()
        return None

    def _doze(self) -> None:
        sentinels = [process.running.sentinel for process in self._processes if process.running]
        ready = wait([self._woken, *self._parent, *sentinels], GLANCE)
        if any(parent in ready and not os.read(parent, 1024) for parent in self._parent):
            self._is_stopping = True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
        os.write(self._wake, b".")


def _begin(name: str, run: Callable[[], None]) -> None:
    """What a new process does first."""
    for number in STOPS:
        signal.signal(number, _exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    with suppress(OSError):  # what `ps` and `top` show, on Linux
        Path("/proc/self/comm").write_text(f"governor {name}", encoding="ascii")
    run()


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(STOPPED + number)
