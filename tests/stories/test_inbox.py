"""The inbox: groups, what happens to a group that fails, and who waits when it closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import psycopg
import pytest
import structlog
from psycopg_pool import AsyncConnectionPool

from service.deliveries.routes import route
from service.inbox import GROUP, Inbox, NotStoredError, Route
from service.rules.values.github import Installation
from service.rules.values.subjects import DeliveryEffects
from service.store import recording
from service.store.subjects import stored_id

pytestmark = pytest.mark.asyncio

Rows = Callable[[str], list[object]]


@pytest.fixture
def column(database_url: str) -> Rows:
    def asked(query: str) -> list[object]:
        with psycopg.connect(database_url) as connection:
            return [row[0] for row in connection.execute(query).fetchall()]  # type: ignore[arg-type,call-overload,unused-ignore]

    return asked


@asynccontextmanager
async def opened(url: str, how: Route) -> AsyncIterator[Inbox]:
    inbox = Inbox(url, how)
    await inbox.open()
    try:
        yield inbox
    finally:
        await inbox.close()


def touching(event: str, body: bytes) -> DeliveryEffects:
    """The body names the subject."""
    del event
    return DeliveryEffects(subjects=(body.decode(),))


async def test_more_than_a_group_is_stored_in_few_transactions(database_url: str, column: Rows) -> None:
    number = 3 * GROUP + 7
    async with opened(database_url, touching) as inbox:
        await asyncio.gather(*(inbox.record(f"d-{n}", "push", b"repository:%d" % n) for n in range(number)))
    assert column("SELECT count(*) FROM delivery") == [number]
    assert column("SELECT count(*) FROM subject") == [number]
    assert column("SELECT count(*) FROM procrastinate_jobs") == [number]
    [transactions] = column("SELECT count(DISTINCT received_at) FROM delivery")
    assert isinstance(transactions, int)
    assert 4 <= transactions <= 12


async def test_a_delivery_that_the_database_refuses_does_not_take_its_group_with_it(
    database_url: str, column: Rows
) -> None:
    def how(event: str, body: bytes) -> DeliveryEffects:
        seen = touching(event, body)
        return replace(seen, repository_id=2**70) if body == b"repository:13" else seen

    async with opened(database_url, how) as inbox:
        answers = await asyncio.gather(
            *(inbox.record(f"d-{n}", "push", b"repository:%d" % n) for n in range(40)), return_exceptions=True
        )
    assert [n for n, answer in enumerate(answers) if answer is not None] == [13]
    assert isinstance(answers[13], ValueError)
    assert column("SELECT count(*) FROM delivery") == [39]


@pytest.mark.parametrize("odd", ["nul \0", "half a pair \ud800"])
async def test_no_text_ends_the_writers(database_url: str, odd: str) -> None:
    def how(event: str, body: bytes) -> DeliveryEffects:
        return DeliveryEffects(action=odd) if body == b"odd" else touching(event, body)

    async with opened(database_url, how) as inbox:
        for n in range(4):  # more than there are writers
            with pytest.raises(ValueError, match="can't be stored"):
                await inbox.record(f"odd-{n}", "push", b"odd")
        async with asyncio.timeout(10):
            await inbox.record("fine", "push", b"repository:1")


async def test_a_body_that_is_not_understood_is_raised_before_anything_is_stored(
    database_url: str, column: Rows
) -> None:
    async with opened(database_url, route) as inbox:
        with pytest.raises(ValueError, match="truncated"):
            await inbox.record("d-1", "push", b"{")
    assert column("SELECT count(*) FROM delivery") == [0]


async def test_what_an_older_version_cannot_store_in_newer_tables_is_not_called_nonsense(
    database_url: str, column: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While machines are upgraded one after the other: GitHub is answered 503, and sends it again."""
    older = recording.INSERT_DELIVERIES.replace("delivery_id uuid", "delivery_id text")
    assert older != recording.INSERT_DELIVERIES
    async with opened(database_url, touching) as inbox:
        with monkeypatch.context() as patched:
            patched.setattr(recording, "INSERT_DELIVERIES", older)
            with pytest.raises(NotStoredError, match="the database refused"):
                await inbox.record("d-1", "push", b"repository:1")
        assert column("SELECT count(*) FROM delivery") == [0]
        await inbox.record("d-1", "push", b"repository:1")
    assert column("SELECT count(*) FROM delivery") == [1]


