"""The record of a POC: one for each repository and path of a charter."""

from __future__ import annotations

from sqlalchemy import Engine

from service.rules.gate.lifecycle import State
from service.store.database import Database, connect
from service.store.store import Store
from tests.harness.github import NOW, repository


def test_a_record_is_begun_once_for_each_charter(engine: Engine) -> None:
    store = Store(Database(engine))
    begun = [store.pocs.begin(1, path, NOW) for path in ("POC.md", "POC.md", "search/POC.md")]
    assert begun[0] == begun[1] != begun[2]
    store.repositories.listed(7, [repository(1)])
    found = store.poc_records.find(1)
    assert found is not None
    assert (found.poc_id, found.poc.state, found.poc.state_since) == (begun[0], State.NONE, NOW)


def test_a_dry_run_begins_no_record(engine: Engine, database_url: str) -> None:
    looking = connect(database_url, read_only=True)
    assert Store(Database(looking)).pocs.begin(1, "POC.md", NOW) is None
    looking.dispose()
    assert Store(Database(engine)).poc_records.stalls([1])[1].standing.state_since is None
