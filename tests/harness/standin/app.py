"""A stand-in in front of the emulator: it answers what that lacks, from the emulator's state.

Everything else it hands on. What it answers is held to GitHub's OpenAPI description by a test.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.demo.emulator import Emulator
from tests.harness.standin import graphql, installations, oauth, reading, registering, rules
from tests.harness.standin.emulated import Emulated, bearer, emulated, refusal
from tests.harness.standin.oauth import PREFIX, Grants, acting
from tests.harness.standin.registering import Registered

ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ROUTES = [
    *oauth.ROUTES,
    *installations.ROUTES,
    *graphql.ROUTES,
    *reading.ROUTES,
    *registering.ROUTES,
    *rules.ROUTES,
]
"""The topics, each in a file of its own."""


class StandIn:
    """A running stand-in; `grants` holds what people granted, which a test may expire or revoke."""

    def __init__(self, url: str, grants: Grants, registered: Registered) -> None:
        self.url, self.grants, self.registered = url, grants, registered


async def hand_on(request: Request) -> Response:
    """Let the emulator answer."""
    return await emulated(request).forward(request, token=acting(request))


class Refusing:
    """Refuses tokens of ours that hold no longer, which the emulator would not do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            if bearer(request).startswith(PREFIX) and not acting(request):
                await refusal(401, "Bad credentials")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def make_app(behind: Emulator, url: str, grants: Grants, registered: Registered) -> Starlette:
    """The application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.emulated, app.state.grants = Emulated(behind, url), grants
        app.state.registered, app.state.rulesets = registered, []
        yield
        await app.state.emulated.http.aclose()

    routes = [*ROUTES, Route("/{path:path}", hand_on, methods=ANY)]
    return Starlette(routes=routes, middleware=[Middleware(Refusing)], lifespan=lifespan)


@contextmanager
def standing_in(behind: Emulator, *, from_nothing: bool = False) -> Iterator[StandIn]:
    """A stand-in on a port of its own; `from_nothing` the app is yet to be registered and installed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://localhost:{listening.getsockname()[1]}"
        grants, registered = Grants(), Registered(from_nothing)
        app = make_app(behind, url, grants, registered)
        config = uvicorn.Config(app, log_config=None, lifespan="on", loop="asyncio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listening]),))
        thread.start()
        try:
            yield StandIn(url, grants, registered)
        finally:
            server.should_exit = True
            thread.join()
