"""A service over a restored database: the portfolio, the record and the next webhook are as before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from service.cli.record import printed
from service.store import backup
from service.store.portfolio import Asked
from tests.harness.charters import SIGNERS
from tests.harness.database import Server
from tests.harness.snapshots import Snapshots
from tests.harness.story import Story
from tests.harness.world import POC

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
def story(snapshots: Snapshots) -> Iterator[Story]:
    """A POC whose owner has asked to ship."""
    with snapshots.of(Story, Story.found, Story.ship_request) as made:
        yield made


def portfolio(story: Story) -> object:
    return story.services.store.portfolio.find(None, Asked(), date(2026, 11, 24))


def posted(story: Story) -> list[object]:
    return [(run.name, run.head_sha, run.output) for run in story.repo.check_runs]


def record(story: Story) -> str | None:
    """With the hashes that chain its entries."""
    return printed(story.database_url, POC.full_name, "json", story.now)


def test_the_portfolio_the_record_and_the_next_webhook(story: Story, server: Server, tmp_path: Path) -> None:
    with (tmp_path / "backup").open("wb") as out:
        backup.write(story.database_url, out, "0.1.0", NOW)
    with server.database("template0") as url:
        backup.restore(url, tmp_path / "backup")
        restored = story.copied(url)
        try:
            assert portfolio(restored) == portfolio(story)
            assert record(restored) == record(story) is not None
            for each in (story, restored):
                each.review(*SIGNERS)
                each.land("e" * 40)
            assert posted(restored) == posted(story) != []
            assert record(restored) == record(story)
            assert portfolio(restored) == portfolio(story)
        finally:
            restored.shut_down()
