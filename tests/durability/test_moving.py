"""The embedded database moves into a PostgreSQL of one's own while GitHub goes on delivering."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from service.config.settings import load
from service.demo.emulator import Emulator, free_port
from service.rules.queue import SETTLED
from service.sweep import fetch_missed_deliveries
from service.wiring import build
from tests.durability.conftest import push
from tests.harness.database import Server
from tests.harness.gateway import Answer, Forward, Gateway
from tests.harness.processes import environment, run, serving
from tests.harness.waiting import eventually
from tests.harness.webhooks import deliver

ENOUGH = 20
"""Deliveries: so many before, while nobody serves, and after."""


def guid_of(number: int) -> str:
    """A delivery's id."""
    return str(UUID(int=number + 1))


@dataclass(slots=True)
class Sender:
    """GitHub's side of the webhook: delivers one push after the other, and remembers what became of it."""

    url: str
    statuses: list[int] = field(default_factory=list)
    """Of each delivery the newest answer; 0 is none."""
    _end: threading.Event = field(default_factory=threading.Event)

    def send(self, number: int) -> int:
        try:
            return deliver(self.url, "push", push(number), delivery=guid_of(number)).status_code
        except httpx.TransportError:
            return 0

    def go_on(self) -> None:
        """Less often while nobody answers: each of those is sent again."""
        while not self._end.wait(0.5 if self.statuses and self.statuses[-1] == 0 else 0.02):
            self.statuses.append(self.send(len(self.statuses)))

    def end(self) -> None:
        self._end.set()

    def sent(self, *, taken: bool) -> int:
        return sum((status == 202) is taken for status in self.statuses)

    def failed(self, _: Forward) -> Answer:
        """`GET /app/hook/deliveries?status=failure`."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        shown: list[dict[str, Any]] = [
            {"id": number + 1, "guid": guid_of(number), "delivered_at": at, "status_code": status,
             "event": "push", "action": None, "installation_id": 1, "status": "failed"}
            for number, status in enumerate(self.statuses) if status != 202
        ]  # fmt: skip
        return Answer(200, json.dumps(shown).encode())

    def again(self, number: int, _: Forward) -> Answer:
        """`POST /app/hook/deliveries/{id}/attempts`."""
        self.statuses[number] = self.send(number)
        return Answer(202)


@pytest.fixture
def own(server: Server) -> Iterator[str]:
    """An empty database of a PostgreSQL of one's own."""
    with server.database("template0") as url:
        yield url


@pytest.mark.slow
def test_no_delivery_is_lost_by_a_move_under_load(emulator: Emulator, own: str, folder: Path) -> None:
    port = free_port()
    sender = Sender(f"http://127.0.0.1:{port}")
    with Gateway(emulator.api_url, rename=True) as api:
        env = environment(emulator, DATA_DIR=str(folder / "data"), GITHUB_API_URL=api.url)
        with serving(folder / "log", env, port=port) as serve:
            thread = threading.Thread(target=sender.go_on)
            thread.start()
            try:
                eventually(lambda: sender.sent(taken=True) >= ENOUGH, "deliveries are taken")
                refused = run("move-database", env, "--to", own)
                assert refused.returncode == 2
                assert f"is in use by `poc-governor serve` (pid {serve.pid})" in refused.stderr
                serve.terminate()

                moved = run("move-database", env, "--to", own)
                assert moved.returncode == 0, moved.stderr
                assert f"Now set DATABASE_URL={own}" in moved.stdout
                eventually(lambda: sender.sent(taken=False) >= ENOUGH, "deliveries fail")

                before, there = sender.sent(taken=True), env | {"DATABASE_URL": own}
                with serving(folder / "log", there, port=port) as again:
                    eventually(lambda: sender.sent(taken=True) >= before + ENOUGH, "deliveries are taken")
                    sender.end()
                    thread.join()
                    _redelivered(api, sender, there)
                    eventually(again.idle, "all is reconciled")
            finally:
                sender.end()
                thread.join()
    with psycopg.connect(own) as connection:
        stored = {str(guid) for (guid,) in connection.execute("SELECT delivery_id FROM delivery")}
    assert stored == {guid_of(number) for number in range(len(sender.statuses))}

    elsewhere = run("sweep", env)
    assert elsewhere.returncode == 2
    assert "was moved on" in elsewhere.stderr
    assert "set DATABASE_URL to that" in elsewhere.stderr


def _redelivered(api: Gateway, sender: Sender, env: dict[str, str]) -> None:
    """What the worker does every ten minutes, with a clock that lets it ask at once."""
    api.fail("GET", r"^/app/hook/deliveries", sender.failed, times=100)
    for number in range(len(sender.statuses)):
        path = rf"^/app/hook/deliveries/{number + 1}/attempts$"
        api.fail("POST", path, partial(sender.again, number))
    later = SETTLED + timedelta(minutes=1)
    services = build(load(env), env["DATABASE_URL"], clock=lambda: datetime.now(UTC) + later)
    try:
        fetch_missed_deliveries(services)
    finally:
        services.engine.dispose()
    assert sender.sent(taken=False) == 0
