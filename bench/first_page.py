"""How many calls GitHub gets until it is known what somebody sees, and how long their first page takes.

    python -m bench.first_page [--pocs 10000] [--repositories 20000] [--latency 0.4]

GitHub is within this process and answers after LATENCY seconds, as it often takes for a hundred repositories.
Exits 1 where there are more calls than a hundredth of the POCs and one, or where the first page waits for
longer than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx2
from cryptography.fernet import Fernet
from sqlalchemy import text

from bench.pages import SEED
from service.graphql import AT_ONCE
from service.store.database import Database, connect
from service.store.people import People
from service.web.oauth import GitHubOAuth, PersonApi, Tokens, UserTokens
from service.web.visibility import PATIENCE, Seen, Visibility
from tests.harness.database import serving
from tests.harness.hub import API, ERIN, Hub, Nobody

OTHERS = """
INSERT INTO repository (id, installation_id, full_name, topics)
SELECT n, 1, 'acme/other-' || n, '{}' FROM generate_series(:pocs + 1, :all) n;
"""
SPARE = 0.5
"""Seconds that a page may take beyond its patience with GitHub."""


def main() -> int:
    """Measure, print, and say whether it is as it should be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pocs", type=int, default=10_000)
    parser.add_argument("--repositories", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=0.4)
    arguments = parser.parse_args()
    with serving() as server, server.database() as url:
        engine = connect(url, pool_size=4)  # as a process of the web has for its pages
        statements = f"{SEED}{OTHERS}".replace(":pocs", str(arguments.pocs)).replace(":facts", "1000")
        with engine.begin() as connection:
            connection.execute(text(statements.replace(":all", str(arguments.repositories))))
        hub = Hub(arguments.repositories + 1, latency=arguments.latency)
        holds = asyncio.run(measured(People(Database(engine)), hub, arguments.pocs))
        engine.dispose()
    return 0 if holds else 1


async def measured(people: People, hub: Hub, pocs: int) -> bool:
    """A first page, the same once all is known, and a renewal behind a page."""
    now = datetime.now(UTC)
    tokens = UserTokens(people, GitHubOAuth("id", "secret", API, "x"), Fernet(Fernet.generate_key()))
    people.log_in(ERIN, tokens.sealed(Tokens("ghu_1")), b"session", now=now, lasts=timedelta(days=1))
    api = PersonApi(API, httpx2.MockTransport(hub))
    visibility = Visibility(people, tokens, api, Nobody(), clock=lambda: now)

    async def look(what: str) -> tuple[Seen, float]:
        began = time.perf_counter()
        seen = await visibility.of(ERIN.id)
        took = time.perf_counter() - began
        print(f"{what:28} {took:5.2f} s   {len(seen.visible)} POCs{'' if seen.whole else ', more to come'}")
        return seen, took

    began = time.perf_counter()
    _, first = await look("first page")
    await asyncio.gather(*visibility.under_way())
    print(f"{'all known after':28} {time.perf_counter() - began:5.2f} s   {len(hub.calls)} calls")
    calls = len(hub.calls)
    seen, _ = await look("the next page")
    now += timedelta(minutes=6)
    _, renewing = await look("a page that renews")
    await asyncio.gather(*visibility.under_way())
    print(f"{'renewed by':28} {len(hub.calls) - calls:5} calls")
    await visibility.close()
    few = calls <= -(-pocs // AT_ONCE) + 1 and seen.whole and len(seen.visible) == pocs
    return few and first <= PATIENCE + SPARE and renewing <= SPARE


if __name__ == "__main__":
    sys.exit(main())
