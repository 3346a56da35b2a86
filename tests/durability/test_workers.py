"""Two worker processes over one database: looks at one subject never overlap, and none is missed."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from service.rules.queue import Urgency
from service.store import subjects
from service.store.connections import LEAST
from service.store.database import transaction
from service.store.jobs import defer_reconciliations
from tests.harness.controlled import TABLE
from tests.harness.processes import inherited, working
from tests.harness.waiting import eventually

pytestmark = pytest.mark.slow

SUBJECTS = [f"repository:{n}" for n in range(6)]
ROUNDS = 40
CONTROLLED = "tests.harness.controlled"

TAKEN = """
SELECT application_name, count(*) FROM pg_stat_activity WHERE application_name LIKE 'worker%' GROUP BY 1
"""
OVERLAPS = """
SELECT a.subject, a.worker, a.began, b.worker, b.began FROM looked a JOIN looked b
ON a.subject = b.subject AND a.ctid < b.ctid AND a.began < b.ended AND b.began < a.ended
"""


def test_a_worker_begins_with_what_was_left_when_it_or_its_database_went_away(
    database_url: str, engine: Engine, folder: Path
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TABLE)
        with transaction(engine) as session:
            subjects.mark(session, SUBJECTS)
        connection.execute("DELETE FROM procrastinate_jobs")
        env = inherited() | {"DATABASE_URL": database_url, "LOOK_SECONDS": "0.03"}
        with working(folder / "log", env, CONTROLLED):
            # Touched just now, they would only be forgotten after 45 seconds.
            eventually(
                lambda: not connection.execute("SELECT FROM subject WHERE wanted > done").fetchall(),
                "all are clean",
                within=30,
            )


def test_two_worker_processes_never_look_at_one_subject_at_a_time_and_miss_nothing(
    database_url: str, engine: Engine, folder: Path
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TABLE)

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()  # type: ignore[arg-type,call-overload,no-any-return,unused-ignore]

        taken: Counter[str] = Counter()

        def count() -> None:
            for name, connections in ask(TAKEN):
                taken[name] = max(taken[name], connections)

        env = inherited() | {
            "DATABASE_URL": database_url,
            "LOOK_SECONDS": "0.03",
            "DATABASE_CONNECTIONS": str(LEAST),
        }
        with ExitStack() as stack:
            workers = [
                stack.enter_context(working(folder / f"{name}.log", env | {"PGAPPNAME": name}, CONTROLLED))
                for name in ("worker 0", "worker 1")
            ]
            eventually(lambda: len(ask("SELECT id FROM procrastinate_workers")) == 2, "both workers beat")
            for n in range(ROUNDS):
                eventually(lambda n=n: len(ask("SELECT FROM looked")) >= n * 3, "looks go on")  # type: ignore[misc]
                count()
                with transaction(engine) as session:
                    subjects.mark(session, SUBJECTS)
                    # As a forgotten subject that is woken, or a timer that fires late, would.
                    defer_reconciliations(session, dict.fromkeys(SUBJECTS[n % 3 :: 3], Urgency.PEOPLE))
                count()
            eventually(lambda: not ask("SELECT key FROM subject WHERE wanted > done"), "all are clean")
            assert set(taken) == {"worker 0", "worker 1"}
            assert max(taken.values()) <= LEAST
            eventually(lambda: not ask("SELECT id FROM procrastinate_jobs"), "every job has ended")
            assert [worker.terminate() for worker in workers] == [0, 0]
            assert "ERROR" not in "".join(worker.said for worker in workers)
        assert ask(OVERLAPS) == []
        assert ask("SELECT subject FROM looked WHERE ended IS NULL") == []
        assert len(ask("SELECT DISTINCT worker FROM looked")) == 2
        looks = dict(ask("SELECT subject, count(*) FROM looked GROUP BY 1"))
        assert set(looks) == set(SUBJECTS)
        assert all(looks[key] <= ROUNDS for key in SUBJECTS)
        marked = ask("SELECT wanted, done FROM subject")
        assert marked == [(ROUNDS, ROUNDS)] * len(SUBJECTS)
