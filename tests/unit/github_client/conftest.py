"""A client of a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from service.github_client.app import App, InstallationClient
from service.rules.values.github import Installation
from tests.unit.github_client.server import GRANTED, TOKEN, Server

HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    ends = (datetime.now(UTC) + HOUR).isoformat()
    made.on(TOKEN, 201, {"token": "ghs_token", "expires_at": ends})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture
def app(server: Server, private_key: str) -> App:
    return App(4711, private_key, server.url)


@pytest.fixture
def client(app: App) -> Iterator[InstallationClient]:
    made = app.installation(Installation(7, "acme", GRANTED))
    yield made
    made.close()
