"""Which looks wait for the reset, by what is left of GitHub's calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.rules.queue import (
    HISTORY_KEPT_BELOW,
    KEPT_BELOW,
    RATE_LIMIT_SPREAD,
    Calls,
    Failure,
    FailureKind,
    RetryAt,
    Urgency,
    retry,
    saved_until,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RESET = NOW + timedelta(minutes=20)
PEOPLE, LATER, NOBODY = KEPT_BELOW[Urgency.PEOPLE], KEPT_BELOW[Urgency.LATER], KEPT_BELOW[Urgency.NOBODY]


@pytest.mark.parametrize(
    ("remaining", "kept", "waits"),
    [
        pytest.param(8750, HISTORY_KEPT_BELOW, False, id="70 %: history is read"),
        pytest.param(8749, HISTORY_KEPT_BELOW, True, id="less: history waits"),
        pytest.param(6250, NOBODY, False, id="50 %: the safety net goes on"),
        pytest.param(6249, NOBODY, True, id="less: the safety net waits"),
        pytest.param(2500, LATER, False, id="20 %: repositories go on"),
        pytest.param(2499, LATER, True, id="less: repositories wait"),
        pytest.param(0, PEOPLE, False, id="people wait only where GitHub says no"),
    ],
)
def test_what_waits_for_the_reset(remaining: int, kept: float, waits: bool) -> None:
    calls = Calls(12500, remaining, RESET)
    assert saved_until(calls, kept, NOW) == (RESET if waits else None)


def test_nothing_waits_where_nothing_is_known_or_the_reset_has_been() -> None:
    assert saved_until(None, HISTORY_KEPT_BELOW, NOW) is None
    assert saved_until(Calls(5000, 0, RESET), HISTORY_KEPT_BELOW, RESET) is None


def test_what_waits_is_no_failure_and_comes_back_after_the_reset() -> None:
    saved = Failure(FailureKind.SAVED, "kept", RESET)
    again = retry(saved, attempt=1, now=NOW, jitter=0.5)
    assert again == RetryAt(RESET + RATE_LIMIT_SPREAD / 2, counts=False)


@pytest.mark.parametrize(
    ("known", "stored"),
    [
        pytest.param(None, True, id="nothing was known"),
        pytest.param(Calls(5000, 4000, RESET), False, id="the same"),
        pytest.param(Calls(5000, 4049, RESET), False, id="a few calls less"),
        pytest.param(Calls(5000, 4050, RESET), True, id="a hundredth of the limit less"),
        pytest.param(Calls(5000, 4000, RESET - timedelta(hours=1)), True, id="another hour"),
        pytest.param(Calls(12500, 4000, RESET), True, id="another limit"),
    ],
)
def test_what_is_worth_storing(known: Calls | None, stored: bool) -> None:
    assert Calls(5000, 4000, RESET).differ(known) is stored
