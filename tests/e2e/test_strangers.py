"""Strangers flood the port over real HTTP: memory stays bounded, and GitHub's deliveries still come in."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.rules.setup.manifest import PUBLIC_GITHUB
from service.web.app import security_headers
from service.web.bodies import MIB, USUAL_LIMITS
from service.web.connection import LARGEST_HEAD
from tests.harness.processes import Serve, inherited, quick_folder, serving
from tests.harness.program import DEADLINE, PROGRAM
from tests.harness.settings import NEEDED
from tests.harness.webhooks import PLAIN, SECRET

SECONDS = 1.5
FORGED = "sha256=" + "0" * 64
PUSH: dict[str, Any] = {
    "ref": "refs/heads/other",
    "after": "a" * 40,
    "installation": {"id": 1},
    "repository": {"id": 7, "full_name": "acme/poc-elsewhere"},
}


@pytest.fixture(scope="module")
def serve(module_database_url: str) -> Iterator[Serve]:
    """One process of the web, without a worker."""
    with quick_folder() as folder:
        env = inherited() | NEEDED | {"GITHUB_WEBHOOK_SECRET": SECRET, "DATABASE_URL": module_database_url}
        env |= {"WEB_PROCESSES": "1", DEADLINE: str(SECONDS)}
        with serving(folder / "log", env, "--no-worker", program=PROGRAM) as running:
            yield running
            assert "Traceback" not in running.said


def connect(serve: Serve) -> socket.socket:
    host, _, port = serve.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(*, length: int, peer: str, signature: str = FORGED) -> bytes:
    return (
        "POST /webhooks/github HTTP/1.1\r\nHost: governor\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: 1\r\n"
        f"X-Forwarded-For: {peer}\r\nContent-Length: {length}\r\nX-Hub-Signature-256: {signature}\r\n\r\n"
    ).encode()


def answer(connection: socket.socket) -> str:
    """The status of the answer; nothing where the connection ended without one."""
    with suppress(OSError, HTTPException), HTTPResponse(connection) as response:
        response.begin()
        response.read()
        return str(response.status)
    return ""


def stall(serve: Serve, *, length: int, sent: int, peer: str) -> str:
    """Send a part of a body and then nothing more."""
    with connect(serve) as connection:
        with suppress(OSError):
            connection.sendall(head(length=length, peer=peer) + bytes(sent))
        return answer(connection)


def memory(serve: Serve, figure: str) -> int:
    """A figure of the process's memory, in MiB."""
    status = Path(f"/proc/{serve.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(figure))
    return int(line.split()[1]) // 1024


def flooding(count: int, send: Callable[[int], str]) -> tuple[ThreadPoolExecutor, list[Any]]:
    pool = ThreadPoolExecutor(count)
    return pool, [pool.submit(send, n) for n in range(count)]


def test_forty_large_bodies_of_strangers_take_bounded_memory_and_keep_nobody_out(serve: Serve) -> None:
    Path(f"/proc/{serve.pid}/clear_refs").write_text("5")  # VmHWM begins anew
    before = memory(serve, "VmRSS")
    pool, sent = flooding(40, lambda n: stall(serve, length=25 * MIB, sent=24 * MIB, peer=f"198.51.100.{n}"))
    with pool:
        taken = []
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            began = time.monotonic()
            taken.append(serve.deliver("push", PUSH))
            assert time.monotonic() - began < 5
    answers = [one.result() for one in sent]
    grown = memory(serve, "VmHWM") - before
    assert set(taken) == {202}
    assert set(answers) <= {"408", "503", ""}
    assert "408" in answers
    assert grown <= 2 * USUAL_LIMITS.held // MIB, f"{before} MiB before, {grown} MiB more at most"


def test_a_stranger_behind_the_proxy_is_told_from_github(serve: Serve) -> None:
    """All come over one address, the proxy's; who sends stands in X-Forwarded-For."""
    pool, sent = flooding(30, lambda _: stall(serve, length=MIB, sent=MIB - 1, peer="198.51.100.1"))
    with pool:
        time.sleep(SECONDS / 4)
        assert serve.deliver("push", PUSH) == 202
    answers = [one.result() for one in sent]
    assert answers.count("503") >= 30 - USUAL_LIMITS.peer // MIB - 1
    assert answers.count("408") >= 20


def test_without_a_signature_or_a_length_nothing_is_read(serve: Serve) -> None:
    unsigned = head(length=25 * MIB, peer="198.51.100.1", signature="")
    unmeasured = head(length=0, peer="198.51.100.1").replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked"
    )
    for sent, status in ((unsigned, "401"), (unmeasured, "411")):
        with connect(serve) as connection:
            began = time.monotonic()
            connection.sendall(sent)
            assert answer(connection) == status
            assert connection.recv(4096) is not None
            assert time.monotonic() - began < SECONDS / 2


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n", id="an empty line"),
        pytest.param(b"POST /webhooks/git", id="half a line"),
        pytest.param(b"POST /webhooks/github HTTP/1.1\r\nHost: governor\r\nX-A", id="half of its headers"),
    ],
)
def test_a_head_that_does_not_end_is_given_up(serve: Serve, begin: bytes) -> None:
    with connect(serve) as connection:
        connection.sendall(begin)
        dripping = threading.Event()

        def drip() -> None:
            while not dripping.wait(0.2):
                with suppress(OSError):
                    connection.sendall(b"\r\n" if begin in (b"", b"\r\n") else b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        status = answer(connection)
        dripping.set()
        thread.join()
    assert status in ("400", "")
    assert SECONDS / 2 < time.monotonic() - began < 2 * SECONDS


def test_a_head_without_end_is_given_up(serve: Serve) -> None:
    with connect(serve) as connection:
        with suppress(OSError):
            connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
            for _ in range(64):
                connection.sendall(b"a" * LARGEST_HEAD)
        assert answer(connection) in ("400", "")


def test_an_answer_to_a_body_that_is_refused_unread_arrives_and_the_rest_is_thrown_away(serve: Serve) -> None:
    """As workflows send evidence: their clients read no answer before all is sent."""
    sent = b"POST /api/v1/evidence HTTP/1.1\r\nHost: governor\r\nContent-Length: 99999999\r\n\r\n"
    with connect(serve) as connection:
        connection.sendall(sent + bytes(5 * MIB))
        assert answer(connection) == "401"
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 3 * SECONDS:
                connection.sendall(bytes(100))
                time.sleep(0.1)
        assert time.monotonic() - began < 2 * SECONDS


def test_the_next_request_of_a_connection_has_its_own_deadline(serve: Serve) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: governor\r\n\r\n"
    with connect(serve) as connection:
        for pause in (SECONDS * 0.7, SECONDS * 0.7, 0):
            connection.sendall(get)
            assert answer(connection) == "200"
            time.sleep(pause)
        connection.sendall(get + get[:9])
        assert answer(connection) == "200"
        began = time.monotonic()
        assert answer(connection) in ("400", "")
        assert SECONDS / 2 < time.monotonic() - began < 2 * SECONDS


ANSWERS = [
    *(("GET", path) for path in ("/", "/healthz", "/readyz", "/metrics", "/schema/poc-1.json", "/none")),
    ("GET", "/webhooks/github"),
    ("POST", "/webhooks/github"),
    ("POST", "/api/v1/evidence"),
    ("DELETE", "/healthz"),
]


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_every_answer_has_each_security_header_once(serve: Serve, method: str, path: str) -> None:
    answer = httpx.request(method, f"{serve.url}{path}", trust_env=False, verify=PLAIN)
    for name, value in security_headers(NEEDED["PUBLIC_URL"], PUBLIC_GITHUB):
        assert answer.headers.get_list(name) == [value]


def test_an_answer_to_what_is_no_http_has_them_too(serve: Serve) -> None:
    with connect(serve) as connection:
        connection.sendall(b"what is this?\r\n\r\n")
        said = connection.recv(4096).decode()
    assert said.startswith("HTTP/1.1 400")
    assert all(
        f"{name.lower()}: {value}" in said
        for name, value in security_headers(NEEDED["PUBLIC_URL"], PUBLIC_GITHUB)
    )


def test_a_browser_stays_on_https_only_where_the_service_has_it() -> None:
    names = [
        dict(security_headers(url, PUBLIC_GITHUB)) for url in ("https://g.acme.dev", "http://localhost:8080")
    ]
    assert ["Strict-Transport-Security" in each for each in names] == [True, False]
