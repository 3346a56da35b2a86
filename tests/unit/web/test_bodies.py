"""Bodies of unverified senders: which are read, how long, and how much of them is held at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.types import Message

from service.web.bodies import Bodies, Body, Limits, Refusal

LIMITS = Limits(held=1000, reserve=200, small=50, peer=300, seconds=0.05)
LARGEST = 250

pytestmark = pytest.mark.asyncio


def scope(length: object, peer: str = "192.0.2.1") -> dict[str, Any]:
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return {"headers": headers, "client": (peer, 50_000)}


def arriving(*chunks: bytes, ends: bool = True) -> Callable[[], Awaitable[Message]]:
    """The chunks of a body; one that does not end goes on to say nothing."""
    parts = iter(chunks)

    async def receive() -> Message:
        chunk = next(parts, None)
        if chunk is None:
            await asyncio.Event().wait()
        body = chunk or b""
        left = ends and body == chunks[-1]
        return {"type": "http.request", "body": body, "more_body": not left}

    return receive


async def status(bodies: Bodies, declared: object, *chunks: bytes, **how: Any) -> int:
    """The status that a body is refused with; 0 where it is read."""
    with Body(bodies, scope(declared), LARGEST) as body:
        try:
            read = await body.read(arriving(*chunks, **how))
        except Refusal as refusal:
            return refusal.status
    assert read == b"".join(chunks)
    return 0


async def test_a_refusal_ends_the_connection_and_says_when_to_come_again() -> None:
    assert Refusal(413, "").headers == {"Connection": "close"}
    assert Refusal(503, "").headers == {"Connection": "close", "Retry-After": "5"}


@pytest.mark.parametrize(
    ("declared", "chunks", "expected"),
    [
        pytest.param(5, [b"hello"], 0, id="in one piece"),
        pytest.param(8, [b"hel", b"", b"lo", b"you"], 0, id="in several"),
        pytest.param(0, [b""], 0, id="empty"),
        pytest.param(250, [b"x" * 250], 0, id="the largest"),
        pytest.param(None, [b"hello"], 411, id="without a length"),
        pytest.param("", [b"hello"], 411, id="an empty length"),
        pytest.param("-5", [b"hello"], 411, id="a negative length"),
        pytest.param("0x5", [b"hello"], 411, id="a length that is no number"),
        pytest.param("²", [b"hello"], 411, id="a digit that is none of ASCII"),
        pytest.param(251, [b"x"], 413, id="a byte too many"),
        pytest.param("9" * 5000, [b"x"], 413, id="a length of 5000 digits"),
        pytest.param(5, [b"x" * 251], 413, id="more than was said"),
    ],
)
async def test_which_bodies_are_read(declared: object, chunks: list[bytes], expected: int) -> None:
    assert await status(Bodies(LIMITS), declared, *chunks) == expected


@pytest.mark.parametrize("chunks", [[], [b"hel"], [b"h", b"e", b"l"]])
async def test_a_body_that_does_not_end_is_given_up_at_the_deadline(chunks: list[bytes]) -> None:
    assert await status(Bodies(LIMITS), 5, *chunks, ends=False) == 408


async def test_what_was_held_of_a_body_is_free_after_it_however_it_ended() -> None:
    bodies = Bodies(LIMITS)
    assert await status(bodies, 250, b"x" * 250) == 0
    assert await status(bodies, 250, b"x" * 200, ends=False) == 408
    assert await status(bodies, 250, b"x" * 251) == 413
    assert (bodies._held, bodies._large, dict(bodies._by_peer)) == (0, 0, {})


class Senders:
    """Bodies that have begun and not ended, and how much of one more is taken."""

    def __init__(self, opened: ExitStack) -> None:
        self.bodies = Bodies(LIMITS)
        self._opened = opened

    async def send(self, peer: str, size: int, *, declared: int = LARGEST) -> int:
        body = self._opened.enter_context(Body(self.bodies, scope(declared, peer), LARGEST))
        try:
            await body.read(arriving(b"x" * size, ends=False))
        except Refusal as refusal:
            return refusal.status
        raise AssertionError("a body that did not end was read")


async def test_one_sender_holds_no_more_than_a_senders_share() -> None:
    with ExitStack() as opened:
        senders = Senders(opened)
        assert [await senders.send("192.0.2.1", 150) for _ in range(3)] == [408, 408, 503]
        assert await senders.send("192.0.2.2", 150) == 408


async def test_large_bodies_leave_the_reserve_to_small_ones() -> None:
    with ExitStack() as opened:
        senders = Senders(opened)
        large = [await senders.send(f"192.0.2.{n}", 200) for n in range(5)]
        assert large == [408, 408, 408, 408, 503]
        small = [await senders.send(f"192.0.2.{n}", 50, declared=50) for n in range(10, 15)]
        assert small == [408, 408, 408, 408, 503]
        assert senders.bodies._held == LIMITS.held


async def test_three_slow_strangers_do_not_keep_a_fourth_out_with_the_limits_of_the_product() -> None:
    usual = Limits()
    assert 3 * usual.peer <= usual.held - usual.reserve


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("no address", "another", False),
    ],
)
async def test_who_is_one_sender(one: str, other: str, same: bool) -> None:
    with ExitStack() as opened:
        senders = Senders(opened)
        assert await senders.send(one, 250) == 408
        assert await senders.send(other, 250) == (503 if same else 408)
