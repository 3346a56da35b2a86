"""The pages over HTTP on this machine, for browsers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine
from starlette.applications import Starlette

from service.config.secret_key import SecretKeys
from service.demo.emulator import free_port
from service.store.database import Database
from service.store.portfolio import Portfolio
from service.web.app import security_headers
from service.web.badge import Badges
from service.web.pages import Pages, Shown
from service.web.sessions import Access, OpenHere
from tests.harness.portfolio import NOW
from tests.harness.waiting import eventually


@contextmanager
def served(app: Starlette, port: int, public_url: str, certificate: Path | None = None) -> Iterator[None]:
    """An application on a port, with the headers of the service; over TLS with a certificate."""
    config = uvicorn.Config(
        app,
        port=port,
        headers=security_headers(public_url, "https://github.com"),
        log_level="error",
        ssl_certfile=certificate,
    )
    web = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(web.serve()))
    thread.start()
    try:
        eventually(lambda: web.started, "the pages are served")
        yield
    finally:
        web.should_exit = True
        thread.join()


@contextmanager
def pages_served(engine: Engine, access: Access | None = None) -> Iterator[str]:
    """The address of the pages over a database, where nobody logs in."""
    port = free_port()
    address = f"http://localhost:{port}"
    shown = Shown("https://github.com", observe=False, evidence_level="self-reported", clock=lambda: NOW)
    store = Portfolio(Database(engine))
    badges = Badges(store, address, SecretKeys("a key of thirty-two characters or more"))
    app = Starlette(routes=Pages(store, access or OpenHere(), shown, badges).routes())
    with served(app, port, address):
        yield address


def certificate_of_localhost(folder: Path) -> Path:
    """A file with a key and a certificate that nobody but the test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file
