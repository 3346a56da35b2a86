"""POST /webhooks/github: verify the signature over the raw bytes, record, answer 202 after the commit."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import cache

import structlog
from prometheus_client import Counter
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.inbox import Inbox, NotStoredError

log = structlog.get_logger(__name__)

PATH = "/webhooks/github"
LARGEST_BODY = 25 * 1024 * 1024
"""Bytes; GitHub delivers nothing larger."""
LONGEST_HEADER = 200
ANSWERS = Counter("poc_governor_deliveries", "Webhook deliveries by answer", ["event", "status"])


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 (an answer, not a failure of ours)
    """An answer other than 202, with the reason that GitHub shows on the app's deliveries page."""

    status: int
    reason: str


class WebhookEndpoint:
    """ASGI middleware that answers deliveries itself: every delivery passes here, and no other layer."""

    def __init__(self, app: ASGIApp, inbox: Inbox, secret: str) -> None:
        self._app = app
        self._inbox = inbox
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery; what is none goes on to the application."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        event = "unknown"
        try:
            event = await self._record(scope, receive)
            response = _RECORDED
        except Refusal as refusal:
            response = PlainTextResponse(f"{refusal.reason}\n", refusal.status)
        except ClientDisconnect:
            return
        _answers(event, response.status_code).inc()
        await response(scope, receive, send)

    async def _record(self, scope: Scope, receive: Receive) -> str:
        """Record a delivery and return its event; nothing of it is read before its signature is verified."""
        if scope["method"] != "POST":
            raise Refusal(405, "deliveries come by POST")
        headers = dict(scope["headers"])
        body = await _read(headers, receive)
        if not self._is_signed(body, headers.get(b"x-hub-signature-256", b"")):
            raise Refusal(401, "X-Hub-Signature-256 is missing or does not match the webhook's secret")
        event, delivery_id = _header(headers, "X-GitHub-Event"), _header(headers, "X-GitHub-Delivery")
        try:
            await self._inbox.record(delivery_id, event, body)
        except ValueError as error:
            raise Refusal(400, f"the body is not the JSON of a {event} event: {error}") from error
        except NotStoredError as error:
            raise Refusal(503, f"not stored: {error}; deliver again later") from error
        return event

    def _is_signed(self, body: bytes, signature: bytes) -> bool:
        expected = "sha256=" + hmac.digest(self._secret, body, "sha256").hex()
        return hmac.compare_digest(expected.encode(), signature)


_RECORDED = PlainTextResponse("recorded\n", 202)


@cache
def _answers(event: str, status: int) -> Counter:
    """The counter of an answer; events are those of verified deliveries, so there are few."""
    return ANSWERS.labels(event, str(status))


async def _read(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """The raw body, given up as soon as it is too large."""
    too_large = Refusal(413, "the body is larger than 25 MB")
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise too_large
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            raise too_large
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _header(headers: dict[bytes, bytes], name: str) -> str:
    value = headers.get(name.lower().encode(), b"").decode("latin-1")
    if not value or len(value) > LONGEST_HEADER or not value.isprintable():
        raise Refusal(400, f"the header {name} is missing or malformed")
    return value
