"""Sessions: a random id in a cookie, its hash in the database, and a proof on every write that a page of ours
sent it; and who looks at the pages, what they may see, and who sends a form.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
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


HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks, and the repositories that they may see; None for all."""

    login: str
    visible: Collection[int] | None
    rows_only: Collection[int] = ()
    """Those of which they may see rows without texts."""
    open: bool = False
    """Whether nobody logs in, on this machine."""
    id: int = 0
    """Of their account."""
    csrf: str = ""
    """What proves that a form is from a page of theirs; empty where they can't write."""
    whole: bool = True
    """Whether GitHub has said of all POCs by now whether they see them."""


class CannotTellError(Exception):
    """GitHub can't say for now what somebody may see."""


class Access(Protocol):
    """Who a request comes from, and what they may see."""

    off: str
    """Why somebody sees nothing here; empty where they only have to log in."""

    async def person(self, request: Request) -> Visitor | None:
        """Who it is, and nothing of what they may see; None where nobody is logged in."""

    async def visitor(self, request: Request) -> Visitor | None:
        """Who it is, with what they may see; None where nobody is logged in."""

    async def may_read(self, visitor: Visitor, repository_id: int) -> bool:
        """Whether they may see all of one POC, asked now."""


class Closed:
    """No pages: what is missing is said on the front page."""

    def __init__(self, off: str) -> None:
        self.off = off

    async def person(self, _request: Request) -> Visitor | None:
        """Nobody."""
        return None

    visitor = person

    async def may_read(self, _visitor: Visitor, _repository_id: int) -> bool:
        """Nothing."""
        return False


class OpenHere:
    """Everything to everybody on this machine, whose GitHub is an emulator."""

    off = "nobody can log in, so they are open to this machine alone. Open them on it, at `localhost`."

    async def person(self, request: Request) -> Visitor | None:
        """Somebody at this machine."""
        return await self.visitor(request)

    async def visitor(self, request: Request) -> Visitor | None:
        """Somebody at this machine: no other site's name leads a browser here."""
        return Visitor("", None, open=True) if request.url.hostname in HERE else None

    async def may_read(self, _visitor: Visitor, _repository_id: int) -> bool:
        """Everything."""
        return True


async def sent_by(request: Request, access: Access, cookies: Cookies) -> tuple[Visitor, dict[str, str]]:
    """Who sends a form of ours, and its fields; raises `NotFromUsError`.

    Whoever has no session, as with a personal token, writes nothing, and their body is not even read.
    """
    visitor = await access.person(request)
    if visitor is None or not visitor.csrf:
        raise NotFromUsError
    return visitor, await written(request, cookies.read(request, "session"), cookies.public_url)
