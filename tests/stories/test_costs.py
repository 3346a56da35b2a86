"""What a reconciliation asks of the database and of GitHub: counts, which the time of day does not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import AsyncConnection
from sqlalchemy import Engine, event
from sqlmodel import Session

from service.rules.values.subjects import pull_request_key
from service.worker import reconcile_while_dirty
from tests.harness.snapshots import Snapshots
from tests.harness.story import Story
from tests.harness.world import POC

STATEMENTS, SESSIONS, CALLS = 40, 8, 3
"""The most that a steady `pull_request.synchronize` may take; Procrastinate has statements of its own."""
PROCRASTINATES = 6
"""Statements for one job: its notice, fetching, finishing and deleting it."""


@contextmanager
def counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count statements, also those that begin and end transactions, and connections taken from pools."""
    seen: Counter[str] = Counter()
    execute = AsyncConnection.execute

    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen["statements"] += 1
        seen[" ".join(statement.split())[:90]] += 1

    def ended(connection: Any) -> None:
        if not connection.get_isolation_level() == "AUTOCOMMIT":
            seen["statements"] += 2

    async def recorded(connection: Any, query: Any, *args: Any, **more: Any) -> Any:
        seen["statements"] += 1
        seen["recording: " + " ".join(str(query).split())[:60]] += 1
        return await execute(connection, query, *args, **more)

    def taken(*_: Any) -> None:
        seen["sessions"] += 1

    event.listen(engine, "before_cursor_execute", executed)
    event.listen(engine, "commit", ended)
    event.listen(engine, "checkout", taken)
    monkeypatch.setattr(AsyncConnection, "execute", recorded)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", executed)
        event.remove(engine, "commit", ended)
        event.remove(engine, "checkout", taken)
        monkeypatch.setattr(AsyncConnection, "execute", execute)


@pytest.fixture
def poc(snapshots: Snapshots) -> Iterator[Story]:
    with snapshots.of(Story, Story.found) as made:
        yield made


def test_a_steady_synchronize(poc: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    poc.pull_request(head="a" * 40)
    poc.github.repos[POC.id].files["c" * 40] = poc.github.repos[POC.id].files["main"]
    poc.github.repos[POC.id].files["d" * 40] = poc.github.repos[POC.id].files["main"]
    poc.pull_request("synchronize", head="c" * 40, at=poc.now)
    poc.github.calls.clear()
    with counted(poc.services.engine, monkeypatch) as seen:
        poc.pull_request("synchronize", head="d" * 40, at=poc.now)
    print(*seen.items(), sep="\n")
    assert 0
