"""The client of the benchmark, a process of its own: keep-alive connections, one delivery after another.

    python -m bench.client PORT PATH CONNECTIONS SEED COUNT

Everything is made and signed before the clock starts. It prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import cast

import uvloop

from bench.mixed import deliveries
from bench.payloads import Delivery

TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run; times in milliseconds."""

    rate: float
    p50: float
    p99: float
    slowest: float
    client_cpu: float
    """The share of one core that this client took."""
    statuses: dict[str, int]


class Connection(asyncio.Protocol):
    """Sends a delivery, reads the whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], statuses: Counter[str]) -> None:
        self._requests, self._latencies, self._statuses = requests, latencies, statuses
        self._answer = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the first delivery goes when all are connected."""
        self._transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        """Send the next delivery, or be done."""
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect the answer; once it is whole, note it and go on."""
        self._answer += data
        if _is_whole(self._answer):
            self._latencies.append(time.perf_counter() - self._sent)
            self._statuses[self._answer[9:12].decode()] += 1
            self._answer = b""
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Lost before the end is an error of the run."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server closed the connection"))


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line[15:])
    return body.endswith(b"0\r\n\r\n")  # chunked


def _request(port: int, path: str, delivery: Delivery) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "Accept: */*\r\n"
        "User-Agent: GitHub-Hookshot/d6e5ae1\r\n"
        f"X-GitHub-Delivery: {delivery.id}\r\n"
        f"X-GitHub-Event: {delivery.event}\r\n"
        "X-GitHub-Hook-ID: 4242\r\n"
        "X-GitHub-Hook-Installation-Target-ID: 1\r\n"
        "X-GitHub-Hook-Installation-Target-Type: integration\r\n"
        f"X-Hub-Signature-256: {delivery.signature}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(delivery.body)}\r\n\r\n"
    )
    return head.encode() + delivery.body


async def run(port: int, connections: int, requests: list[bytes]) -> Result:
    """Send all of them over so many connections, each as soon as the answer before it is read."""
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    waiting = iter(requests)
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(waiting, latencies, statuses), "127.0.0.1", port)
        for _ in range(connections)
    ]
    began, cpu = time.perf_counter(), time.process_time()
    for _, connection in opened:
        connection.send()
    await asyncio.wait_for(asyncio.gather(*(connection.done for _, connection in opened)), TIMEOUT)
    elapsed = time.perf_counter() - began
    cuts = quantiles(latencies, n=100)
    return Result(
        rate=len(latencies) / elapsed,
        p50=cuts[49] * 1000,
        p99=cuts[98] * 1000,
        slowest=max(latencies) * 1000,
        client_cpu=(time.process_time() - cpu) / elapsed,
        statuses=dict(statuses),
    )


def main() -> None:
    """Make the deliveries of SEED, send them, print what came of it."""
    port, path, connections, seed, count = sys.argv[1:]
    requests = [_request(int(port), path, one) for one in deliveries(int(seed), int(count))]
    gc.disable()
    result = uvloop.run(run(int(port), int(connections), requests))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
