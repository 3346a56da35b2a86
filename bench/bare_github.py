"""A GitHub on which no repository has a charter and no branch has rules, with as little work as can be.

It runs in a thread of its own. Each call that is not about one of these is answered 404 and told at the end.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import uvloop

from bench.payloads import repository_id
from bench.servers import free_port

_ABOUT = re.compile(r'(r\d+): repository\(owner: "[^"]+", name: "([^"]+)"\)')
_NOT_FOUND: Any = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}


class BareGitHub:
    """Counts what it is asked."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.calls: Counter[str] = Counter()

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """The whole answer to a call."""
        kind, status, said = self._said(path.partition("?")[0], body)
        self.calls[f"{method} {kind}"] += 1
        text = json.dumps(said).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        return head.encode() + text

    def _said(self, path: str, body: bytes) -> tuple[str, str, Any]:
        if path == "/graphql":
            about = _ABOUT.findall(json.loads(body)["query"])
            absent = {alias: {"databaseId": repository_id(name), "object": None} for alias, name in about}
            return "GraphQL", "200 OK", {"data": absent}
        if path.endswith("/access_tokens"):
            until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            return "a token", "201 Created", {"token": "ghs_bench", "expires_at": until}
        if path.endswith("/contents/POC.md"):
            return "POC.md", "404 Not Found", _NOT_FOUND
        if "/rules/branches/" in path or path == "/app/hook/deliveries":
            return re.sub(r"^/repos/[^/]+/[^/]+", "", path), "200 OK", []
        return path, "404 Not Found", _NOT_FOUND


class _Connection(asyncio.Protocol):
    def __init__(self, github: BareGitHub) -> None:
        self._github, self._said = github, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._said += data
        while b"\r\n\r\n" in self._said:
            head, _, rest = self._said.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                return
            body, self._said = rest[:size], rest[size:]
            method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
            self._transport.write(self._github.answer(method, path, body))


@contextmanager
def bare_github() -> Iterator[BareGitHub]:
    """Listen while the `with` block lasts."""
    port = free_port()
    github, ready = BareGitHub(port), threading.Event()

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(github), "127.0.0.1", port)
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: uvloop.run(listen()), daemon=True).start()
    ready.wait()
    yield github
