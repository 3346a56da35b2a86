"""Who is looked at next: people first, and no installation takes all looks while others wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Condition

import psycopg
import pytest
from sqlalchemy import Engine, text

from service.ports import GitHubError
from service.reconcile.context import Decision, Reconciliation
from service.rules.queue import Failure, FailureKind, Urgency
from service.rules.values.subjects import pull_request_key, repository_key
from service.services import Services, Shares
from service.store import subjects
from service.store.connections import USUAL, share
from service.store.database import LockClass, lock, transaction
from service.work import make_app
from service.worker import reconcile_fairly
from tests.harness.controlled import Make

LOOKS = 8


def cover(database_url: str, installation: int, repositories: Sequence[int]) -> list[str]:
    """Let an installation cover repositories, and return their subjects."""
    with psycopg.connect(database_url) as connection:
        for each in repositories:
            connection.execute(
                "INSERT INTO repository (id, installation_id, full_name, topics) "
                "VALUES (%s, %s, 'acme/x', '{}')",
                (each, installation),
            )
    return [repository_key(each) for each in repositories]


def mark(engine: Engine, keys: Sequence[str], at_most: Urgency = Urgency.PEOPLE) -> None:
    with transaction(engine) as session:
        subjects.mark(session, keys, at_most=at_most)


def work(services: Services, database_url: str, looks: int) -> None:
    """Run Procrastinate's worker until nothing is to be done."""

    async def run() -> None:
        async with make_app(services, database_url, share(USUAL)).open_async() as app:
            await app.run_worker_async(
                queues=["looks"],
                concurrency=looks,
                wait=False,
                delete_jobs="always",
                install_signal_handlers=False,
            )

    asyncio.run(run())


def test_a_pull_request_that_comes_while_300_repositories_wait_is_next(
    make: Make, engine: Engine, database_url: str
) -> None:
    looked: list[str] = []
    registering = cover(database_url, 7, range(1, 301))
    pushed_to = repository_key(99)

    def script(ctx: Reconciliation) -> Decision:
        looked.append(ctx.key)
        if len(looked) == 10:
            mark(engine, [pull_request_key(299, 1), pushed_to])
        return Decision("seen")

    mark(engine, registering, Urgency.NOBODY)
    work(make(script), database_url, 1)
    assert looked[10:12] == ["pull_request:299:1", pushed_to]
    assert sorted(looked) == sorted([*registering, "pull_request:299:1"])


class Held:
    """Looks that are held until all that can begin have begun."""

    def __init__(self) -> None:
        self.under_way: list[str] = []
        self._changed = Condition()
        self._released = False

    def script(self, ctx: Reconciliation) -> Decision:
        with self._changed:
            self.under_way.append(ctx.key)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._released, timeout=60)
        return Decision("seen")

    def begun(self, looks: int) -> list[str]:
        """The looks under way, as soon as there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.under_way) >= looks, timeout=60)
            return list(self.under_way)

    def release(self) -> None:
        with self._changed:
            self._released = True
            self._changed.notify_all()


@pytest.mark.parametrize(
    ("waiting", "urgency", "shared"),
    [
        pytest.param(20, Urgency.NOBODY, {7: 4, 8: 4}, id="as much of another"),
        pytest.param(3, Urgency.NOBODY, {7: 5, 8: 3}, id="less of another: no worker idles"),
        pytest.param(0, Urgency.NOBODY, {7: 8}, id="nothing of another"),
        pytest.param(20, Urgency.PEOPLE, {7: 8}, id="what waits of another is less urgent"),
    ],
)
def test_looks_are_shared_while_others_wait(  # noqa: PLR0917 - pytest passes them by name
    make: Make,
    engine: Engine,
    database_url: str,
    waiting: int,
    urgency: Urgency,
    shared: dict[int, int],
) -> None:
    held, shares = Held(), Shares(LOOKS)
    services = make(held.script)
    large = cover(database_url, 7, range(1, 21))
    small = cover(database_url, 8, range(100, 100 + waiting))
    if urgency is Urgency.PEOPLE:
        large = [pull_request_key(1, number) for number in range(1, 21)]
    mark(engine, large, urgency)
    mark(engine, small, Urgency.NOBODY)
    with ThreadPoolExecutor(LOOKS) as pool:
        for begun, key in enumerate(large[:LOOKS], start=1):
            pool.submit(reconcile_fairly, services, key, shares)
            under_way = held.begun(begun)
        held.release()
    assert Counter(8 if key in small else 7 for key in under_way) == shared
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT key FROM subject WHERE wanted > done ORDER BY key").fetchall()
        queued = connection.execute("SELECT DISTINCT args ->> 'key' FROM procrastinate_jobs").fetchall()
    # What was displaced is dirty, and has a job.
    assert {row[0] for row in rows} == {*large, *small} - set(under_way)
    assert {row[0] for row in rows} <= {row[0] for row in queued}


def test_all_of_everybody_is_looked_at(make: Make, engine: Engine, database_url: str) -> None:
    looked: list[str] = []

    def script(ctx: Reconciliation) -> Decision:
        looked.append(ctx.key)
        return Decision("seen")

    all_of = [*cover(database_url, 7, range(1, 81)), *cover(database_url, 8, range(100, 110))]
    all_of += cover(database_url, 9, [200])
    mark(engine, all_of, Urgency.NOBODY)
    work(make(script), database_url, LOOKS)
    assert sorted(looked) == sorted(all_of)


def test_a_look_that_fails_gives_its_share_back() -> None:
    shares = Shares(4)
    for _ in range(3):
        with suppress(ZeroDivisionError), shares.taken(7) as crowded:
            assert not crowded
            raise ZeroDivisionError
    with shares.taken(7), shares.taken(7) as crowded, shares.taken(None) as nobodys:
        assert (crowded, nobodys) == (True, False)


def test_what_is_told_during_a_look_that_is_to_wait_does_not_wait(
    make: Make, engine: Engine, database_url: str
) -> None:
    pull, looks = pull_request_key(1, 5), list[Urgency]()

    def script(ctx: Reconciliation) -> Decision:
        looks.append(ctx.urgency)
        if ctx.urgency is Urgency.NOBODY:
            mark(engine, [pull])
            reset = datetime.now(UTC) + timedelta(minutes=30)
            raise GitHubError(Failure(FailureKind.SAVED, "kept for people", reset))
        return Decision("seen")

    cover(database_url, 7, [1])
    mark(engine, [pull], Urgency.NOBODY)
    work(make(script), database_url, 1)
    assert looks == [Urgency.NOBODY, Urgency.PEOPLE]


def test_how_long_people_wait_begins_when_they_begin(engine: Engine, database_url: str) -> None:
    pull = pull_request_key(1, 5)
    cover(database_url, 7, [1])
    mark(engine, [pull], Urgency.NOBODY)
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE subject SET marked_at = marked_at - interval '1 hour'"))
    mark(engine, [pull])
    mark(engine, [pull])
    with lock(engine, LockClass.SUBJECT, pull) as connection:
        claim = subjects.claim(connection, pull)
    assert claim is not None
    assert claim.marked_at is not None
    assert datetime.now(UTC) - claim.marked_at < timedelta(minutes=30)
