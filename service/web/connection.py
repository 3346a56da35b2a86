"""How uvicorn listens, and its connections: requests must begin in time, who says nothing holds no place."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any, ClassVar, Self

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger(__name__)

BACKLOG = 2048
LARGEST_HEAD = 64 * 1024
"""Bytes of a request before its body; uvicorn itself would take any number."""


def listen(host: str, port: int) -> socket.socket:
    """Listen there; where that can't be done, the process ends and says why."""
    address = (host, port)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        log.error("cannot listen", address=address, error=reason)  # noqa: TRY400 (it is its own explanation)
        sys.exit(1)


def options(seconds: float, trusted_proxies: str) -> dict[str, Any]:
    """Uvicorn's, of whatever is served; a head may take so many seconds to arrive."""
    return {
        "http": Connection.within(seconds),
        "forwarded_allow_ips": trusted_proxies,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 10,
    }


class Connection(HttpToolsProtocol):
    """Ends where the head of a request, its line and headers, is too slow or too large."""

    seconds: ClassVar[float]

    _deadline: asyncio.TimerHandle | None = None
    _in_head = False
    _head = 0

    @classmethod
    def within(cls, seconds: float) -> type[Self]:
        """The class with its deadline for a head."""
        return type(cls.__name__, (cls,), {"seconds": seconds})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """The first head is waited for."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Part of a head or of a body."""
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self._refuse(f"The head of a request has at most {LARGEST_HEAD} bytes.")

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is there: what comes now is the application's."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Answered: the next head is waited for; what is left of a refused body is thrown away."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self.seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._refuse(f"The head of the request did not arrive within {self.seconds:.0f} seconds.")

    def _refuse(self, reason: str) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.send_400_response(reason)
