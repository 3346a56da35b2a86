"""Deliveries recorded once: what arrives together is committed together, and answered after the commit."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout

from service.rules.reception import Reception
from service.store import recording
from service.store.recording import Envelope

log = structlog.get_logger(__name__)

GROUP = 256
"""The most deliveries of one transaction; more wait for the next."""
WRITERS = 1
"""While one group is being committed, the next one forms; a second writer would only make them smaller."""

Route = Callable[[str, bytes], Reception]


class NotStoredError(Exception):
    """The delivery is not in the database: GitHub must not be told that it is."""


class Inbox:
    """The receiver's side of the database."""

    def __init__(self, database_url: str, route: Route) -> None:
        self._pool = recording.open_pool(database_url)
        self._route = route
        self._waiting: deque[tuple[Envelope, asyncio.Future[None]]] = deque()
        self._arrived = asyncio.Event()
        self._writers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to write; a database that is away now is found when it is back."""
        await self._pool.open()
        self._writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]

    async def close(self) -> None:
        """Stop writing; who still waits is told that nothing was stored."""
        for writer in self._writers:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        while self._waiting:
            _settle(self._waiting.popleft()[1], NotStoredError("the service is shutting down"))
        await self._pool.close()

    async def record(self, delivery_id: str, event: str, body: bytes) -> None:
        """Return when the delivery is committed, or was before.

        Raises `ValueError` for a body that is not the JSON of that event, `NotStoredError` when it could not
        be stored.
        """
        reception = self._route(event, body)
        envelope = Envelope(delivery_id, event, hashlib.sha256(body).digest(), reception)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((envelope, stored))
        self._arrived.set()
        await stored

    async def _write(self) -> None:
        while True:
            await self._arrived.wait()
            group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
            if not self._waiting:
                self._arrived.clear()
            if group:
                await self._commit(group)

    async def _commit(self, group: Sequence[tuple[Envelope, asyncio.Future[None]]]) -> None:
        try:
            await recording.record(self._pool, [envelope for envelope, _ in group])
        except asyncio.CancelledError:
            for _, stored in group:
                _settle(stored, NotStoredError("the service is shutting down"))
            raise
        except (psycopg.OperationalError, PoolTimeout, PoolClosed, OSError) as error:
            log.warning("deliveries not stored", deliveries=len(group), error=str(error))
            for _, stored in group:
                _settle(stored, NotStoredError("the database is not reachable"))
        except Exception as error:  # noqa: BLE001 (a writer that ends would leave every sender waiting)
            await self._commit_apart(group, error)
        else:
            for _, stored in group:
                _settle(stored, None)

    async def _commit_apart(
        self, group: Sequence[tuple[Envelope, asyncio.Future[None]]], error: Exception
    ) -> None:
        """One delivery that the database refuses must not take the others of its group with it."""
        if len(group) > 1:
            for member in group:
                await self._commit([member])
            return
        envelope, stored = group[0]
        log.error("delivery refused by the database", delivery=envelope.delivery_id, error=str(error))
        _settle(stored, NotStoredError("the database refused this delivery"))


def _settle(stored: asyncio.Future[None], error: Exception | None) -> None:
    if stored.done():
        return
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)
