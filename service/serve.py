"""`serve`: processes of the web and a worker beside each other, and the embedded PostgreSQL.

This process only starts them, and starts again what ends. While PostgreSQL starts, it imports all that they
need. All processes of the web accept from one listening socket.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from service.config.settings import ServiceSettings, Settings
from service.processes import STOPS, Processes
from service.store.embedded import EmbeddedPostgres

if TYPE_CHECKING:
    from service.receive import Site
    from service.web.bodies import Limits
    from service.web.setup import Examine

log = structlog.get_logger(__name__)

Worker = Callable[[Settings, str], None]
"""Works, with the database at an address."""


def serve(
    settings: ServiceSettings,
    *,
    worker: Callable[[], Worker] | None,
    examine: Examine | None = None,
    limits: Limits | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; raises `DataDirInUse` where another process serves from DATA_DIR.

    `worker` imports what a worker needs and returns what it runs; None for no worker.
    """
    for number in STOPS:  # PostgreSQL is to end in order too
        signal.signal(number, lambda *_: sys.exit(0))
    gc.disable()  # what is imported stays
    postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir, "serve")
    url = postgres.start(meanwhile=_import_web) if postgres else settings.database_url
    try:
        from service.receive import Site  # noqa: PLC0415 (only now: PostgreSQL is to start first)
        from service.web.connection import listen  # noqa: PLC0415

        listening = listen(settings.host, settings.port)
        site = Site(settings, url, listening, worker is not None, examine)
        _run(replace(site, limits=limits) if limits else site, postgres, worker)
    finally:
        if postgres:
            postgres.stop()


def _import_web() -> None:
    import service.receive  # noqa: F401, PLC0415


def _run(site: Site, postgres: EmbeddedPostgres | None, worker: Callable[[], Worker] | None) -> None:
    from service.configured import made_keys  # noqa: PLC0415
    from service.receive import receive, set_up  # noqa: PLC0415

    if isinstance(site.settings, Settings) and site.settings.can_log_in:
        made_keys(site.settings)  # where that fails, it's to be said once, and `serve` is to end
    run = worker() if worker else None
    # The garbage collector writes where it looks, and what is written to isn't shared any more.
    gc.collect()
    gc.freeze()
    gc.enable()
    with Processes(postgres) as processes:
        if not isinstance(site.settings, Settings):
            setup = processes.keep("setup", partial(set_up, site), once=True)
            if (code := processes.see_to(setup)) != 0:
                sys.exit(code)
        host, port = site.listening.getsockname()[:2]
        log.info("serving", address=f"http://{host}:{port}", worker=site.with_worker)
        for number in range(site.settings.web_processes):
            processes.keep("web", partial(receive, site, is_first=number == 0))
        if run:
            processes.keep("worker", partial(_work, site, run))
        try:
            processes.see_to()
        finally:
            site.listening.close()  # who calls while the others end is refused, and calls again


def _work(site: Site, run: Worker) -> None:
    site.begin()
    site.listening.close()
    run(site.complete(), site.url)
