"""A POC on its way to production, for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.snapshots import Snapshots
from tests.harness.story import Story


@pytest.fixture
def story(snapshots: Snapshots) -> Iterator[Story]:
    """A service with nothing in it yet."""
    with snapshots.of(Story) as made:
        yield made


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[Story]:
    """A POC whose charter is on the default branch and signed; what that cost is forgotten."""
    with snapshots.of(Story, Story.found) as made:
        yield made
