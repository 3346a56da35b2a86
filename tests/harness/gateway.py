"""A recording reverse proxy whose answers can be made to fail, for GitHub's API and for its webhooks."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.harness.webhooks import PLAIN

NOT_FORWARDED = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    cut: bool = False
    """Whether the connection ends in the middle of the body."""


@dataclass(frozen=True)
class Call:
    """One request as it passed, and the status that it was answered with; 0 where it got no answer."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    status: int

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


Forward = Callable[[], Answer]
Fault = Callable[[Forward], Answer | None]
"""Answers in the target's stead; None drops the connection without an answer."""


@dataclass(slots=True)
class Rule:
    """Which requests fail, and how; `left` says how many more of them."""

    method: str
    path: re.Pattern[str]
    fault: Fault
    left: int
    body: bytes = b""

    def matches(self, method: str, path: str, body: bytes) -> bool:
        return (
            self.left > 0
            and method == self.method
            and bool(self.path.search(path))
            and (not self.body or self.body in body)
        )


class Gateway:
    """Forwards to `target` on a port of its own; `rename` puts its address in answers for the target's."""

    def __init__(self, target: str, *, rename: bool) -> None:
        self._target = target
        self._client = httpx.Client(base_url=target, timeout=60, trust_env=False, verify=PLAIN)
        self._rename = rename
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._rules: list[Rule] = []
        self.weather: Callable[[str, str], Fault | None] = lambda _method, _path: None
        """What befalls a request that no rule is about."""
        self._server, self._thread = self._listen(0)
        self.port: int = self._server.server_port
        self.url = f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._client.close()

    def calls(self) -> list[Call]:
        """Every call so far that got its answer, in the order of the answers."""
        with self._lock:
            return list(self._calls)

    def count(self) -> int:
        """How many calls got their answer so far."""
        return len(self._calls)

    def calls_from(self, number: int) -> list[Call]:
        """Those behind so many others."""
        with self._lock:
            return self._calls[number:]

    def fail(self, method: str, path: str, fault: Fault, *, times: int = 1, body: bytes = b"") -> Rule:
        """Let the next requests fail whose path matches; `body` is to be found in the request's.

        Of several that match a request, the newest applies.
        """
        rule = Rule(method, re.compile(path), fault, times, body)
        with self._lock:
            self._rules.insert(0, rule)
        return rule

    @contextmanager
    def away(self) -> Iterator[None]:
        """Refuse connections for a while."""
        self._stop()
        try:
            yield
        finally:
            self._server, self._thread = self._listen(self.port)

    def pass_on(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        forward = self._forward(method, path, headers, body)
        rule = self._rule(method, path, body)
        fault = rule.fault if rule else self.weather(method, path)
        answer = fault(forward) if fault else forward()
        parts = urlsplit(path)
        status = answer.status if answer else 0
        with self._lock:
            self._calls.append(Call(method, parts.path, parse_qs(parts.query), headers, body, status))
        return answer

    def _forward(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Forward:
        kept = {name: value for name, value in headers.items() if name not in NOT_FORWARDED}

        def forward() -> Answer:
            answer = self._client.request(method, path, headers=kept, content=body)
            content = answer.content
            if self._rename:
                theirs = self._target.removeprefix("http://").encode()
                content = content.replace(theirs, f"localhost:{self.port}".encode())
            names = ("content-type", "link", "x-ratelimit-remaining", "x-ratelimit-reset")
            shown = {name: answer.headers[name] for name in names if name in answer.headers}
            if self._rename and "link" in shown:
                shown["link"] = shown["link"].replace(self._target, self.url)
            return Answer(answer.status_code, content, shown)

        return forward

    def _rule(self, method: str, path: str, body: bytes) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.matches(method, path, body):
                    rule.left -= 1
                    return rule
        return None

    def _listen(self, port: int) -> tuple[_Server, threading.Thread]:
        server = _Server(("127.0.0.1", port), self)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        return server, thread

    def _stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], gateway: Gateway) -> None:
        self.gateway = gateway
        self._accepted: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted, address = super().get_request()
        self._accepted.add(accepted)
        return accepted, address

    def shutdown_request(self, request: Any) -> None:
        self._accepted.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for accepted in tuple(self._accepted):
            with suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """A peer that hung up is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.gateway.pass_on(self.command, self.path, headers, body)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.cut:
            self.close_connection = True
            self.wfile.write(answer.body[: len(answer.body) // 2])
            return
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815 (the names that http.server asks for)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def lost(forward: Forward) -> Answer:
    """GitHub does it, and the answer gets lost behind a bad gateway."""
    forward()
    return Answer(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"})


def says(status: int, message: str = "", **headers: str) -> Fault:
    """Answer so without asking GitHub."""
    body = json.dumps({"message": message}).encode()
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Answer(status, body, {"Content-Type": "application/json"} | shown)


def swallow(_: Forward) -> Answer:
    """Take a webhook and tell nobody."""
    return Answer(202, b"")


def amended(**fields: object) -> Fault:
    """Answer as GitHub does, but for these fields: a state that the emulator cannot be in."""

    def amend(forward: Forward) -> Answer:
        answer = forward()
        return Answer(answer.status, json.dumps(json.loads(answer.body) | fields).encode())

    return amend


class Hang:
    """Takes a request, hands it on if it is to be `done`, and says nothing until it is over."""

    def __init__(self, *, done: bool) -> None:
        self.reached, self.over = threading.Event(), threading.Event()
        self._done = done

    def __call__(self, forward: Forward) -> Answer | None:
        if self._done:
            forward()
        self.reached.set()
        self.over.wait()
        return None
