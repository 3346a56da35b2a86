"""An issuer of tokens as GitHub Actions has one: real HTTP, real RS256 keys, and what can go wrong there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "https://governor.acme.dev"
SHA = "5f3c0c4fd2d1b0f44a6b1b6f0b3c2a1d9e8f7a6b"
DISCOVERY, JWKS = "/.well-known/openid-configuration", "/.well-known/jwks"
MINT = "/idtoken?api-version=2.0"


@cache
def private_key(_name: str) -> rsa.RSAPrivateKey:
    """A key of that name, the same for the whole session."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def described(kid: str, **changes: Any) -> dict[str, Any]:
    """A public key as an issuer lists it."""
    key = RSAAlgorithm.to_jwk(private_key(kid).public_key(), as_dict=True)
    return key | {"kid": kid, "use": "sig", "alg": "RS256"} | changes


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


class Issuer:
    """Publishes keys and mints tokens; `answers` says what else than the truth it answers a path with."""

    def __init__(self) -> None:
        self.url = ""
        self.begin()

    def begin(self) -> None:
        """Begin anew: with one key, and asked by nobody."""
        self.keys: list[Any] = [described("first")]
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[int, bytes]:
        """What is served at a path."""
        self.asked.append(path)
        if path.startswith(MINT):
            return 200, json.dumps({"count": 1, "value": self.token()}).encode()
        if path in self.answers:
            return self.answers[path]
        documents = {
            DISCOVERY: {"issuer": self.url, "jwks_uri": f"{self.url}{JWKS}"},
            JWKS: {"keys": self.keys},
        }
        return (200, json.dumps(documents[path]).encode()) if path in documents else (404, b"")

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a token as GitHub documents them, for a push; a change to None leaves one out."""
        now = int(time.time())
        made = {
            "jti": str(uuid.uuid4()),
            "sub": "repo:acme/poc-triage:environment:support-staging",
            "aud": AUDIENCE,
            "iss": self.url,
            "nbf": now - 600,
            "iat": now,
            "exp": now + 300,
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "sha": SHA,
            "repository": "acme/poc-triage",
            "repository_id": "7",
            "repository_owner": "acme",
            "repository_owner_id": "70",
            "repository_visibility": "private",
            "run_id": "1658821493",
            "run_number": "10",
            "run_attempt": "2",
            "check_run_id": "55",
            "runner_environment": "github-hosted",
            "actor": "jane-doe",
            "actor_id": "12",
            "workflow": "measure",
            "workflow_ref": "acme/poc-triage/.github/workflows/measure.yml@refs/heads/main",
            "event_name": "push",
            "head_ref": "",
            "base_ref": "",
        } | changes
        return {name: claim for name, claim in made.items() if claim is not None}

    def token(self, kid: str = "first", /, *, signer: str = "", **changes: Any) -> str:
        """A token, signed with the key of that id, or with another one that only claims to be it."""
        return jwt.encode(self.claims(**changes), private_key(signer or kid), "RS256", {"kid": kid})

    def hmac_token(self, **changes: Any) -> str:
        """A token signed with HS256, and the public key as the secret that everybody knows."""
        secret = (
            private_key("first").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        signed = (
            f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'first'})}.{encoded(self.claims(**changes))}"
        )
        return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    def unsigned_token(self, algorithm: str = "none", **changes: Any) -> str:
        """A token that says it needs no signature."""
        header = {"alg": algorithm, "typ": "JWT", "kid": "first"}
        return f"{encoded(header)}.{encoded(self.claims(**changes))}."


@contextmanager
def issuing() -> Iterator[Issuer]:
    """A running issuer."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", body.decode())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
