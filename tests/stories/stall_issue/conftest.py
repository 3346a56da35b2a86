"""A POC of which somebody has the ball, for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.snapshots import Snapshots
from tests.stories.stall_issue.days import Days


def founded(days: Days) -> None:
    """Its charter is on the default branch; nobody has signed it."""
    days.found(signed=False)


@pytest.fixture
def story(snapshots: Snapshots) -> Iterator[Days]:
    """A service with nothing in it yet."""
    with snapshots.of(Days) as made:
        yield made


@pytest.fixture
def unsigned(snapshots: Snapshots) -> Iterator[Days]:
    """A POC that nobody has signed: the ball is with alice-k, who signs for data science."""
    with snapshots.of(Days, founded) as made:
        yield made


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[Days]:
    """A POC that four have signed, and on which nobody has worked yet: the ball is its owner's."""
    with snapshots.of(Days, Days.found) as made:
        yield made
