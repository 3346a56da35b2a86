"""The two servers that are compared, as real processes: ours with its worker and database, and Probot."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.mixed import KNOWN
from bench.payloads import INSTALLATION, ORG, SECRET, repository_name
from service.demo.node import Node, find_node
from service.rules.queue import SWEEP_MINUTE
from service.store.embedded import join

PROBOT = Path(__file__).parent / "probot"
START_TIMEOUT, DRAIN_TIMEOUT = 60.0, 150.0
HOUR = 3600
NOWHERE = "http://127.0.0.1:9"
"""In the place of GitHub's API for both: nobody answers there, so a look that calls would never be done."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server takes deliveries."""

    name: str
    port: int
    path: str
    pid: int


class Database:
    """What our service recorded, seen from outside of it."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    @property
    def backend(self) -> int:
        """The process of PostgreSQL that answers these questions: its CPU is nobody's."""
        return self._connection.info.backend_pid

    def take_sweeps(self) -> None:
        """Note the sweeps of the next hours as begun, so that no worker begins one while it is measured."""
        hour = int(time.time()) // HOUR * HOUR + SWEEP_MINUTE * 60
        for at in range(hour, hour + 6 * HOUR, HOUR):
            self._connection.execute(
                "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp) VALUES ('sweep', %s) "
                "ON CONFLICT DO NOTHING",
                (at,),
            )

    def register(self) -> None:
        """Make the repositories known, as registration leaves those that are no POC."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO installation (id, account, permissions) VALUES (%s, %s, '{}')",
                (INSTALLATION, ORG),
            )
            cursor.executemany(
                """
                INSERT INTO repository (id, installation_id, full_name, default_branch, private, topics,
                    pushed_at, updated_at, first_pushed_at, reread, charter_kind)
                VALUES (%s, %s, %s, 'main', true, '{ingest,python}', '2026-09-01', '2026-09-28T16:40:02Z',
                    '2026-09-01', false, 'absent')
                """,
                [(one, INSTALLATION, f"{ORG}/{repository_name(one)}") for one in KNOWN],
            )

    def deliveries(self) -> int:
        """How many deliveries are recorded."""
        return self._count("SELECT count(*) FROM delivery")

    def drained(self) -> float:
        """Wait until no subject needs a look; returns the seconds that it took."""
        began = time.monotonic()
        while self._count("SELECT count(*) FROM subject WHERE wanted > done"):
            if time.monotonic() - began > DRAIN_TIMEOUT:
                left = self._connection.execute(
                    "SELECT * FROM subject WHERE wanted > done LIMIT 5"
                ).fetchall()
                raise TimeoutError(f"subjects that still need a look after {DRAIN_TIMEOUT:.0f} s: {left}")
            time.sleep(0.2)
        return time.monotonic() - began

    def looks(self) -> int:
        """How many subjects a look was taken at, and how many of them failed."""
        if failed := self._count("SELECT count(*) FROM subject WHERE last_error IS NOT NULL"):
            raise RuntimeError(f"looks at {failed} subjects failed")
        return self._count("SELECT count(*) FROM subject WHERE looked_at IS NOT NULL")

    def _count(self, query: str) -> int:
        row = self._connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def serving(folder: Path, env: Mapping[str, str]) -> Iterator[tuple[Server, str]]:
    """`poc-governor serve` in this environment, and the address of its embedded database."""
    with running(env, folder / "service.log") as server:
        url = join(folder / "data", START_TIMEOUT)
        assert url is not None
        yield server, url


@contextmanager
def running(env: Mapping[str, str], log: Path) -> Iterator[Server]:
    """`poc-governor serve` in this environment."""
    command = [sys.executable, "-m", "service.cli.app", "serve"]
    port = int(env["PORT"])
    with _process(command, env, log, port, "/readyz") as pid:
        yield Server("ours", port, "/webhooks/github", pid)


@contextmanager
def ours(folder: Path, **env: str) -> Iterator[tuple[Server, Database]]:
    """`poc-governor serve` with its worker and its embedded PostgreSQL, with its defaults and `env`."""
    with serving(folder, settings(folder, free_port()) | env) as (server, url):
        database = Database(url)
        database.take_sweeps()
        database.register()
        yield server, database


def settings(folder: Path, port: int) -> dict[str, str]:
    """The environment in which `poc-governor serve` runs, its data in that folder."""
    folder.chmod(0o711)  # as root, PostgreSQL runs as somebody else
    return environment() | {
        "GITHUB_APP_ID": "1",
        "GITHUB_APP_PRIVATE_KEY": private_key(),
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "MODE": "enforce",
        "GITHUB_API_URL": NOWHERE,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "DATA_DIR": str(folder / "data"),
    }


@contextmanager
def probot(folder: Path, script: str = "app.js", **env: str) -> Iterator[Server]:
    """Probot with its defaults; `env` is what the script is to have beside them."""
    port, node = free_port(), find_node()
    _install(node)
    its = environment() | {
        "NODE_ENV": "production",
        "APP_ID": "1",
        "PRIVATE_KEY": private_key(),
        "WEBHOOK_SECRET": SECRET,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    command = [str(node.program), str(PROBOT / script)]
    with _process(command, its | env, folder / "probot.log", port, "/ping") as pid:
        yield Server("Probot", port, "/api/github/webhooks", pid)


def _install(node: Node) -> None:
    """Install what package-lock.json says, once."""
    installed = PROBOT / "node_modules" / ".package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= (PROBOT / "package-lock.json").stat().st_mtime:
        return
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=PROBOT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _process(command: list[str], env: Mapping[str, str], log: Path, port: int, ready: str) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        _wait(lambda: process.poll() is not None or _answers(port, ready))
        if process.poll() is not None:
            raise RuntimeError(f"{command} ended:\n{log.read_text()}")
        yield process.pid
    finally:
        stopped(process)


def stopped(process: subprocess.Popen[bytes]) -> None:
    """End a process, which has half a minute for it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the server does not answer")
        time.sleep(0.1)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def private_key() -> str:
    """A key for an app."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def environment() -> dict[str, str]:
    """Ours, without what would configure a server."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the servers' data and logs."""
    folder = Path(tempfile.mkdtemp(prefix="poc-governor-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
