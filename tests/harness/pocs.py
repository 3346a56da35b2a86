"""The stored record of a repository's POC."""

from __future__ import annotations

from service.rules.source.text import CHARTER_PATH
from service.rules.values.subjects import PocId
from service.store.poc_records import PocRecord
from service.store.pocs import StoredPoc
from service.store.store import Store
from tests.harness.github import NOW


def poc_id_of(store: Store, repository_id: int) -> PocId:
    """The id of the record; it is made where there is none."""
    poc_id = store.pocs.begin(repository_id, CHARTER_PATH, NOW)
    assert poc_id is not None
    return poc_id


def stored_poc(store: Store, repository_id: int) -> StoredPoc:
    """Where the POC stands."""
    return store.poc_records.stalls([repository_id])[repository_id].standing


def record(store: Store, repository_id: int) -> PocRecord:
    """All that is stored of it and its repository."""
    found = store.poc_records.find(repository_id)
    assert found is not None
    return found
