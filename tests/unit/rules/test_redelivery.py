from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.rules.queue import MOST_ATTEMPTS, DeliveryAttempt, to_redeliver, unanswered

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def attempt(number: int, guid: str, minutes_ago: float, status: int = 503) -> DeliveryAttempt:
    return DeliveryAttempt(number, guid, NOW - timedelta(minutes=minutes_ago), status)


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        pytest.param([attempt(1, "a", 10)], [1], id="what could not be stored is asked for"),
        pytest.param([attempt(1, "a", 10, 0)], [1], id="what met a closed door is asked for"),
        pytest.param([attempt(1, "stored", 10)], [], id="what arrived all the same is not"),
        pytest.param([attempt(1, "a", 10), attempt(2, "a", 5)], [2], id="once for each delivery"),
        pytest.param([attempt(1, "a", 1)], [], id="what has just failed may wait"),
        pytest.param([attempt(1, "a", 3 * 24 * 60)], [], id="what GitHub is about to forget is given up"),
        pytest.param([attempt(n, "a", 100 - n, 400) for n in range(MOST_ATTEMPTS)], [], id="not for ever"),
        pytest.param([attempt(1, "a", 10), attempt(2, "b", 20)], [2, 1], id="oldest first"),
    ],
)
def test_asks_again_for_what_never_arrived(failed: list[DeliveryAttempt], expected: list[int]) -> None:
    assert to_redeliver(failed, {"stored"}, NOW) == expected


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        pytest.param([], [], id="nothing was sent"),
        pytest.param([attempt(1, "a", 5, 202)], [], id="answered"),
        pytest.param([attempt(1, "a", 5, 503)], [1], id="refused"),
        pytest.param([attempt(2, "a", 4, 202), attempt(1, "a", 5, 0)], [], id="answered later"),
        pytest.param([attempt(2, "a", 4, 0), attempt(1, "a", 5, 0)], [2], id="refused twice"),
        pytest.param([attempt(2, "a", 4, 500), attempt(1, "a", 5, 200)], [], id="answered before"),
        pytest.param([attempt(2, "b", 4, 0), attempt(1, "a", 5, 200)], [2], id="one of two"),
    ],
)
def test_what_was_never_answered(attempts: list[DeliveryAttempt], expected: list[int]) -> None:
    assert [each.id for each in unanswered(attempts)] == expected
