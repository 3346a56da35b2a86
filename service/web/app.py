"""The web application: its routes, and what starts and stops with it.

That of a service that has no app yet has /setup, and what says that it is alive.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache

import structlog
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.inbox import Inbox
from service.rules.checks.schema import printed
from service.web.bodies import Bodies
from service.web.docs import docs_routes
from service.web.evidence import PATH as EVIDENCE_PATH
from service.web.evidence import EvidenceEndpoint
from service.web.health import Metrics, Readiness, healthz
from service.web.html import no_page, notice
from service.web.pages import static
from service.web.webhook import WebhookEndpoint

log = structlog.get_logger(__name__)

SCHEMA_PATH = "/schema/poc-1.json"
MEDIA_TYPE = "application/schema+json"
HEADERS = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
"""Editors fetch it from anywhere; nothing in it is anybody's."""


POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {github}; "
    "frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


def security_headers(public_url: str, github_url: str) -> list[tuple[str, str]]:
    """What every answer tells browsers: no script runs, only our style is loaded, no frame holds it."""
    headers = {"Content-Security-Policy": POLICY.format(github=github_url)} | SECURITY_HEADERS
    return list((headers | (HTTPS_ONLY if public_url.startswith("https://") else {})).items())


async def schema(_request: Request) -> Response:
    """Serve it."""
    return Response(_body(), media_type=MEDIA_TYPE, headers=HEADERS)


async def nowhere(request: Request, _error: Exception) -> Response:
    """An address that leads nowhere: a page for browsers, JSON for all else."""
    if "text/html" in request.headers.get("accept", ""):
        return no_page()
    return JSONResponse({"detail": "Not Found"}, 404)


@cache
def _body() -> bytes:
    return printed().encode()


Beside = Callable[[], AbstractAsyncContextManager[None]]
"""What runs as long as the application does: the worker and the database of `serve`."""


def create_app(
    inbox: Inbox,
    engine: Engine,
    *,
    webhook_secret: str,
    webhook_secret_previous: str = "",
    evidence: EvidenceEndpoint,
    bodies: Bodies,
    beside: Beside,
    pages: Sequence[Route] = (),
    metrics_token: str = "",
    app_id: int | None = None,
) -> FastAPI:
    """Put the routes together; nothing connects before the application starts."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with beside():
            await inbox.open()
            try:
                yield
            finally:
                await inbox.close()
                engine.dispose()

    app = FastAPI(title="POC Governor", lifespan=lifespan, openapi_url=None)
    app.add_exception_handler(404, nowhere)
    app.router.routes.append(Route("/healthz", healthz))
    app.router.routes.append(
        Route("/readyz", Readiness(engine, inbox.unready, metrics_token, app_id).__call__)
    )
    app.router.routes.append(Route("/metrics", Metrics(engine, metrics_token).__call__))
    app.router.routes.append(Route(SCHEMA_PATH, schema))
    app.router.routes.append(Route(EVIDENCE_PATH, evidence))
    app.router.routes.extend(pages)
    # Before the layers that pages need: every delivery would pass them for nothing.
    secrets = [secret for secret in (webhook_secret, webhook_secret_previous) if secret]
    app.middleware_stack = WebhookEndpoint(app.build_middleware_stack(), inbox, secrets, bodies)
    return app


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
