"""Deliveries as GitHub signs and sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import uuid

import httpx

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak plain HTTP: httpx's own context reads all certificates, which takes a while."""
SECRET = "the webhook's secret"


def signature(body: bytes, secret: str) -> str:
    """What GitHub sends as `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def delivery_id() -> str:
    """A new `X-GitHub-Delivery`."""
    return str(uuid.uuid4())


def signed(event: str, body: bytes, delivery: str = "", *, secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery; without an id it is a new one."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or delivery_id(),
        "X-GitHub-Hook-ID": "501928374",
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature-256": signature(body, secret),
    }


def deliver(
    url: str,
    event: str,
    payload: object,
    *,
    secret: str = SECRET,
    delivery: str = "",
    client: httpx.Client | None = None,
) -> httpx.Response:
    """Deliver to a service; `payload` is JSON, or the body itself as bytes.

    Without a client it goes over a connection of its own.
    """
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = signed(event, body, delivery, secret=secret)
    address = f"{url}/webhooks/github"
    if client:
        return client.post(address, content=body, headers=headers)
    return httpx.post(address, content=body, headers=headers, trust_env=False, verify=PLAIN, timeout=20)