async def test_whoever_waits_when_it_closes_is_told_that_nothing_was_stored() -> None:
    inbox = Inbox("postgresql://nobody@127.0.0.1:1/none", touching)
    await inbox.open()
    waiting = [asyncio.create_task(inbox.record(f"d-{n}", "push", b"repository:1")) for n in range(5)]
    await asyncio.sleep(0)
    await inbox.close()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(answer, NotStoredError) for answer in answers)


async def test_a_sender_that_gives_up_waiting_disturbs_nobody(database_url: str, column: Rows) -> None:
    async with opened(database_url, touching) as inbox:
        gone = asyncio.create_task(inbox.record("gone", "push", b"repository:1"))
        await asyncio.sleep(0)
        gone.cancel()
        await inbox.record("stays", "push", b"repository:2")
    assert stored_id("stays") in column("SELECT delivery_id::text FROM delivery")


async def test_the_database_is_found_when_it_comes_after_the_inbox(database_url: str) -> None:
    absent = database_url.replace("/test_", "/later_")
    name = urlsplit(database_url).path.lstrip("/")
    admin = database_url.replace(f"/{name}?", "/postgres?")
    async with opened(absent, touching) as inbox:
        with pytest.raises(NotStoredError):
            await inbox.record("d-1", "push", b"repository:1")
        later = name.replace("test_", "later_")
        try:
            async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as connection:
                await connection.execute(f"CREATE DATABASE {later} TEMPLATE {name}")  # type: ignore[arg-type,unused-ignore]
            async with asyncio.timeout(20):
                while True:
                    try:
                        await inbox.record("d-1", "push", b"repository:1")
                        break
                    except NotStoredError:
                        continue
        finally:
            async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as connection:
                await connection.execute(f"DROP DATABASE IF EXISTS {later} WITH (FORCE)")  # type: ignore[arg-type,unused-ignore]


async def test_deliveries_of_installations_in_any_order_do_not_deadlock(
    database_url: str, column: Rows
) -> None:
    def how(event: str, body: bytes) -> DeliveryEffects:
        del event
        number = int(body)
        return DeliveryEffects(
            subjects=(f"installation:{number}",),
            installation_id=number,
            installation=Installation(number, f"org-{number}"),
        )

    async with opened(database_url, how) as one, opened(database_url, how) as two:
        for turn in range(15):
            await asyncio.gather(
                *(one.record(f"{turn}-{n:03}", "installation", b"%d" % n) for n in range(60)),
                *(two.record(f"{turn}-{n:03}", "installation", b"%d" % (60 - n)) for n in range(60)),
            )
    assert column("SELECT count(*) FROM installation") == [61]


async def test_what_was_refused_is_one_row_a_minute_and_one_line_of_the_log(
    database_url: str, column: Rows
) -> None:
    with structlog.testing.capture_logs() as logged:
        inbox = Inbox(database_url, touching, telling=0.3)
        await inbox.open()
        inbox.refuse()
        await asyncio.sleep(0.1)
        for _ in range(500):
            inbox.refuse()
            await asyncio.sleep(0)
        await asyncio.sleep(0.5)
        await inbox.close()
    assert [line["deliveries"] for line in logged if line["event"] == "deliveries refused"] == [1, 500]
    assert sum(column("SELECT deliveries FROM refused")) == 501  # type: ignore[arg-type]
    assert len(column("SELECT minute FROM refused")) <= 2


async def test_what_was_refused_while_the_database_was_away_is_counted_when_it_is_back(
    database_url: str, column: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    async def record(pool: AsyncConnectionPool[recording.Connection], deliveries: int) -> None:
        attempts.append(deliveries)
        if len(attempts) == 1:
            raise psycopg.OperationalError("away")
        await real(pool, deliveries)

    real = recording.record_refused
    monkeypatch.setattr(recording, "record_refused", record)
    inbox = Inbox(database_url, touching, telling=0.1)
    await inbox.open()
    inbox.refuse()
    await asyncio.sleep(0.5)
    await inbox.close()
    assert attempts == [1, 1]
    assert column("SELECT deliveries FROM refused") == [1]
