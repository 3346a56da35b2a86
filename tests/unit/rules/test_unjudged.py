"""What is said of a commit that could not be judged, as a table; and when that is tried again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.rules.checks.verdict import Unjudged, leaves_charter
from service.rules.policy.model import WhenUnjudged
from service.rules.queue import next_sweep
from service.rules.source.text import CharterFile, FileKind
from tests.harness.github import charter_file

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FAILURE, NEUTRAL = WhenUnjudged
A, B, NONE = charter_file("a"), charter_file("b"), charter_file(None)


@pytest.mark.parametrize(
    ("when", "leaves", "observe", "conclusion"),
    [
        (FAILURE, False, False, "failure"),
        (FAILURE, True, False, "failure"),
        (NEUTRAL, False, False, "failure"),
        (NEUTRAL, True, False, "neutral"),
        (FAILURE, False, True, "neutral"),
        (FAILURE, True, True, "neutral"),
        (NEUTRAL, False, True, "neutral"),
        (NEUTRAL, True, True, "neutral"),
    ],
)
def test_its_conclusion(when: WhenUnjudged, leaves: bool, observe: bool, conclusion: str) -> None:
    assert Unjudged("no", NINE, when, leaves, observe).conclusion == conclusion


@pytest.mark.parametrize(
    ("head", "base", "leaves"),
    [
        pytest.param(A, A, True, id="the same file"),
        pytest.param(NONE, NONE, True, id="none on both"),
        pytest.param(A, B, False, id="another, which may only be behind"),
        pytest.param(NONE, B, False, id="none, which may be deleted"),
        pytest.param(B, NONE, False, id="a new one"),
        pytest.param(None, B, False, id="the head isn't known"),
        pytest.param(A, None, False, id="the base isn't known"),
        pytest.param(None, None, False, id="neither is"),
        pytest.param(CharterFile(FileKind.SYMLINK, None, A.blob_sha), A, False, id="a link in its place"),
    ],
)
def test_whether_it_leaves_the_charter(
    head: CharterFile | None, base: CharterFile | None, leaves: bool
) -> None:
    assert leaves_charter(head, base) is leaves


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NINE, NINE.replace(minute=17)),
        (NINE.replace(minute=16, second=59), NINE.replace(minute=17)),
        (NINE.replace(minute=17), NINE.replace(hour=10, minute=17)),
        (NINE.replace(hour=23, minute=40), NINE.replace(day=24, hour=0, minute=17)),
    ],
)
def test_the_next_sweep(now: datetime, expected: datetime) -> None:
    assert next_sweep(now) == expected
