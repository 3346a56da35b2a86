"""A database to move to, or to restore into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from service.store.database import connect
from tests.harness.database import Server


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    """A database without tables."""
    with server.database("template0") as url:
        yield url


@pytest.fixture
def target(empty: str) -> Iterator[Engine]:
    """What comes there."""
    engine = connect(empty)
    yield engine
    engine.dispose()
