"""What a database that has grown costs: recording a group of deliveries, against the same in an empty one.

    python -m bench.recording [--rounds 30] [--deliveries 1000000] [--facts 1000000]

Exits 1 where a group takes more than BUDGET times as long.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import median

import psycopg

from bench import cpu
from bench.grown import Size, fill, sizes
from bench.mixed import bodies_about
from bench.payloads import FIRST_REPOSITORY, repository_name
from bench.servers import scratch
from service.deliveries.routes import route
from service.store.embedded import EmbeddedPostgres
from service.store.recording import Envelope, open_pool, record

BUDGET = 1.3
GROUP = 16
TOUCHED = 160
"""Repositories that the empty database holds; the other holds them too, among all its POCs."""
SETTLED = "UPDATE subject SET done = wanted WHERE wanted > done; DELETE FROM procrastinate_jobs"
"""As a worker would leave it."""


@dataclass(slots=True)
class Side:
    """A database, and what groups took in it."""

    name: str
    url: str
    repositories: int
    postgres: int
    seconds: list[float] = field(default_factory=list)
    cpu: float = 0.0

    async def run(self, groups: Sequence[Sequence[Envelope]]) -> None:
        """Record groups on one connection, one after the other."""
        async with open_pool(self.url) as pool:
            await pool.wait()
            before = cpu.seconds(self.postgres).get("postgres", 0.0)
            for group in groups:
                began = time.perf_counter()
                assert await record(pool, group) == len(group)
                self.seconds.append(time.perf_counter() - began)
            self.cpu += cpu.seconds(self.postgres).get("postgres", 0.0) - before
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(SETTLED)


def main() -> int:
    """Measure, print, and say whether the budget holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--groups", type=int, default=10, help="groups of a round")
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--pocs", type=int, default=10_000)
    parser.add_argument(
        "--explain", action="store_true", help="log the plans of the full database's statements"
    )
    arguments = parser.parse_args()
    with scratch() as folder:
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "data", "bench")
        empty_url = postgres.start()
        try:
            full_url = _database(empty_url, "grown")
            fill(empty_url, Size(TOUCHED, TOUCHED))
            pocs = arguments.pocs
            fill(full_url, Size(pocs, pocs, arguments.deliveries, arguments.facts))
            pid = int((folder / "data" / "postgresql-18" / "postmaster.pid").read_text().split()[0])
            empty = Side("empty", empty_url, TOUCHED, pid)
            full = Side("full", full_url, pocs, pid)
            holds = _compare(empty, full, arguments.rounds, arguments.groups)
            print(f"MB: {sizes(full_url)}")
        finally:
            postgres.stop()
    return 0 if holds else 1


def _compare(empty: Side, full: Side, rounds: int, count: int) -> bool:
    ratios = []
    for number in range(rounds + 1):
        for side in (empty, full) if number % 2 else (full, empty):
            asyncio.run(side.run(_groups(number, count, side.repositories)))
        if number:
            ratios.append(median(full.seconds[-count:]) / median(empty.seconds[-count:]))
        else:  # the first warms up
            for side in (empty, full):
                side.seconds.clear()
                side.cpu = 0.0
    for side in (empty, full):
        took = 1000 * side.cpu / len(side.seconds)
        print(
            f"{side.name:8}{1000 * median(side.seconds):8.2f} ms a group, {took:.2f} ms of PostgreSQL's CPU"
        )
    ratio, work = median(ratios), full.cpu / empty.cpu
    holds = ratio <= BUDGET
    print(
        f"full / empty: {ratio:.2f} of the time (at most {BUDGET}), {work:.2f} of PostgreSQL's CPU: "
        f"{'holds' if holds else 'MISSED'}"
    )
    return holds


def _groups(seed: int, count: int, repositories: int) -> list[list[Envelope]]:
    """Groups of deliveries of five events, about POCs in no order."""
    chance = random.Random(seed)  # reproducible, not secret
    drawn = bodies_about(FIRST_REPOSITORY, seed, count * GROUP)
    groups = []
    for _ in range(count):
        group = []
        for event, body in islice(drawn, GROUP):
            index = chance.randrange(repositories)
            told = body.replace(str(FIRST_REPOSITORY).encode(), str(FIRST_REPOSITORY + index).encode())
            told = told.replace(repository_name(FIRST_REPOSITORY).encode(), f"triage-{index}-poc".encode())
            group.append(
                Envelope(guid(time.time()), event, hashlib.sha256(told).digest(), route(event, told))
            )
        groups.append(group)
    return groups


def guid(at: float) -> str:
    """An id as GitHub gives: of a time, and a few bits by chance."""
    ticks = int(at * 1e7) + 0x01B21DD213814000
    low, mid, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
    sequence, node = random.getrandbits(14), random.getrandbits(48)
    fields = (low, mid, high, sequence >> 8, sequence & 0xFF, node)
    return str(uuid.UUID(fields=fields, version=1))


def _database(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return url.replace("/poc_governor?", f"/{name}?")


if __name__ == "__main__":
    sys.exit(main())
