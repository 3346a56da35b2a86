"""Groups of deliveries in one transaction: recorded once, in any order, by many writers at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Engine

from service.rules.values.github import EventKind, EventRecord, PullRequest, Repository, RepositoryRef
from service.rules.values.subjects import DeliveryEffects
from service.store import recording, subjects
from service.store.database import transaction
from service.store.recording import Envelope

pytestmark = pytest.mark.asyncio

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]


@dataclass
class Store:
    """A pool, and short ways to record and to ask."""

    pool: Pool
    url: str
    count: int = field(default=0)

    async def record(self, *receptions: DeliveryEffects) -> int:
        """Record each as a delivery of its own, all in one group."""
        group = [self.envelope(reception) for reception in receptions]
        return await recording.record(self.pool, group)

    def envelope(self, reception: DeliveryEffects, event: str = "push") -> Envelope:
        self.count += 1
        return Envelope(f"d-{self.count:06}", event, b"hash", reception)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type,call-overload,no-any-return,unused-ignore]


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    pool = recording.open_pool(database_url)
    await pool.open()
    yield Store(pool, database_url)
    await pool.close()


def fact(fact_id: str, subject: str = "repository:1") -> EventRecord:
    return EventRecord(fact_id, subject, EventKind.ACTIVITY, AT, "jane-doe")


def pull(head: str, *, before: str | None = None, seconds: int = 0, state: str = "open") -> PullRequest:
    at = AT + timedelta(seconds=seconds)
    return PullRequest(1, 4, head, "main", "base", "jane-doe", state, at, before)


async def test_one_delivery_twice_in_a_group_and_once_later_is_recorded_once(store: Store) -> None:
    envelope = store.envelope(DeliveryEffects(subjects=("repository:1",), events=(fact("f"),)))
    assert await recording.record(store.pool, [envelope, envelope]) == 1
    assert await recording.record(store.pool, [envelope]) == 0
    assert store.rows("SELECT wanted FROM subject") == [(1,)]
    assert store.rows("SELECT id FROM fact") == [("f",)]


async def test_one_delivery_by_many_writers_at_a_time_is_recorded_once(store: Store) -> None:
    envelope = store.envelope(DeliveryEffects(subjects=("repository:1",)))
    fresh = await asyncio.gather(*(recording.record(store.pool, [envelope]) for _ in range(20)))
    assert sum(fresh) == 1
    assert store.rows("SELECT wanted FROM subject") == [(1,)]
    assert store.rows("SELECT count(*) FROM procrastinate_jobs") == [(1,)]


async def test_a_fact_told_by_two_deliveries_is_recorded_once_and_both_mark(store: Store) -> None:
    for _ in range(2):
        await store.record(DeliveryEffects(subjects=("repository:1",), events=(fact("merged"),)))
    assert store.rows("SELECT id, answered_at FROM fact") == [("merged", None)]
    assert store.rows("SELECT wanted FROM subject") == [(2,)]


async def test_an_answered_fact_told_again_stays_answered(store: Store) -> None:
    await store.record(DeliveryEffects(events=(fact("merged"),)))
    async with store.pool.connection() as connection:
        await connection.execute("UPDATE fact SET answered_at = now()")
    await store.record(DeliveryEffects(events=(fact("merged"),)))
    assert store.rows("SELECT answered_at IS NULL FROM fact") == [(False,)]


async def test_nothing_of_a_group_is_stored_when_it_fails(store: Store) -> None:
    good = DeliveryEffects(subjects=("repository:1",), events=(fact("f"),), pull_request=pull("a"))
    bad = DeliveryEffects(subjects=("repository:2",), events=(replace(fact("g"), detail="nul \0"),))
    with pytest.raises(psycopg.DataError):
        await store.record(good, bad)
    for table in ("delivery", "subject", "fact", "pull_request", "procrastinate_jobs"):
        assert store.rows(f"SELECT count(*) FROM {table}") == [(0,)]


OPENED, PUSHED, PUSHED_AGAIN = pull("a"), pull("b", before="a"), pull("c", before="b")
"""Three payloads of one second."""


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
async def test_payloads_of_three_seconds_end_with_the_newest_in_any_order(
    store: Store, order: Sequence[int]
) -> None:
    told = [pull("a"), pull("b", before="a", seconds=1), pull("c", seconds=2, state="closed")]
    for place in order:
        await store.record(DeliveryEffects(pull_request=told[place]))
    assert store.rows("SELECT head_sha, state FROM pull_request") == [("c", "closed")]


@pytest.mark.parametrize("told", list(permutations((OPENED, PUSHED))))
async def test_of_two_payloads_of_one_second_the_one_whose_head_was_replaced_is_older(
    store: Store, told: Sequence[PullRequest]
) -> None:
    for each in told:
        await store.record(DeliveryEffects(pull_request=each))
    assert store.rows("SELECT head_sha FROM pull_request") == [("b",)]


@pytest.mark.parametrize(
    "told", [(PUSHED, pull("b"), OPENED), (OPENED, PUSHED, pull("b")), (pull("b"), PUSHED, OPENED)]
)
async def test_an_edit_of_the_same_second_does_not_bring_the_old_head_back(
    store: Store, told: Sequence[PullRequest]
) -> None:
    for each in told:
        await store.record(DeliveryEffects(pull_request=each))
    assert store.rows("SELECT head_sha FROM pull_request") == [("b",)]


@pytest.mark.parametrize("told", list(permutations((pull("a"), pull("a", state="closed")))))
async def test_of_two_payloads_of_one_second_the_one_that_shows_it_closed_is_newer(
    store: Store, told: Sequence[PullRequest]
) -> None:
    for each in told:
        await store.record(DeliveryEffects(pull_request=each))
    assert store.rows("SELECT state FROM pull_request") == [("closed",)]


async def test_payloads_of_one_second_in_one_group_are_ordered_too(store: Store) -> None:
    await store.record(*(DeliveryEffects(pull_request=each) for each in (PUSHED_AGAIN, PUSHED)))
    assert store.rows("SELECT head_sha FROM pull_request") == [("c",)]


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
async def test_a_repository_is_described_by_the_newest_payload(store: Store, order: Sequence[int]) -> None:
    told = [
        Repository(1, f"acme/name-{n}", "main", updated_at=AT + timedelta(seconds=n), topics=("poc",) * n)
        for n in range(3)
    ]
    receptions = [DeliveryEffects(installation_id=5, repositories=(told[n],)) for n in order]
    await store.record(receptions[0])
    await store.record(*receptions[1:])
    assert store.rows("SELECT full_name, topics FROM repository") == [("acme/name-2", ["poc", "poc"])]


async def test_a_rerun_becomes_a_fact_of_each_subject_that_posted_on_the_commit(store: Store) -> None:
    await store.record(DeliveryEffects(pull_request=pull("a")))
    async with store.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO check_run (repository_id, head_sha, name, subject, external_id, digest, conclusion, "
            "title) VALUES (1, 'a', 'POC charter', 'merge_group:1:a:b', 'x', 'x', 'success', 'x')"
        )
    asked = DeliveryEffects(repository_id=1, rerun_sha="a")
    other = DeliveryEffects(repository_id=1, rerun_sha="never seen")
    await store.record(asked, other)
    subjects_of = "SELECT subject FROM fact WHERE kind = 'rerun-requested' ORDER BY 1"
    assert store.rows(subjects_of) == [("merge_group:1:a:b",), ("pull_request:1:4",)]
    assert store.rows("SELECT key FROM subject ORDER BY 1") == [("merge_group:1:a:b",), ("pull_request:1:4",)]
    await store.record(asked)
    assert len(store.rows(subjects_of)) == 4


async def test_stubs_and_removals_of_an_installation(store: Store) -> None:
    both = (RepositoryRef(1, "acme/one"), RepositoryRef(2, "acme/two"))
    await store.record(DeliveryEffects(installation_id=5, stubs=both))
    await store.record(DeliveryEffects(installation_id=6, removed=(1,)))
    await store.record(DeliveryEffects(installation_id=5, removed=(2,)))
    assert store.rows("SELECT id, removed_at IS NULL, reread FROM repository ORDER BY 1") == [
        (1, True, True),
        (2, False, True),
    ]
    await store.record(DeliveryEffects(installation_id=5, stubs=both[1:]))
    assert store.rows("SELECT count(*) FROM repository WHERE removed_at IS NULL") == [(2,)]


@pytest.mark.parametrize("described", [False, True], ids=["subjects", "repositories as well"])
async def test_many_writers_with_the_same_rows_and_the_waking_of_the_forgotten_do_not_hinder_each_other(
    store: Store, engine: Engine, described: bool
) -> None:
    keys = [f"repository:{n}" for n in range(30)]
    chance = random.Random(7)

    def reception() -> DeliveryEffects:
        some = chance.sample(range(30), 12)
        return DeliveryEffects(
            installation_id=5,
            subjects=tuple(keys[n] for n in some),
            events=tuple(fact(f"{n}", keys[n]) for n in some),
            repositories=tuple(Repository(n, f"acme/{n}", "main", updated_at=AT) for n in some)
            if described
            else (),
            pull_request=PullRequest(some[0], 1, "a", "main", "b", "jane-doe", "open", AT),
        )

    async def write() -> None:
        for _ in range(25):
            await store.record(*(reception() for _ in range(4)))

    def wake() -> None:
        for _ in range(60):
            with transaction(engine) as session:
                subjects.wake_forgotten(session, untouched_for=timedelta(0))
            with transaction(engine) as session:
                subjects.mark(session, chance.sample(keys, 12))

    await asyncio.gather(*(write() for _ in range(6)), asyncio.to_thread(wake))
    assert store.rows("SELECT count(*) FROM delivery") == [(6 * 25 * 4,)]
    assert store.rows("SELECT count(*) FROM subject WHERE wanted > 1") == [(30,)]
    [(deadlocks,)] = store.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    # New repositories may be met in two orders: such a group is tried again.
    assert described or deadlocks == 0
