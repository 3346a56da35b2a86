"""The service's processes, started, asked and killed as an operator would, and signed deliveries to them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from service.demo.emulator import Emulator, free_port

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
SECRET = "the webhook's secret"
PATIENCE = 30.0


def eventually(found: Callable[[], T], what: str, *, within: float = PATIENCE) -> T:
    """Ask until the answer is true; fail with what was waited for."""
    deadline = time.monotonic() + within
    while True:
        if answer := found():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within:.0f} s it is not so that {what}")
        time.sleep(0.05)


def environment(emulator: Emulator, **settings: str) -> dict[str, str]:
    """The environment of a command, with nothing in it that was meant for this process."""
    ours = ("GITHUB_", "DATABASE_URL", "DATA_DIR", "PUBLIC_URL", "HOST", "PORT", "MODE", "PROMETHEUS_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return rest | {
        "GITHUB_APP_ID": str(emulator.app_id),
        "GITHUB_APP_PRIVATE_KEY": emulator.private_key,
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": emulator.api_url,
        "GITHUB_URL": emulator.api_url,
        "PUBLIC_URL": "http://localhost",
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

    def __init__(self, log: Path, env: Mapping[str, str], *arguments: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(log, env, "service.cli.app", "serve", "--port", str(port), *arguments)
        self._http = httpx.Client(base_url=self.url, timeout=20, trust_env=False)
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

    def metrics(self) -> str:
        return self._http.get("/metrics").text

    def idle(self) -> bool:
        health = self.health()
        return bool(health["ready"]) and health["dirty"] == 0

    def deliver(self, event: str, payload: object, delivery_id: str = "") -> int:
        """Deliver; the answer's status, or 0 where there was none."""
        body = json.dumps(payload).encode()
        with suppress(httpx.TransportError):
            headers = signed(event, body, delivery_id)
            return self._http.post("/webhooks/github", content=body, headers=headers).status_code
        return 0

    def worker(self) -> int:
        """The pid of its worker, once it looks for work."""
        return eventually(lambda: _child(self.pid, "service.cli.app\0work"), "there is a worker")

    def postgres(self) -> int:
        """The pid of its PostgreSQL."""
        return eventually(lambda: _child(self.pid, "postgres\0-D"), "there is a PostgreSQL")

    def close(self) -> None:
        self._http.close()
        if self.running():
            self.terminate()


@contextmanager
def serving(log: Path, env: Mapping[str, str], *arguments: str) -> Iterator[Serve]:
    """A `serve` for as long as the block lasts, unless it was ended in it."""
    serve = Serve(log, env, *arguments)
    try:
        yield serve
    finally:
        serve.close()


@contextmanager
def working(log: Path, env: Mapping[str, str], *command: str) -> Iterator[Process]:
    """A worker for as long as the block lasts, unless it was ended in it."""
    worker = Process(log, env, *(command or ("service.cli.app", "work")))
    try:
        yield worker
    finally:
        if worker.running():
            worker.kill()


def signed(event: str, body: bytes, delivery_id: str = "", *, secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery as GitHub sends them."""
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id or str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, number)


def _child(parent: int, command: str) -> int:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            of = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if of == parent and command in (entry / "cmdline").read_text():
                return int(entry.name)
    return 0
