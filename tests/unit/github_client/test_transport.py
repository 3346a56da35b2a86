"""Connections outlive the clients that use them, and do as the environment says: against real servers."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client import REGISTRY

from service.github_client import transport
from service.github_client.transport import CALLED_FOR, KEPT, MovedError, UnfinishedError
from tests.harness.pages_served import certificate_of_localhost

ELSEWHERE = "github.example.com"


class Wire:
    """An HTTP server that keeps connections open, and remembers which one each request came by."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.status, self.headers, self.body = 200, dict[str, str](), b"{}"
        self.asked: list[tuple[str, Message, tuple[str, int]]] = []
        self.hangs_up, self.hung_up, self.hold = False, threading.Event(), threading.Event()
        self.silent = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.requestline, self.headers, self.client_address))
                if outer.silent:
                    outer.hold.wait(5)
                    return
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)
                self.close_connection = outer.hangs_up

            do_GET = do_POST = do_CONNECT = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                pass

        class Http(ThreadingHTTPServer):
            daemon_threads = True

            def shutdown_request(self, request: Any) -> None:
                super().shutdown_request(request)
                outer.hung_up.set()

            def handle_error(self, *_: object) -> None:
                """A client that trusts no certificate of ours hangs up."""

        self._http = Http(("127.0.0.1", 0), Handler)
        self.port = self._http.server_port
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self.hold.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture(autouse=True)
def _no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "KEPT", type(KEPT)())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", *transport.CERTIFICATES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_of_localhost(tmp_path)


@pytest.fixture
def secure(certificate: Path) -> Iterator[Wire]:
    made = Wire(certificate)
    yield made
    made.stop()


def get(
    port: int, path: str = "/app", *, host: str = "127.0.0.1", https: bool = False, **headers: str
) -> Any:
    """What PyGithub does for a call."""
    made = (transport._Https if https else transport._Http)(host, port, timeout=1)
    made.request("GET", path, None, headers)
    return made.getresponse()


def counted(status: str) -> float:
    labels = {"verb": "GET", "status": status, "kind": CALLED_FOR.get()}
    return REGISTRY.get_sample_value("poc_governor_github_calls_total", labels) or 0.0


def test_a_thread_keeps_its_connection(wire: Wire) -> None:
    assert [get(wire.port).read() for _ in range(3)] == ["{}"] * 3
    assert len({client for _, _, client in wire.asked}) == 1


def test_a_connection_that_the_server_closed_fails_no_call(wire: Wire) -> None:
    wire.hangs_up = True
    for _ in range(3):
        wire.hung_up.clear()
        assert get(wire.port).status == 200
        assert wire.hung_up.wait(5)
    assert len({client for _, _, client in wire.asked}) == 3


def test_one_that_was_idle_for_long_begins_anew(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    get(wire.port)
    monkeypatch.setattr(transport, "IDLE", -1.0)
    get(wire.port)
    assert len({client for _, _, client in wire.asked}) == 2


def test_nothing_of_an_answer_goes_with_the_next_request(wire: Wire) -> None:
    wire.headers = {"Set-Cookie": "session=of-another-installation; Path=/"}
    get(wire.port, Authorization="Bearer a")
    get(wire.port)
    _, headers, _ = wire.asked[1]
    assert not {"cookie", "authorization"} & {name.lower() for name in headers}


def test_an_answer_may_be_compressed(wire: Wire) -> None:
    wire.headers, wire.body = {"Content-Encoding": "gzip"}, gzip.compress('{"name": "Zoë"}'.encode())
    assert get(wire.port).read() == '{"name": "Zoë"}'
    assert "gzip" in wire.asked[0][1]["Accept-Encoding"]


def test_headers_have_small_names(wire: Wire) -> None:
    wire.headers = {"X-RateLimit-Remaining": "7"}
    assert dict(get(wire.port).getheaders())["x-ratelimit-remaining"] == "7"


def test_a_redirect_is_not_followed(wire: Wire) -> None:
    wire.status, wire.headers = 301, {"Location": "/repositories/1"}
    with pytest.raises(MovedError) as caught:
        get(wire.port)
    assert caught.value.location == "/repositories/1"
    assert len(wire.asked) == 1


def test_what_github_still_computes_is_not_waited_for(wire: Wire) -> None:
    wire.status = 202
    with pytest.raises(UnfinishedError):
        get(wire.port)


def test_nobody_listens(wire: Wire) -> None:
    wire.stop()
    before = counted("ConnectionError")
    with pytest.raises(requests.ConnectionError) as caught:
        get(wire.port)
    assert type(caught.value) is requests.ConnectionError
    assert counted("ConnectionError") == before + 1


def test_no_answer_in_time(wire: Wire) -> None:
    wire.silent = True
    before = counted("ReadTimeout")
    with pytest.raises(requests.ReadTimeout):
        get(wire.port)
    assert counted("ReadTimeout") == before + 1
    assert len(wire.asked) == 1


def test_what_is_not_compressed_as_it_says(wire: Wire) -> None:
    wire.headers, wire.body = {"Content-Encoding": "gzip"}, b"no gzip"
    with pytest.raises(requests.exceptions.ContentDecodingError):
        get(wire.port)


def test_a_certificate_of_nobody_is_refused(secure: Wire) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        get(secure.port, host="localhost", https=True)
    assert not secure.asked


@pytest.mark.parametrize("name", transport.CERTIFICATES)
def test_certificates_of_the_environment_are_trusted(
    secure: Wire, certificate: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(certificate))
    assert get(secure.port, host="localhost", https=True).status == 200


def test_a_proxy_is_asked_with_its_password(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:p%40ss@127.0.0.1:{wire.port}")
    assert get(80, host=ELSEWHERE).status == 200
    line, headers, _ = wire.asked[0]
    assert line == f"GET http://{ELSEWHERE}:80/app HTTP/1.1"
    assert headers["Proxy-Authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss


def test_a_tunnel_that_the_proxy_refuses(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{wire.port}")
    wire.status = 407
    with pytest.raises(requests.exceptions.ProxyError):
        get(443, host=ELSEWHERE, https=True)
    assert wire.asked[0][0].startswith(f"CONNECT {ELSEWHERE}:443 ")


def test_some_hosts_need_no_proxy(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    assert get(wire.port).status == 200
