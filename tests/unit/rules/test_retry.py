"""What becomes of a look that failed, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.queue import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    MOST_GLANCES,
    Failure,
    FailureKind,
    GiveUp,
    RetryAt,
    retry,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SAID = "GitHub says no"


def after(**since_now: float) -> datetime:
    return NOW + timedelta(**since_now)


@pytest.mark.parametrize(
    ("kind", "until", "attempt", "jitter", "expected"),
    [
        pytest.param(
            FailureKind.TRANSIENT,
            None,
            1,
            0.0,
            RetryAt(after(seconds=1)),
            id="a first failure waits a second",
        ),
        pytest.param(
            FailureKind.TRANSIENT, None, 2, 0.0, RetryAt(after(seconds=2)), id="the next waits twice as long"
        ),
        pytest.param(
            FailureKind.TRANSIENT,
            None,
            3,
            0.5,
            RetryAt(after(seconds=6)),
            id="jitter adds up to as much again",
        ),
        pytest.param(
            FailureKind.TRANSIENT,
            None,
            MAX_ATTEMPTS - 1,
            0.0,
            RetryAt(after(minutes=5)),
            id="the last try before the cap",
        ),
        pytest.param(
            FailureKind.TRANSIENT, None, MAX_ATTEMPTS, 0.0, GiveUp(SAID), id="at the cap the subject is dead"
        ),
        pytest.param(
            FailureKind.RATE_LIMITED,
            after(minutes=20),
            1,
            0.0,
            RetryAt(after(minutes=20), counts=False),
            id="a rate limit waits until its reset and costs no attempt",
        ),
        pytest.param(
            FailureKind.RATE_LIMITED,
            after(minutes=20),
            1,
            0.5,
            RetryAt(after(minutes=20, seconds=15), counts=False),
            id="those that wait for one reset come back spread",
        ),
        pytest.param(
            FailureKind.RATE_LIMITED,
            None,
            1,
            0.0,
            RetryAt(after(minutes=1), counts=False),
            id="a rate limit without a time waits a minute",
        ),
        pytest.param(
            FailureKind.RATE_LIMITED,
            after(minutes=-5),
            1,
            0.0,
            RetryAt(NOW, counts=False),
            id="a reset that has passed is now",
        ),
        pytest.param(
            FailureKind.RATE_LIMITED,
            after(minutes=5),
            MAX_ATTEMPTS + 90,
            0.0,
            RetryAt(after(minutes=5), counts=False),
            id="a rate limit never kills",
        ),
        pytest.param(
            FailureKind.PACED,
            after(minutes=20),
            MAX_ATTEMPTS + 90,
            0.9,
            RetryAt(after(minutes=20), counts=False),
            id="who waits for a turn to write comes exactly then and is never given up",
        ),
        pytest.param(
            FailureKind.PACED,
            after(seconds=-1),
            1,
            0.9,
            RetryAt(NOW, counts=False),
            id="a turn that came is now",
        ),
        pytest.param(
            FailureKind.UNSEEN,
            None,
            1,
            0.0,
            RetryAt(after(seconds=1)),
            id="what isn't visible yet is looked for within seconds",
        ),
        pytest.param(
            FailureKind.UNSEEN,
            None,
            MOST_GLANCES - 1,
            1.0,
            RetryAt(after(minutes=8, seconds=32)),
            id="and for some minutes",
        ),
        pytest.param(
            FailureKind.UNSEEN, None, MOST_GLANCES, 0.0, GiveUp(SAID), id="what never shows is given up"
        ),
        pytest.param(
            FailureKind.GONE, None, 1, 0.0, GiveUp(SAID, dead=False), id="what is gone needs no operator"
        ),
        pytest.param(FailureKind.REFUSED, None, 1, 0.0, GiveUp(SAID), id="what is refused does, and at once"),
    ],
)
def test_a_failed_look(
    kind: FailureKind, until: datetime | None, attempt: int, jitter: float, expected: RetryAt | GiveUp
) -> None:
    assert retry(Failure(kind, SAID, until), attempt=attempt, now=NOW, jitter=jitter) == expected


@given(st.integers(1, MAX_ATTEMPTS - 1), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_later_than_now_and_capped(attempt: int, jitter: float) -> None:
    decided = retry(Failure(FailureKind.TRANSIENT, SAID), attempt=attempt, now=NOW, jitter=jitter)
    assert isinstance(decided, RetryAt)
    assert FIRST_WAIT / 2 <= decided.at - NOW <= LONGEST_WAIT


def test_a_subject_is_given_up_only_after_more_than_an_hour_of_trying() -> None:
    failure = Failure(FailureKind.TRANSIENT, SAID)
    waits = [retry(failure, attempt=n, now=NOW, jitter=0.0) for n in range(1, MAX_ATTEMPTS)]
    total = sum((wait.at - NOW for wait in waits if isinstance(wait, RetryAt)), timedelta())
    assert timedelta(hours=1) < total < timedelta(hours=3)
