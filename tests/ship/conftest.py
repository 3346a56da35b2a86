"""A POC on its way to production, for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ship.story import Story


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    """A service with nothing in it yet."""
    made = Story(database_url)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def poc(story: Story) -> Story:
    """A POC whose charter is on the default branch and signed; what that cost is forgotten."""
    story.found()
    return story
