"""Sessions: a random id in a cookie, its hash in the database, and a proof on every write that a page of ours
sent it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

LASTS = timedelta(days=7)
"""After this somebody logs in again."""
PREFIX = "pocg_"
"""How personal tokens begin, so that scanners for secrets can know them."""
LARGEST_FORM = 16 * 1024
PATIENCE = 10.0
"""Seconds that a form has to arrive."""
SAME_SITE = ("same-origin", "none")


class NotFromUsError(Exception):
    """A write that no page of ours has sent."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """How cookies of this service are named and sent: only over TLS, but for loopback."""

    public_url: str

    @property
    def is_secure(self) -> bool:
        """Whether the pages are behind TLS."""
        return self.public_url.startswith("https://")

    def name(self, what: str) -> str:
        """A cookie's name; browsers take one that begins so only from this very host, and over TLS."""
        return f"__Host-poc-governor-{what}" if self.is_secure else f"poc-governor-{what}"

    def set(self, answer: Response, what: str, value: str, lasts: timedelta) -> None:
        """Let the browser keep it."""
        answer.set_cookie(
            self.name(what),
            value,
            max_age=int(lasts.total_seconds()),
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def clear(self, answer: Response, what: str) -> None:
        """Let the browser forget it."""
        answer.delete_cookie(self.name(what), path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def read(self, request: Request, what: str) -> str:
        """What the browser kept; empty for nothing."""
        return request.cookies.get(self.name(what), "")


def new_session() -> str:
    """The id of a session; whoever has it is logged in."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> bytes:
    """What is stored of a random secret."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_token(session: str) -> str:
    """What our pages put into their forms, and nobody else knows."""
    made = hmac.digest(session.encode(), b"form", "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


async def written(request: Request, session: str, public_url: str) -> dict[str, str]:
    """The fields of a form that one of our pages has sent in this session; raises `NotFromUsError`."""
    if request.headers.get("sec-fetch-site", "none") not in SAME_SITE:
        raise NotFromUsError
    parts = urlsplit(public_url)
    # Pages without a referrer say `null`.
    if request.headers.get("origin", "null") not in ("null", f"{parts.scheme}://{parts.netloc}"):
        raise NotFromUsError
    if not session:
        raise NotFromUsError
    try:
        body = (await form_of(request, LARGEST_FORM)).decode()
        fields = {name: values[0] for name, values in parse_qs(body).items()}
    except (ValueError, TimeoutError, ClientDisconnect) as error:
        raise NotFromUsError from error
    if not hmac.compare_digest(fields.get("csrf", "").encode(), csrf_token(session).encode()):
        raise NotFromUsError
    return fields


async def form_of(request: Request, largest: int) -> bytes:
    """The body of a form; raises `NotFromUsError` where it is larger, and `TimeoutError`."""
    body = b""
    async with asyncio.timeout(PATIENCE):
        async for part in request.stream():
            body += part
            if len(body) > largest:
                raise NotFromUsError
    return body
