"""/metrics of a worker that runs by itself, on a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from service.config.settings import ServiceSettings
from service.store.database import connect
from service.web.bodies import USUAL_LIMITS
from service.web.connection import listen, options
from service.web.health import Metrics


@contextmanager
def watched(settings: ServiceSettings, url: str, port: int) -> Iterator[None]:
    """Answer in a thread for as long as the block lasts; where it can't, the process ends and says why."""
    engine = connect(url, pool_size=1)
    metrics = Metrics(engine, settings.metrics_token)
    app = Starlette(routes=[Route("/metrics", metrics.__call__)])
    listening = listen(settings.host, port)
    server = uvicorn.Server(uvicorn.Config(app, **options(USUAL_LIMITS.seconds, settings.trusted_proxies)))
    thread = threading.Thread(target=server.run, args=([listening],), name="watched", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        engine.dispose()
