"""A POC of which somebody has the ball, for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from service.store.database import transaction
from tests.stall_issue.days import Days

FORGET = text("""
DO $$
DECLARE
    name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
""")
"""Quicker than a database for each story."""


@pytest.fixture
def story(module_database_url: str) -> Iterator[Days]:
    """A service with nothing in it yet."""
    made = Days(module_database_url)
    yield made
    with transaction(made.services.engine) as session:
        session.connection().execute(FORGET)
    made.over()


@pytest.fixture
def unsigned(story: Days) -> Days:
    """A POC that nobody has signed: the ball is with alice-k, who signs for data science."""
    story.found(signed=False)
    return story


@pytest.fixture
def poc(story: Days) -> Days:
    """A POC that four have signed, and on which nobody has worked yet: the ball is its owner's."""
    story.found()
    return story
