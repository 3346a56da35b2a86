"""The web application of a service that has no app yet: /setup, and what says that it is alive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.web.app import Beside
from service.web.docs import docs_routes
from service.web.health import healthz
from service.web.html import notice
from service.web.pages import static

log = structlog.get_logger(__name__)

NO_APP = "There is no app yet: nothing can be verified or stored.\n"


def create_setup_app(
    setup: Sequence[Route], unready: Callable[[], Awaitable[str | None]], beside: Beside
) -> Starlette:
    """Put the routes together."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with beside():
            yield

    async def readyz(_request: Request) -> Response:
        reason = await unready()
        found = {"ready": not reason, "app": None} | ({"reason": reason} if reason else {})
        return JSONResponse(found, 503 if reason else 200)

    routes = [
        Route("/", front),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/webhooks/github", no_app, methods=["POST"]),
        *docs_routes(),
        Route("/static/{name}", static),
        *setup,
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={SQLAlchemyError: away})


async def away(_request: Request, error: Exception) -> Response:
    """The database went away, or is about to come."""
    log.warning("database not reachable", error=str(error))
    says = ["The database doesn't answer at the moment. Nothing was stored."]
    return notice("Try again in a moment", says, status=503, href="/setup", link="Try again")


async def front(_request: Request) -> Response:
    """What this is, and that it has to be set up."""
    charter = "one owner, a ship date, a real target, and a definition of done in numbers"
    says = [
        f"POC Governor holds every AI proof of concept to a charter: {charter}.",
        "This service has no GitHub App yet. An owner of the organisation sets it up.",
    ]
    return notice("Not set up yet", says, status=200, href="/setup", link="Set it up")


async def no_app(_request: Request) -> Response:
    """GitHub shows such a delivery as failed, and it is asked for again once there is an app."""
    return PlainTextResponse(NO_APP, 503, {"Retry-After": "60", "Connection": "close"})
