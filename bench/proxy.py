"""A proxy before the emulator that notes each call: who made it, what it was, when it was answered.

It runs in a thread of its own and passes on every byte as it came.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from http.client import CREATED
from typing import Any, Self

import uvloop

_HEAD_END = b"\r\n\r\n"
_LIMIT = 1 << 24


@dataclass(frozen=True, slots=True)
class Call:
    """One call of GitHub's API, and when its answer had passed."""

    method: str
    path: str
    agent: str
    status: int
    at: float
    commit: str
    """The commit and the name of the check run, where the call makes one."""
    check: str

    @property
    def is_probots(self) -> bool:
        """Whose it was, by the user agent that it gave."""
        return "probot" in self.agent


class Proxy:
    """Listens while the `with` block lasts."""

    def __init__(self, port: int, target: int) -> None:
        self._port, self._target = port, target
        self._calls: list[Call] = []
        self._runs: dict[tuple[bool, str], dict[str, float]] = {}
        self._started, self._changed = threading.Event(), threading.Condition()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._listen()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """The thread ends with the process."""

    def calls(self, begin: int = 0) -> list[Call]:
        """Every call from a place in their order."""
        return self._calls[begin:]

    def completed(
        self, commit: str, names: AbstractSet[str], *, by_probot: bool, within: float
    ) -> float | None:
        """When the last of these check runs was visible, completed; None if not `within` so many seconds."""
        key = (by_probot, commit)
        with self._changed:
            if not self._changed.wait_for(lambda: names <= self._runs.get(key, {}).keys(), within):
                return None
            return max(self._runs[key][name] for name in names)

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._pass_on, "localhost", self._port, limit=_LIMIT)
        self._started.set()
        async with server:
            await server.serve_forever()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target, limit=_LIMIT)
        try:
            while True:
                head, body = await _message(reader)
                to_writer.write(head + body)
                answer_head, answer_body = await _message(to_reader)
                writer.write(answer_head + answer_body)
                self._note(head, body, int(answer_head[9:12]))
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # one of the two has closed its end
        finally:
            writer.close()
            to_writer.close()

    def _note(self, head: bytes, body: bytes, status: int) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        said: dict[str, Any] = {}
        if method in ("POST", "PATCH") and "/check-runs" in path:
            said = json.loads(body)
        done = said.get("status") == "completed" or "conclusion" in said
        call = Call(
            method=method,
            path=path,
            agent=_field(head, b"user-agent").lower(),
            status=status,
            at=time.perf_counter(),
            commit=said.get("head_sha", ""),
            check=said.get("name", "") if done else "",
        )
        with self._changed:
            self._calls.append(call)
            if call.check and status == CREATED:
                self._runs.setdefault((call.is_probots, call.commit), {})[call.check] = call.at
            self._changed.notify_all()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One request or answer, as bytes."""
    head = await reader.readuntil(_HEAD_END)
    if length := _field(head, b"content-length"):
        return head, await reader.readexactly(int(length))
    if _field(head, b"transfer-encoding").lower() != "chunked":
        return head, b""
    body = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        chunk = await reader.readexactly(int(size, 16) + 2)
        body += size + chunk
        if int(size, 16) == 0:
            return head, body


def _field(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip().decode()
    return ""
