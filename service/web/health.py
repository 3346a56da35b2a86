"""GET /healthz, /readyz and /metrics."""

from __future__ import annotations

import os
from collections.abc import Iterator

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from service.store.health import health
from service.store.schema import NewerSchemaError, pending

log = structlog.get_logger(__name__)

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Set by `serve`, so that the worker's counters are shown as well."""


async def healthz(_request: Request) -> Response:
    """Alive."""
    return PlainTextResponse("alive\n")


class Readiness:
    """GET /readyz: 200 while deliveries can be stored; the rest of its JSON never changes the status."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, _request: Request) -> Response:
        """Ask the database; Starlette runs this in a thread."""
        try:
            if pending(self._engine):
                return _not_ready("the database's migrations have not run yet")
            return JSONResponse({"ready": True} | health(self._engine).as_json())
        except NewerSchemaError as error:
            return _not_ready(str(error))
        except SQLAlchemyError as error:
            log.warning("not ready", error=str(error))
            return _not_ready("the database is not reachable")


class Metrics:
    """GET /metrics: this process's and its worker's counters, and what the database knows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, _request: Request) -> Response:
        """Collect; Starlette runs this in a thread."""
        registry = CollectorRegistry()
        registry.register(_OwnAndWorkers())
        registry.register(_QueueCollector(self._engine))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _OwnAndWorkers(Collector):
    """The counters of this process, and those that the worker of `serve` keeps in files."""

    def collect(self) -> Iterator[Metric]:
        """The present values; a counter of both would be in the files."""
        filed: list[Metric] = []
        if MULTIPROCESS in os.environ:
            filed += MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]  # its own lack
        names = {metric.name for metric in filed}
        yield from filed
        yield from (metric for metric in REGISTRY.collect() if metric.samples and metric.name not in names)


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
        for name, (says, value) in values.items():
            yield GaugeMetricFamily(f"poc_governor_{name}", says, value=value)


def _not_ready(reason: str) -> Response:
    return JSONResponse({"ready": False, "reason": reason}, 503)
