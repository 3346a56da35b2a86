"""POST /webhooks/github: verify the signature over the raw bytes, record, answer 202 after the commit."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from functools import cache

import structlog
from prometheus_client import Counter
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.inbox import Inbox, NotStoredError
from service.web.bodies import MIB, Bodies, Body, Refusal

log = structlog.get_logger(__name__)

PATH = "/webhooks/github"
LARGEST_BODY = 25 * MIB
"""Bytes; GitHub delivers nothing larger."""
LONGEST_HEADER = 200
ANSWERS = Counter("poc_governor_deliveries", "Webhook deliveries by answer", ["event", "status"])


SIGNATURE = re.compile(rb"sha256=[0-9a-f]{64}")
"""What a signature looks like; without one, no body is read."""
UNSIGNED = "X-Hub-Signature-256 is missing or does not match the webhook's secret"


class WebhookEndpoint:
    """Answers deliveries itself, before any layer of the application: every delivery passes here."""

    def __init__(self, app: ASGIApp, inbox: Inbox, secrets: Sequence[str], bodies: Bodies) -> None:
        self._app = app
        self._inbox = inbox
        self._secrets = [secret.encode() for secret in secrets]
        self._bodies = bodies

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
            response = PlainTextResponse(f"{refusal.reason}\n", refusal.status, refusal.headers)
        except ClientDisconnect:
            return
        _answers(event, response.status_code).inc()
        await response(scope, receive, send)

    async def _record(self, scope: Scope, receive: Receive) -> str:
        """Record a delivery and return its event; its body is decoded once that is verified."""
        if scope["method"] != "POST":
            raise Refusal(405, "deliveries come by POST")
        headers = dict(scope["headers"])
        signature = headers.get(b"x-hub-signature-256", b"")
        if not SIGNATURE.fullmatch(signature):
            raise self._unsigned(headers)
        with Body(self._bodies, scope, LARGEST_BODY) as sent:
            body = await sent.read(receive)
            if not self._is_signed(body, signature):
                raise self._unsigned(headers)
        event, delivery_id = _header(headers, "X-GitHub-Event"), _header(headers, "X-GitHub-Delivery")
        try:
            await self._inbox.record(delivery_id, event, body)
        except ValueError as error:
            raise Refusal(400, f"the body is not the JSON of a {event} event: {error}") from error
        except NotStoredError as error:
            raise Refusal(503, f"not stored: {error}; deliver again later") from error
        return event

    def _unsigned(self, headers: dict[bytes, bytes]) -> Refusal:
        """Of what does not even say that it is a delivery nobody needs to hear."""
        if b"x-github-delivery" in headers:
            self._inbox.refuse()
        return Refusal(401, UNSIGNED)

    def _is_signed(self, body: bytes, signature: bytes) -> bool:
        """With any of the secrets; how long that takes doesn't say with which."""
        expected = ["sha256=" + hmac.digest(secret, body, "sha256").hex() for secret in self._secrets]
        return sum(hmac.compare_digest(each.encode(), signature) for each in expected) > 0


_RECORDED = PlainTextResponse("recorded\n", 202)


@cache
def _answers(event: str, status: int) -> Counter:
    """The counter of an answer; events are those of verified deliveries, so there are few."""
    return ANSWERS.labels(event, str(status))


for _status in (401, 503):
    # From 0 on: Prometheus sees an increase only of what it saw before.
    _answers("unknown", _status)


def _header(headers: dict[bytes, bytes], name: str) -> str:
    value = headers.get(name.lower().encode(), b"").decode("latin-1")
    if not value or len(value) > LONGEST_HEADER or not value.isprintable():
        raise Refusal(400, f"the header {name} is missing or malformed")
    return value
