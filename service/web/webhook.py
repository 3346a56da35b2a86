"""POST /webhooks/github: verify the signature over the raw bytes, record, answer 202 after the commit."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import structlog
from prometheus_client import Counter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

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
    """A plain ASGI endpoint: every delivery passes here."""

    def __init__(self, inbox: Inbox, secret: str) -> None:
        self._inbox = inbox
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        request = Request(scope, receive)
        event = "unknown"
        try:
            event = await self._record(request)
            response: Response = PlainTextResponse("recorded\n", 202)
        except Refusal as refusal:
            response = PlainTextResponse(f"{refusal.reason}\n", refusal.status)
        except ClientDisconnect:
            return
        ANSWERS.labels(event, str(response.status_code)).inc()
        await response(scope, receive, send)

    async def _record(self, request: Request) -> str:
        """Record a delivery and return its event; nothing of it is read before its signature is verified."""
        body = await _read(request)
        if not self._is_signed(body, request.headers.get("x-hub-signature-256", "")):
            raise Refusal(401, "X-Hub-Signature-256 is missing or does not match the webhook's secret")
        event, delivery_id = _header(request, "X-GitHub-Event"), _header(request, "X-GitHub-Delivery")
        try:
            await self._inbox.record(delivery_id, event, body)
        except ValueError as error:
            raise Refusal(400, f"the body is not the JSON of a {event} event: {error}") from error
        except NotStoredError as error:
            raise Refusal(503, f"not stored: {error}; deliver again later") from error
        return event

    def _is_signed(self, body: bytes, signature: str) -> bool:
        expected = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode())


async def _read(request: Request) -> bytes:
    """The raw body, given up as soon as it is too large."""
    too_large = Refusal(413, "the body is larger than 25 MB")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _header(request: Request, name: str) -> str:
    value = request.headers.get(name, "")
    if not value or len(value) > LONGEST_HEADER or not value.isprintable():
        raise Refusal(400, f"the header {name} is missing or malformed")
    return value
