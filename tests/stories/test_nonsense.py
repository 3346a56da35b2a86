"""Signed nonsense: whatever a field of a delivery says, it is stored and can be read again, or answered 400.

503 would be asked for again for three days.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg

from service.deliveries.delivery import decode, decode_unroutable
from service.deliveries.routes import EVENTS, route
from service.inbox import GROUP, Inbox
from tests.harness.deliveries import event_of
from tests.harness.places import DELIVERIES

TABLES = ("delivery", "repository", "pull_request", "installation", "fact", "subject", "procrastinate_jobs")
NUL, SURROGATE = "a\0b", "a\ud800b"
TEXTS = [NUL, SURROGATE, "", "x" * 5000]
NUMBERS = [0, -1, 2**31, 2**63, 2**64, 10**400, 1.5]
TIMES = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-22T09:00:00",
    "10000-01-01T00:00:00Z",
    -(10**11),
    10**12,
]
Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from leaves(inner, (*path, key))
        case list() | tuple():
            for index, inner in enumerate(value[:1]):
                yield from leaves(inner, (*path, index))
        case _:
            yield path, value


def changed(payload: Any, path: Path, to: Any) -> bytes | None:
    """The payload with another value at a path; None where it has no such place."""
    copy = json.loads(json.dumps(payload))
    inner = copy
    try:
        for key in path[:-1]:
            inner = inner[key]
        if path[-1] not in inner and not isinstance(inner, list):
            return None
        inner[path[-1]] = to
    except (KeyError, TypeError, IndexError):
        return None
    return json.dumps(copy).encode()


def values_for(read: Any) -> list[Any]:
    """What makes no sense where this stood."""
    match read:
        case bool():
            return []
        case int():
            return NUMBERS
        case str() if read[4:5] == "-" and "T" in read:
            return TIMES + TEXTS
        case str():
            return TEXTS
        case _:
            return []


def nonsense() -> Iterator[tuple[str, Path, Any, bytes]]:
    """Each field that the decoder reads, in each event, with each value that makes no sense there."""
    done: set[tuple[str, Path]] = set()
    for file in sorted(DELIVERIES.glob("*.json")):
        name, payload = event_of(file.stem), json.loads(file.read_bytes())
        decoder = decode if name in EVENTS else decode_unroutable
        for path, read in leaves(msgspec.to_builtins(decoder(file.read_bytes()))):
            if (name, path) in done:
                continue
            done.add((name, path))
            for value in values_for(read):
                if body := changed(payload, path, value):
                    yield name, path, value, body


async def answers(database_url: str, bodies: list[tuple[str, bytes]]) -> list[str]:
    """What became of each: nothing where it was stored."""
    inbox = Inbox(database_url, route)
    await inbox.open()
    room = asyncio.Semaphore(GROUP)  # each has some seconds, which all at once would need on a slow machine

    async def record(number: int, event: str, body: bytes) -> str:
        try:
            async with room:
                await inbox.record(f"d-{number}", event, body)
        except ValueError as error:
            return f"400: {error}"
        except Exception as error:  # noqa: BLE001 (each is one answer)
            return f"{type(error).__name__}: {error}"
        return ""

    try:
        return await asyncio.gather(*(record(number, *sent) for number, sent in enumerate(bodies)))
    finally:
        await inbox.close()


def test_every_field_with_every_value_is_stored_or_400(database_url: str) -> None:
    cases = list(nonsense())
    assert len(cases) > 1000
    found = asyncio.run(answers(database_url, [(event, body) for event, _, _, body in cases]))
    wrong = {
        (event, path, str(value)[:30]): answer
        for (event, path, value, _), answer in zip(cases, found, strict=True)
        if answer and not answer.startswith("400")
    }
    assert wrong == {}
    with psycopg.connect(database_url, options="-c timezone=UTC") as connection:
        for table in TABLES:
            connection.execute(f"SELECT * FROM {table}").fetchall()  # type: ignore[arg-type,call-overload,unused-ignore]
        numbers = connection.execute(
            "SELECT split_part(key, ':', 3) FROM subject WHERE key LIKE 'pull_request:%'"
        ).fetchall()
    assert max(int(number) for (number,) in numbers) < 2**31


def test_what_nobody_reads_may_hold_a_nul_and_a_backslash_before_u0000_is_none(database_url: str) -> None:
    payload = json.loads((DELIVERIES / "push-charter.json").read_bytes())
    payload["ref"] = "refs/heads/\\u0000"
    payload["unread"] = "\0"
    assert asyncio.run(answers(database_url, [("push", json.dumps(payload).encode())])) == [""]


def test_a_text_that_cannot_be_stored_takes_no_other_delivery_with_it(database_url: str) -> None:
    payload = json.loads((DELIVERIES / "push-charter.json").read_bytes())
    odd = payload | {"sender": {"login": "a\0", "type": "User"}}
    sent = [("push", json.dumps(each).encode()) for each in (odd, payload)]
    bad, good = asyncio.run(answers(database_url, sent))
    assert good == ""
    assert bad.startswith("400: a value in it can't be stored: ")
