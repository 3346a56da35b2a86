"""GET /schema/poc-1.json: the charter's JSON Schema, the same as `poc-governor schema` prints."""

from __future__ import annotations

from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from service.rules.charter.schema import printed

PATH = "/schema/poc-1.json"
MEDIA_TYPE = "application/schema+json"
HEADERS = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
"""Editors fetch it from anywhere; nothing in it is anybody's."""


async def schema(_request: Request) -> Response:
    """Serve it."""
    return Response(_body(), media_type=MEDIA_TYPE, headers=HEADERS)


@cache
def _body() -> bytes:
    return printed().encode()
