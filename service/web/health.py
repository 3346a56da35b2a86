"""GET /healthz, /readyz and /metrics."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from service.parent import SUPERVISED
from service.store.health import health

log = structlog.get_logger(__name__)

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Set by the command, before anything imports prometheus_client: the counters of all processes are shown."""


HEALTH_PATIENCE = 3.0
"""Seconds that the database has to say how worker and queue do."""
ASKS = "Send METRICS_TOKEN as `Authorization: Bearer TOKEN`.\n"


async def healthz(_request: Request) -> Response:
    """Alive."""
    return PlainTextResponse("alive\n")


def may_see(request: Request, token: str) -> bool:
    """Whether a request may see how the service does: without METRICS_TOKEN everybody may."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    has_it = scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
    return has_it or not token


class Readiness:
    """GET /readyz: 200 while deliveries can be stored; the rest of its JSON never changes the status."""

    def __init__(
        self,
        engine: Engine,
        unready: Callable[[], Awaitable[str | None]],
        token: str = "",
        app_id: int | None = None,
    ) -> None:
        self._engine, self._unready, self._token = engine, unready, token
        self._named = {"app": app_id} if app_id is not None else {}

    async def __call__(self, request: Request) -> Response:
        """Try to store, and then ask how worker and queue do, where the request may see that."""
        shown = may_see(request, self._token)
        if reason := await self._unready():
            return JSONResponse({"ready": False} | self._named | ({"reason": reason} if shown else {}), 503)
        return JSONResponse({"ready": True} | self._named | (await self._health() if shown else {}))

    async def _health(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(HEALTH_PATIENCE):
                return (await asyncio.to_thread(health, self._engine)).as_json()
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("health not known", error=str(error))
            return {"unknown": "worker and queue: the database gave no connection to ask on"}


class Metrics:
    """GET /metrics: the counters of all processes, and what the database knows."""

    def __init__(self, engine: Engine, token: str = "") -> None:
        self._engine, self._token = engine, token

    def __call__(self, request: Request) -> Response:
        """Collect; Starlette runs this in a thread."""
        if not may_see(request, self._token):
            return PlainTextResponse(ASKS, 401, {"WWW-Authenticate": "Bearer"})
        registry = CollectorRegistry()
        registry.register(_Processes())
        registry.register(_QueueCollector(self._engine))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Processes(Collector):
    """The counters that the processes of `serve` keep in files, and how the first of them does."""

    def collect(self) -> Iterator[Metric]:
        """The present values: the same, whichever process answers."""
        if MULTIPROCESS not in os.environ:
            yield from REGISTRY.collect()
            return
        yield from MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]  # theirs has no types
        first = os.getppid if SUPERVISED in os.environ else os.getpid
        yield from ProcessCollector(pid=first, registry=None).collect()


class _QueueCollector(Collector):
    """What is counted in the database; nothing while it is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The present values."""
        try:
            now = health(self._engine)
        except SQLAlchemyError:
            yield GaugeMetricFamily("poc_governor_database_up", "Whether the database answers", value=0)
            return
        values: dict[str, tuple[str, float]] = {
            "database_up": ("Whether the database answers", 1),
            "deliveries_stored": ("Deliveries in the database", now.deliveries),
            "workers": ("Workers with a heartbeat in the last minute", now.workers),
            "subjects_dirty": ("Subjects that need a look", now.dirty),
            "subjects_dead": ("Subjects that were given up", now.dead_count),
            "queue_age_seconds": ("Age of the oldest subject that waits for a look", now.queue_age or 0),
        }
        if now.last_backup_at:
            says = "When `poc-governor backup` last made a backup, in seconds since 1970"
            values["last_backup_timestamp_seconds"] = (says, now.last_backup_at.timestamp())
        for name, (says, value) in values.items():
            yield GaugeMetricFamily(f"poc_governor_{name}", says, value=value)
