"""A reconciliation by hand, for tests of one step of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine

from service.reconcile.context import Reconciliation
from service.rules.policy.model import Mode
from service.rules.values.groups import Level
from service.store.database import Database, WithinSession, reading
from service.store.store import Store, write
from tests.harness.github import NOW, FakeApp


@contextmanager
def reconciling(
    engine: Engine, app: FakeApp, *, clock: Callable[[], datetime] = lambda: NOW, waited: bool = False
) -> Iterator[Reconciliation]:
    """A reconciliation of `repository:1` without events; its notes are written at the end, come what may."""
    with reading(engine) as session:
        ctx = Reconciliation(
            key="repository:1",
            now=NOW,
            looked_at=NOW,
            clock=clock,
            facts=(),
            waited=waited,
            release=session.close,
            store=Store(WithinSession(session, read_only=True)),
            writing=Store(Database(engine)),
            app=app,
            mode=Mode.ENFORCE,
            evidence_level=Level.SELF_REPORTED,
            web_url="https://github.com",
            details_url=lambda _repository, _name: "https://poc.example.com/docs/charter",
        )
        try:
            yield ctx
        finally:
            write(engine, ctx.noted)
