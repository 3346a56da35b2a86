"""What a reconciliation asks of the database and of GitHub: counts, which the time of day does not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import AsyncConnection
from sqlalchemy import Engine, event

from service.rules.values.actions import CHARTER_CHECK
from service.rules.values.subjects import pull_request_key
from service.worker import reconcile_while_dirty
from tests.harness.deliveries import described
from tests.harness.snapshots import Snapshots
from tests.harness.story import Story
from tests.harness.world import BASE, POC

STATEMENTS, SESSIONS, CALLS = 40, 8, 2
"""The most that a steady `pull_request.synchronize` may take; Procrastinate has statements of its own."""
NUMBER = 5
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
        if connection.get_isolation_level() != "AUTOCOMMIT":
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


def moved(poc: Story, head: str) -> None:
    """Its author pushes to a pull request's branch, which lies in the POC's own repository."""
    poc.commit(head)
    poc.tick()
    shown = {
        "number": NUMBER,
        "state": "open",
        "head": {"ref": "work", "sha": head, "repo": {"id": POC.id}},
        "base": {"ref": "main", "sha": BASE},
        "user": {"login": "jane-doe"},
        "updated_at": poc.now.isoformat(),
    }
    event = {"action": "synchronize", "pull_request": shown, "repository": described(POC)}
    poc.deliver("pull_request", **event, sender={"login": "jane-doe"})


def test_a_steady_synchronize(poc: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    moved(poc, "c" * 40)
    poc.work()
    poc.github.calls.clear()
    with counted(poc.services.engine, monkeypatch) as seen:
        moved(poc, "d" * 40)
        reconcile_while_dirty(poc.services, pull_request_key(POC.id, NUMBER))
    assert not [state for state in poc.states() if state.dirty]
    assert [run.name for run in poc.repo.check_runs if run.head_sha == "d" * 40] == [CHARTER_CHECK]
    assert seen["statements"] + PROCRASTINATES <= STATEMENTS, seen
    assert seen["sessions"] <= SESSIONS, seen
    assert len(poc.github.calls) <= CALLS, poc.github.calls
