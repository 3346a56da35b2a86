"""Where the story is played: an emulated GitHub, and the service that runs beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from service.demo.emulator import Emulator, free_port
from service.demo.person import Person
from service.parent import SUPERVISED

T = TypeVar("T")

ORG, OWNER = "acme", "jane-doe"
PEOPLE = (OWNER, "alice-k", "bob-m", "carol-s", "dan-w")
PATIENCE = 60.0


class StoryError(Exception):
    """A step of the story did not come true."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The emulated GitHub and the running service."""

    emulator: Emulator
    environment: dict[str, str]
    service_url: str
    person: Person


def wait(condition: Callable[[], T | None], what: str) -> T:
    """Ask until the answer is true, and return it; raises `StoryError` when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise StoryError(f"after {PATIENCE:.0f} seconds it is not so that {what}")
        time.sleep(0.1)
    return found


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start an emulated GitHub and the service, and end both with the block."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryDirectory(prefix="poc-governor-demo-") as folder,
        Emulator(org=ORG, users=PEOPLE, webhook_url=f"{address}/webhooks/github") as emulator,
        emulator.person(OWNER) as person,
    ):
        Path(folder).chmod(0o711)  # as root, PostgreSQL runs as somebody else
        environment = os.environ | {
            "GITHUB_APP_ID": str(emulator.app_id),
            "GITHUB_APP_PRIVATE_KEY": emulator.private_key,
            "GITHUB_WEBHOOK_SECRET": emulator.webhook_secret,
            "GITHUB_API_URL": emulator.api_url,
            "GITHUB_URL": emulator.api_url,
            "PUBLIC_URL": address,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATABASE_URL": "",
            "DATA_DIR": str(Path(folder) / "data"),
            "MODE": "enforce",
        }
        log = Path(folder) / "service.log"
        with _service(environment, log):
            _wait_until_ready(address, log)
            yield Stage(emulator, environment, address, person)


@contextmanager
def _service(environment: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "service.cli.app", "serve"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our own command line)
            command,
            env=environment | {SUPERVISED: "1"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def _wait_until_ready(address: str, log: Path) -> None:
    def ready() -> bool:
        try:
            return httpx.get(f"{address}/readyz", trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    try:
        wait(ready, "the service is ready")
    except StoryError as error:
        raise StoryError(f"the service does not start. It said:\n{log.read_text()[-3000:]}") from error
