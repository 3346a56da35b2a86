"""The service's processes, started, asked and killed as an operator would, and signed deliveries to them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg

from service.demo.emulator import Emulator, free_port
from service.store.embedded import join
from tests.harness.program import ROOT
from tests.harness.waiting import eventually
from tests.harness.webhooks import PLAIN, SECRET, deliver

PATIENCE = 30.0
PRODUCT = "service.cli.app"
MEMORY, ROOM = Path("/dev/shm"), 4 << 30
"""Where folders lie in memory, and how many bytes of it have to be free."""


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter; in memory where there is room for it.

    Each cluster has a thousand files, and nothing here outlives the machine anyway.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    made = Path(tempfile.mkdtemp(prefix="poc-governor-tests-", dir=MEMORY if has_room else None))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def inherited() -> dict[str, str]:
    """Our environment without what was meant for us; Python may keep what it compiled for the next one."""
    ours = ("GITHUB_", "DATABASE_URL", "DATA_DIR", "PUBLIC_URL", "HOST", "PORT", "MODE", "PROMETHEUS_")
    withheld = (*ours, "PYTHONDONTWRITEBYTECODE", "NODE_OPTIONS")
    return {name: value for name, value in os.environ.items() if not name.startswith(withheld)}


def environment(emulator: Emulator, **settings: str) -> dict[str, str]:
    """The environment of a command, with nothing in it that was meant for this process."""
    return inherited() | {
        "GITHUB_APP_ID": str(emulator.app_id),
        "GITHUB_APP_PRIVATE_KEY": emulator.private_key,
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": emulator.api_url,
        "GITHUB_URL": emulator.api_url,
        "PUBLIC_URL": "http://localhost",
        "MODE": "enforce",
        **settings,
    }


def run(command: str, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service.cli.app", command, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class Process:
    """A command that runs on; its lines go to a file."""

    def __init__(self, log: Path, env: Mapping[str, str], *command: str) -> None:
        self._log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def running(self) -> bool:
        return self._popen.poll() is None

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait(PATIENCE)

    def terminate(self) -> int:
        self._popen.terminate()
        return self._popen.wait(PATIENCE)


class Serve(Process):
    """`poc-governor serve`, ready to receive."""

    def __init__(
        self, log: Path, env: Mapping[str, str], *arguments: str, program: str = PRODUCT, port: int = 0
    ) -> None:
        port = port or free_port()
        self._env = env
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(log, env, program, "serve", "--port", str(port), *arguments)
        self._http = httpx.Client(base_url=self.url, timeout=20, trust_env=False, verify=PLAIN)
        try:
            eventually(self.ready, f"it is ready; it said {self.said}")
        except AssertionError:
            self.kill()
            raise

    def ready(self) -> bool:
        assert self.running(), self.said
        with suppress(httpx.TransportError):
            return self._http.get("/readyz").status_code == 200
        return False

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.get("/readyz").json()
        return answer

    def deliveries(self) -> int:
        """How many are stored."""
        url = self._env.get("DATABASE_URL") or join(Path(self._env["DATA_DIR"]), PATIENCE)
        assert url is not None
        with psycopg.connect(url) as connection:
            [[count]] = connection.execute("SELECT count(*) FROM delivery").fetchall()
        return int(count)

    def metrics(self) -> str:
        return self._http.get("/metrics").text

    def idle(self) -> bool:
        health = self.health()
        return bool(health["ready"]) and health["dirty"] == 0

    def deliver(self, event: str, payload: object, delivery_id: str = "") -> int:
        """Deliver; the answer's status, or 0 where there was none."""
        with suppress(httpx.TransportError):
            return deliver(self.url, event, payload, delivery=delivery_id, client=self._http).status_code
        return 0

    def worker(self) -> int:
        """The pid of its worker, once it looks for work."""
        return eventually(lambda: child(self.pid, "governor worker"), "there is a worker")

    def postgres(self) -> int:
        """The pid of its PostgreSQL."""
        return eventually(lambda: child(self.pid, "postgres\0-D"), "there is a PostgreSQL")

    def close(self) -> None:
        self._http.close()
        if self.running():
            self.terminate()


@contextmanager
def serving(
    log: Path, env: Mapping[str, str], *arguments: str, program: str = PRODUCT, port: int = 0
) -> Iterator[Serve]:
    """A `serve` for as long as the block lasts, unless it was ended in it."""
    serve = Serve(log, env, *arguments, program=program, port=port)
    try:
        yield serve
    finally:
        serve.close()


@contextmanager
def working(log: Path, env: Mapping[str, str], *command: str) -> Iterator[Process]:
    """A worker for as long as the block lasts, unless it was ended in it."""
    worker = Process(log, env, *(command or (PRODUCT, "work")))
    try:
        yield worker
    finally:
        if worker.running():
            worker.kill()


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, number)


def child(parent: int, named: str) -> int:
    """The pid of a process's child by a part of its name or command line; 0 where there is none."""
    return next(iter(children(parent, named)), 0)


def children(parent: int, named: str) -> list[int]:
    """The pids of a process's children by a part of their name or command line."""
    listed: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            name, _, fields = (entry / "stat").read_text().rpartition(")")
            if int(fields.split()[1]) == parent and named in name + (entry / "cmdline").read_text():
                listed.append(int(entry.name))
    return listed
