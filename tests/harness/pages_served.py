"""The pages over HTTP on this machine, for browsers: an organisation with many POCs, and no login."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from sqlalchemy import Engine
from starlette.applications import Starlette

from service.demo.emulator import free_port
from service.store.database import Database
from service.store.portfolio import Portfolio
from service.web.app import security_headers
from service.web.badge import Badges
from service.web.pages import Access, OpenHere, Pages, Shown
from tests.harness.portfolio import NOW
from tests.harness.waiting import eventually


@contextmanager
def pages_served(engine: Engine, access: Access | None = None) -> Iterator[str]:
    """The address of the pages over a database."""
    port = free_port()
    shown = Shown("https://github.com", observe=False, evidence_level="self-reported", clock=lambda: NOW)
    store = Portfolio(Database(engine))
    badges = Badges(store, f"http://localhost:{port}", "a key of thirty-two characters or more")
    app = Starlette(routes=Pages(store, access or OpenHere(), shown, badges).routes())
    headers = security_headers("http://localhost", "https://github.com")
    web = uvicorn.Server(uvicorn.Config(app, port=port, headers=headers, log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(web.serve()))
    thread.start()
    try:
        eventually(lambda: web.started, "the pages are served")
        yield f"http://localhost:{port}"
    finally:
        web.should_exit = True
        thread.join()
