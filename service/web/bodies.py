"""Bodies whose senders are not verified yet: read within a deadline, and held within limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

MIB = 1 << 20
AGAIN = "5"
"""Seconds after which what failed here may be tried again."""


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 (an answer, not a failure of ours)
    """An answer other than 202, with the reason that the sender sees; GitHub shows it with the delivery."""

    status: int
    reason: str

    @property
    def headers(self) -> dict[str, str]:
        """The connection ends with it, so that nobody reads the rest of a refused body."""
        again = {"Retry-After": AGAIN} if self.status == 503 else {}  # noqa: PLR2004 (HTTP's)
        return {"Connection": "close", **again}


@dataclass(frozen=True, slots=True)
class Limits:
    """What bodies may take in one process while their senders are unverified. Nobody configures these; tests
    set smaller ones.
    """

    held: int = 96 * MIB
    """Bytes of all bodies together."""
    reserve: int = 16 * MIB
    """How much of it only small bodies may take: GitHub's are, and large ones must not keep them out."""
    small: int = MIB
    peer: int = 26 * MIB
    """Bytes of all bodies of one sender: three who send slowly leave room for a fourth."""
    seconds: float = 10.0
    """For a request's head, and for its body; GitHub waits no longer for an answer."""


USUAL_LIMITS = Limits()


@dataclass(slots=True)
class Bodies:
    """The bodies that one process is receiving."""

    limits: Limits = USUAL_LIMITS
    _held: int = 0
    _large: int = 0
    _by_peer: Counter[str] = field(default_factory=Counter)

    def take(self, peer: str, size: int, *, small: bool) -> bool:
        """Count more bytes of a body; False where there is no room for them."""
        fits = (
            self._held + size <= self.limits.held
            and (small or self._large + size <= self.limits.held - self.limits.reserve)
            and self._by_peer[peer] + size <= self.limits.peer
        )
        if fits:
            self._count(peer, size, small=small)
        return fits

    def give_back(self, peer: str, size: int, *, small: bool) -> None:
        """The bytes of a body are no longer held, or its sender is verified."""
        self._count(peer, -size, small=small)
        if not self._by_peer[peer]:
            del self._by_peer[peer]

    def _count(self, peer: str, size: int, *, small: bool) -> None:
        self._held += size
        self._large += 0 if small else size
        self._by_peer[peer] += size


class Body:
    """One body; what is held of it counts until the end of the `with` block."""

    def __init__(self, bodies: Bodies, scope: Scope, largest: int) -> None:
        self._bodies, self._largest = bodies, largest
        self._length = dict(scope["headers"]).get(b"content-length", b"")
        self._peer = _peer(scope["client"][0] if scope.get("client") else "")
        self._small = False
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bodies.give_back(self._peer, self._held, small=self._small)

    async def read(self, receive: Receive) -> bytes:
        """The whole body; raises `Refusal` as soon as it is too large, too slow, or one too many."""
        if not self._length.isdigit():
            raise Refusal(411, "the header Content-Length is missing")
        if len(self._length) > len(str(self._largest)) or int(self._length) > self._largest:
            raise self._too_large
        self._small = int(self._length) <= self._bodies.limits.small
        try:
            async with asyncio.timeout(self._bodies.limits.seconds):
                return await self._read(receive)
        except TimeoutError as error:
            within = f"{self._bodies.limits.seconds:.0f} seconds"
            raise Refusal(408, f"the body did not arrive within {within}") from error

    async def _read(self, receive: Receive) -> bytes:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            self._take(len(chunk))
            body += chunk
            more = message.get("more_body", False)
        return bytes(body)

    def _take(self, size: int) -> None:
        if self._held + size > self._largest:
            raise self._too_large
        if not self._bodies.take(self._peer, size, small=self._small):
            raise Refusal(503, "too much is being received at the moment; send it again later")
        self._held += size

    @property
    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body is larger than {self._largest // MIB} MB")


@lru_cache(maxsize=4096)
def _peer(address: str) -> str:
    """Who sends: the address, or the network of 64 bits in which one sender has all IPv6 addresses."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    return str(ip.ipv4_mapped or ip.packed[:8].hex())
