"""What the stand-in's topics share: the emulator behind it, asked as a person or as the app."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.demo.emulator import Emulator
from tests.harness.webhooks import PLAIN

HOP_BY_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})
TEXTS = ("application/json", "text/html", "application/x-www-form-urlencoded")
PAGE = 100


@dataclass
class Emulated:
    """The emulator, and where the stand-in itself is reached."""

    emulator: Emulator
    url: str
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(trust_env=False, verify=PLAIN, timeout=60)
    )

    async def forward(self, request: Request, *, token: str = "") -> Response:
        """Let the emulator answer; with `token` as that of whoever asks."""
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        if token:
            headers["authorization"] = f"Bearer {token}"
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = await self.http.request(
            request.method, f"{self.emulator.api_url}{path}", headers=headers, content=await request.body()
        )
        made = Response(self.renamed(answer), answer.status_code)
        for name, value in answer.headers.multi_items():
            if name not in {*HOP_BY_HOP, "content-encoding"}:
                made.headers.append(name, value.replace(self.emulator.api_url, self.url))
        return made

    def renamed(self, answer: httpx.Response) -> bytes:
        """Its body, whose addresses are ours."""
        if not answer.headers.get("content-type", "").startswith(TEXTS):
            return answer.content
        theirs, ours = (url.removeprefix("http://").encode() for url in (self.emulator.api_url, self.url))
        return answer.content.replace(theirs, ours)

    async def get(self, path: str, token: str, **query: object) -> Any:
        """What it answers somebody; None where it refuses."""
        headers = {"Authorization": f"Bearer {token}"}
        params = {name: str(value) for name, value in query.items()}
        answer = await self.http.get(f"{self.emulator.api_url}{path}", headers=headers, params=params)
        return httpx.Response(200, content=self.renamed(answer)).json() if answer.is_success else None

    async def listed(self, path: str, token: str, **query: object) -> AsyncIterator[Any]:
        """All that a list holds, or what was found."""
        number, page = 0, [None] * PAGE
        while len(page) == PAGE:
            number += 1
            answer = await self.get(path, token, per_page=PAGE, page=number, **query) or []
            page = answer["items"] if isinstance(answer, dict) else answer
            for each in page:
                yield each

    def as_app(self) -> str:
        """A token of the app itself."""
        now = int(time.time())
        claims = {"iss": str(self.emulator.app_id), "iat": now - 60, "exp": now + 300}
        return jwt.encode(claims, self.emulator.private_key, "RS256")


def emulated(request: Request) -> Emulated:
    """The emulator behind a request."""
    found = request.app.state.emulated
    assert isinstance(found, Emulated)
    return found


def bearer(request: Request) -> str:
    """The token of a request; empty where it has none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "token"} else ""


async def form(request: Request) -> Mapping[str, str]:
    """The fields of a form."""
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


def refusal(status: int, message: str) -> Response:
    """A refusal as GitHub words it."""
    says = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return JSONResponse(says, status)


def paged(request: Request, name: str, found: list[Any], **more: object) -> Response:
    """A page of a list as GitHub answers it."""
    size = min(int(request.query_params.get("per_page", "30")), PAGE)
    number = int(request.query_params.get("page", "1"))
    shown = found[(number - 1) * size : number * size]
    headers = {}
    if number * size < len(found):
        following = request.url.include_query_params(per_page=size, page=number + 1)
        headers["Link"] = f'<{following}>; rel="next"'
    return JSONResponse({"total_count": len(found), **more, name: shown}, headers=headers)
