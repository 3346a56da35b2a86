"""GET /healthz, /readyz and /metrics."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
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

from service.store.health import Health, calls_left, health

log = structlog.get_logger(__name__)

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Set by the command, before anything imports prometheus_client: the counters of all processes are shown."""
FIRST = "first.pid"
"""Beside the counters: the process whose memory and processor time are shown."""


HEALTH_PATIENCE = 3.0
"""Seconds that the database has to say how worker and queue do."""
DATABASE_UP = "poc_governor_database_up"
GAUGES: Mapping[str, tuple[str, Callable[[Health], float | None]]] = {
    DATABASE_UP: ("Whether the database answers", lambda _: 1),
    "poc_governor_last_delivery_timestamp_seconds": (
        "When the last delivery was stored",
        lambda now: now.last_delivery_at.timestamp() if now.last_delivery_at else None,
    ),
    "poc_governor_workers": ("Workers with a heartbeat in the last minute", lambda now: now.workers),
    "poc_governor_subjects_dirty": ("Subjects that need a look", lambda now: now.dirty),
    "poc_governor_subjects_dead": ("Subjects that were given up", lambda now: now.dead_count),
    "poc_governor_queue_age_seconds": (
        "Age of the oldest subject that waits for a look",
        lambda now: now.queue_age or 0,
    ),
    "poc_governor_last_backup_timestamp_seconds": (
        "When `poc-governor backup` last made a backup",
        lambda now: now.last_backup_at.timestamp() if now.last_backup_at else None,
    ),
}
"""What /metrics takes from the database: the text of each, and its value, None where there is none."""
CALLS_REMAINING = "poc_governor_github_calls_remaining"
"""The same for each installation."""
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
    """The counters that the processes of `serve` keep in files, and how the first of the web does."""

    def collect(self) -> Iterator[Metric]:
        """The present values: the same, whichever process answers."""
        if MULTIPROCESS not in os.environ:
            yield from REGISTRY.collect()
            return
        yield from MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]  # theirs has no types
        yield from ProcessCollector(pid=_first, registry=None).collect()


def note_first() -> None:
    """Note that this process is the first of the web: whichever answers shows how that one does."""
    if MULTIPROCESS in os.environ:
        (Path(os.environ[MULTIPROCESS]) / FIRST).write_text(str(os.getpid()), encoding="ascii")


def _first() -> str:
    try:
        return (Path(os.environ[MULTIPROCESS]) / FIRST).read_text(encoding="ascii")
    except OSError:
        return str(os.getpid())


class _QueueCollector(Collector):
    """What the database knows; of that nothing while it is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The present values."""
        try:
            now, calls = health(self._engine), calls_left(self._engine)
        except SQLAlchemyError:
            yield GaugeMetricFamily(DATABASE_UP, GAUGES[DATABASE_UP][0], value=0)
            return
        for name, (says, value_of) in GAUGES.items():
            if (value := value_of(now)) is not None:
                yield GaugeMetricFamily(name, says, value=value)
        left = GaugeMetricFamily(
            CALLS_REMAINING, "Calls that GitHub takes until its limit is reset", labels=["installation"]
        )
        for installation_id, remaining in calls:
            left.add_metric([str(installation_id)], remaining)
        yield left
