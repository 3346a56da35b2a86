"""What an organisation of 20,000 repositories and half a million deliveries a day asks of the database.

    python -m bench.scale [--repositories 20000] [--pocs 2000] [--deliveries 500000] [--facts 500000]

Generated rows, two days of deliveries; every statement is run as the service runs it. It prints figures
for docs/scale.md, and has no budget.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import psycopg
from sqlalchemy import Engine, text

from bench.grown import Size, fill, sizes
from bench.servers import scratch
from service.store import subjects
from service.store.check_runs import CheckRuns
from service.store.database import Database, connect, transaction
from service.store.embedded import EmbeddedPostgres
from service.store.health import health
from service.store.litter import delete_litter
from service.store.sweeps import swept
from service.sweep import PORTION

T = TypeVar("T")
DAY = timedelta(days=1)
KEPT = 30
"""Days for which a delivery is kept."""
SECONDS = 86_400


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repositories", type=int, default=20_000)
    parser.add_argument("--pocs", type=int, default=2_000)
    parser.add_argument("--deliveries", type=int, default=500_000, help="of a day; two days are stored")
    parser.add_argument("--facts", type=int, default=500_000)
    given = parser.parse_args()
    size = Size(given.pocs, given.repositories, 2 * given.deliveries, given.facts, SECONDS / given.deliveries)
    with scratch() as folder:
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "data", "bench")
        url = postgres.start()
        try:
            fill(url, size)
            engine = connect(url)
            _disk(url, given.deliveries)
            _times(engine)
            _tidied(engine)
            engine.dispose()
            print(f"MB: {sizes(url)}")
        finally:
            postgres.stop()
    return 0


def _disk(url: str, a_day: int) -> None:
    with psycopg.connect(url) as connection:
        [[each]] = connection.execute(
            "SELECT pg_total_relation_size('delivery')::float / count(*) FROM delivery"
        ).fetchall()
        [[whole]] = connection.execute("SELECT pg_database_size(current_database())").fetchall()
    kept = each * a_day * KEPT / 1e9
    print(f"a delivery: {each:.0f} bytes with its indexes, {kept:.1f} GB in {KEPT} days")
    print(f"the whole database now: {whole / 1e9:.1f} GB")


def _times(engine: Engine) -> None:
    due = _timed("keys that are due in an hour", lambda: _swept(engine, datetime.now(UTC)))
    _timed(f"marking those {len(due)}, {PORTION} at a time", lambda: _mark(engine, due))
    every = _timed("keys of a whole sweep", lambda: _swept(engine, None))
    _timed(f"marking those {len(every)}", lambda: _mark(engine, every))
    _timed("/readyz and /metrics while all of them wait", lambda: health(engine))
    _timed("looking for forgotten subjects meanwhile", lambda: _woken(engine))
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE subject SET done = wanted WHERE wanted > done"))
        session.connection().execute(text("DELETE FROM procrastinate_jobs"))
    _timed("/readyz and /metrics when nothing waits", lambda: health(engine))
    _timed("heads without their check, for `doctor`", lambda: CheckRuns(Database(engine)).unchecked())


def _tidied(engine: Engine) -> None:
    """Delete a day's deliveries: as if thirty days were one."""
    rows = _timed(
        "tidying a day's deliveries and their events", lambda: delete_litter(engine, day=DAY / KEPT)
    )
    print(f"  {rows} rows")
    _timed("tidying when there is nothing", lambda: delete_litter(engine, day=DAY / KEPT))


def _swept(engine: Engine, due_by: datetime | None) -> list[str]:
    with transaction(engine) as session:
        return swept(session, announces=True, due_by=due_by, began=due_by and due_by - DAY)


def _mark(engine: Engine, keys: list[str]) -> None:
    for begin in range(0, len(keys), PORTION):
        with transaction(engine) as session:
            subjects.mark(session, keys[begin : begin + PORTION])


def _woken(engine: Engine) -> list[str]:
    with transaction(engine) as session:
        return subjects.wake_forgotten(session, untouched_for=timedelta(minutes=1))


def _timed(what: str, does: Callable[[], T]) -> T:
    began = time.perf_counter()
    found = does()
    print(f"{what:60}{1000 * (time.perf_counter() - began):10.0f} ms", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
