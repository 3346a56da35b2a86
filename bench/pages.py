"""The pages' time on the server, over generated rows, in one process.

    python -m bench.pages [--pocs 10000] [--facts 1000000] [--rounds 30]

Exits 1 where a page takes more than BUDGET at p95, or more statements with many POCs than with few.
"""

from __future__ import annotations

import argparse
import gc
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median

from sqlalchemy import event, text

from service.pages.asked import asked_of
from service.pages.poc import poc_view
from service.pages.portfolio import read_portfolio
from service.store.database import Database, connect
from service.store.portfolio import Portfolio
from service.web.html import render
from service.web.sessions import Visitor
from tests.harness.charters import CHARTER
from tests.harness.database import Server, serving

SEED = """
INSERT INTO installation (id, account, permissions) VALUES (1, 'acme', '{}');
INSERT INTO repository (id, installation_id, full_name, default_branch, topics, poc_reason, registered_at,
    chartered_at, charter_kind, charter_blob_sha, charter_data, first_seen_at)
SELECT n, 1, 'acme/poc-' || n, 'main', '{}', 'topic poc', now() - interval '200 days',
    now() - interval '1 day' * (30 + n % 160), 'file', 'blob' || n % 200, NULL, now() - interval '200 days'
FROM generate_series(1, :pocs) n;
INSERT INTO poc (repository_id, state, state_since, owner, met, thresholds, judged, days, counted_on,
    stalled_since)
SELECT n, (ARRAY['proposed', 'building', 'evaluating', 'shipping', 'shipped', 'stopped', 'building',
    'evaluating', 'building', 'evaluating'])[1 + n % 10],
    now() - interval '1 day' * (n % 90), 'jane-doe', n % 5, 4, '[]',
    ARRAY[n % 40, n % 3, n % 7, n % 5, n % 17, n % 2, 0, n % 11, n % 4], current_date,
    CASE WHEN n % 4 = 0 THEN current_date - n % 60 END
FROM generate_series(1, :pocs) n;
INSERT INTO turn (poc_id, party, wants, for_group, people, number, since)
SELECT p.id, (ARRAY['owner','signer','reviewer','platform'])[1 + (p.id + k) % 4],
    CASE WHEN (p.id + k) % 4 = 1 THEN 'start-signature' ELSE 'work' END,
    CASE WHEN (p.id + k) % 4 IN (1, 3)
        THEN (ARRAY['data_science', 'platform', 'product', 'security'])[1 + (p.id + k / 2) % 4] END,
    ARRAY['person-' || p.id % 50], 3, now() - interval '1 day' * (160 - k * 13)
FROM generate_series(1, 12) k, poc p;
INSERT INTO ship_date (poc_id, ship_by, at)
SELECT p.id, current_date - 30 + (p.id % 120)::int + k * 21, now() - interval '100 days'
FROM generate_series(0, 2) k, poc p WHERE k <= p.id % 3;
UPDATE poc SET turn_id = t.id, waits_since = t.since, waits_for = CASE
    WHEN t.for_group IS NOT NULL THEN replace(t.for_group, '_', ' ') WHEN t.party = 'reviewer' THEN 'a review'
    ELSE 'the owner' END
FROM (SELECT DISTINCT ON (poc_id) * FROM turn ORDER BY poc_id, id DESC) t WHERE t.poc_id = poc.id;
UPDATE poc SET ship_by = current_date - 30 + (id % 120)::int + (id % 3)::int * 21, ship_dates = 1 + id % 3,
    first_ship_by = current_date - 30 + (id % 120)::int;
INSERT INTO fact (id, subject, kind, at, actor, detail, answered_at)
SELECT 'f' || n, 'repository:' || 1 + n % :pocs, 'activity',
    now() - interval '1 minute' * (n::bigint * 7919 % 230400), 'jane-doe',
    '{"deed": "commit", "number": null, "asked": ""}', now()
FROM generate_series(1, :facts) n;
"""


BUDGET = 0.150
"""Seconds at p95."""
NAME = "acme/poc-77"


def main() -> int:
    """Measure, print, and say whether the budget holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pocs", type=int, default=10_000)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    with serving() as server:
        few, _ = measured(server, 30, 3_000, 3)
        many, times = measured(server, arguments.pocs, arguments.facts, arguments.rounds)
    holds = True
    for page, each in times.items():
        at95 = sorted(each)[math.ceil(len(each) * 0.95) - 1]
        # Of few POCs a filter may find none, which takes fewer statements than the first page.
        fits = at95 <= BUDGET and many[page] <= max(few[page], few["/"])
        holds &= fits
        print(
            f"{page:24} median {median(each) * 1000:4.0f} ms   p95 {at95 * 1000:4.0f} ms   "
            f"{many[page]} statements{'' if fits else '   TOO MUCH'}"
        )
    return 0 if holds else 1


def measured(
    server: Server, pocs: int, facts: int, rounds: int
) -> tuple[dict[str, int], dict[str, list[float]]]:
    """The statements of each page, and the seconds that it took, over generated rows."""
    with server.database() as url:
        engine = connect(url)
        with engine.begin() as connection:
            connection.execute(text(SEED.replace(":pocs", str(pocs)).replace(":facts", str(facts))))
            charter = {"data": CHARTER.encode()}
            connection.execute(text("UPDATE repository SET charter_data = :data"), charter)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        store = Portfolio(Database(engine))
        visible = list(range(1, pocs + 1))
        seen: Counter[str] = Counter()
        page = ""

        def executed(*_: object) -> None:
            seen[page] += 1

        event.listen(engine, "before_cursor_execute", executed)
        gc.collect()
        gc.freeze()  # as `serve` does once it is ready
        times: dict[str, list[float]] = {}
        for page, make in pages(store, visible).items():
            times[page] = []
            for _ in range(rounds):
                began = time.perf_counter()
                make()
                times[page].append(time.perf_counter() - began)
        engine.dispose()
        return {page: count // rounds for page, count in seen.items()}, times


def pages(store: Portfolio, visible: Sequence[int]) -> dict[str, Callable[[], str]]:
    """Each page as it is answered: read, laid out, rendered."""
    now, visitor = datetime.now(UTC), Visitor("jane-doe", visible)

    def portfolio(**asked: str) -> str:
        view = read_portfolio(store, asked_of(asked), now, visible=visible)
        return render("portfolio.html", view=view, visitor=visitor)

    def poc() -> str:
        named = store.named(NAME if len(visible) > 77 else "acme/poc-7")  # noqa: PLR2004
        stored = store.one(*named) if named else None
        assert stored is not None
        view = poc_view(stored, now, web_url="https://github.com", observe=False, level="self-reported")
        return render("poc.html", view=view, visitor=visitor, badge="")

    return {
        "/": portfolio,
        "/?sort=ships&page=2": lambda: portfolio(sort="ships", page="2"),
        "/?find=77": lambda: portfolio(find="77"),
        "/?waits_for=security": lambda: portfolio(waits_for="security"),
        "/?tab=stopped": lambda: portfolio(tab="stopped"),
        "/pocs/…": poc,
    }


if __name__ == "__main__":
    sys.exit(main())
