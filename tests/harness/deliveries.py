"""Deliveries: what their payloads hold, and a receiver that records them without HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from service.deliveries.routes import route
from service.inbox import Inbox
from service.rules.evidence.claims import WorkflowRun
from service.rules.evidence.upload import Sent
from service.rules.values.github import Repository
from service.store.uploads import record_upload
from tests.harness.places import DELIVERIES

BOT = {"login": "poc-governor[bot]", "type": "Bot"}
"""Ourselves, as payloads name us."""


def person(login: str) -> dict[str, str]:
    """A person as payloads name them."""
    return {"login": login, "type": "User"}


def described(found: Repository) -> dict[str, Any]:
    """A repository as payloads describe it."""
    times = {"pushed_at": found.pushed_at, "updated_at": found.updated_at}
    return {
        name: getattr(found, name)
        for name in (
            "id",
            "full_name",
            "default_branch",
            "archived",
            "fork",
            "is_template",
            "has_issues",
            "topics",
        )
    } | {name: at.isoformat() for name, at in times.items() if at}


def event_of(name: str) -> str:
    """The event of a recorded delivery, by the name of its file."""
    return name.partition(".")[0].partition("-")[0]


def recorded(name: str) -> dict[str, Any]:
    """The payload of a recorded delivery."""
    payload: dict[str, Any] = json.loads((DELIVERIES / f"{name}.json").read_bytes())
    return payload


class Receiver:
    """The receiver's side of the service. It stays open, as it does in a running service."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self._inbox = Inbox(database_url, route)
        self._is_open = False

    def deliver(self, event: str, body: bytes, delivery_id: str) -> None:
        """Record one delivery; it is committed when this returns."""
        self.deliver_all([(delivery_id, event, body)])

    def deliver_all(self, deliveries: list[tuple[str, str, bytes]]) -> None:
        """Record deliveries one after the other."""

        async def record() -> None:
            await self._open()
            for delivery in deliveries:
                await self._inbox.record(*delivery)

        self._runner.run(record())

    def upload(self, run: WorkflowRun, numbers: Sequence[Sent]) -> None:
        """Record the numbers that a workflow run sent."""

        async def record() -> None:
            await self._open()
            assert await record_upload(self._inbox._pool, run, numbers, run.path) is None

        self._runner.run(record())

    async def _open(self) -> None:
        if not self._is_open:
            await self._inbox.open()
            self._is_open = True

    def close(self) -> None:
        """Close the connections."""
        if self._is_open:
            self._runner.run(self._inbox.close())
        self._runner.close()
