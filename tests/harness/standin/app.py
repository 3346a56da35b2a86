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
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.demo.emulator import Emulator
from tests.harness.standin import graphql, installations, oauth
from tests.harness.standin.emulated import Emulated, bearer, emulated, refusal
from tests.harness.standin.oauth import PREFIX, Grants, acting

ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ROUTES = [*oauth.ROUTES, *installations.ROUTES, *graphql.ROUTES]
"""The topics, each in a file of its own."""


class StandIn:
    """A running stand-in; `grants` holds what people granted, which a test may expire or revoke."""

    def __init__(self, url: str, grants: Grants) -> None:
        self.url, self.grants = url, grants


async def hand_on(request: Request) -> Response:
    """Let the emulator answer; a token of ours that holds no longer is refused, which it would not do."""
    token = acting(request)
    if bearer(request).startswith(PREFIX) and not token:
        return refusal(401, "Bad credentials")
    return await emulated(request).forward(request, token=token)


def make_app(behind: Emulator, url: str, grants: Grants) -> Starlette:
    """The application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.emulated, app.state.grants = Emulated(behind, url), grants
        yield
        await app.state.emulated.http.aclose()

    return Starlette(routes=[*ROUTES, Route("/{path:path}", hand_on, methods=ANY)], lifespan=lifespan)


@contextmanager
def standing_in(behind: Emulator) -> Iterator[StandIn]:
    """A stand-in on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://localhost:{listening.getsockname()[1]}"
        grants = Grants()
        config = uvicorn.Config(make_app(behind, url, grants), log_config=None, lifespan="on", loop="asyncio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listening]),))
        thread.start()
        try:
            yield StandIn(url, grants)
        finally:
            server.should_exit = True
            thread.join()
