"""The safety net: marks subjects dirty without being asked, and evaluates nothing itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from service.ports import GitHubError
from service.rules.reception import installation_key, repository_key
from service.store import subjects
from service.store.database import transaction
from service.store.subjects import Claim, SubjectState
from service.wiring import Services
from service.worker import look_while_dirty, preview

GLANCE = 0.2
"""Seconds between two looks at whether the marked subjects are clean."""


def sweep_installations(services: Services) -> list[str]:
    """Mark every installation, whose look lists its repositories, and every POC."""
    return mark_all(services, as_of=None)


def mark_all(services: Services, *, as_of: datetime | None) -> list[str]:
    """Mark all there is, and return the keys."""
    keys = all_keys(services)
    with transaction(services.engine) as session:
        subjects.mark(session, keys, as_of=as_of)
    return keys


def all_keys(services: Services) -> list[str]:
    """The subjects of every installation in use and of every POC."""
    keys: list[str] = []
    for installation_id in services.records.installations.in_use():
        keys.append(installation_key(installation_id))
        pocs = services.records.repositories.ids(installation_id, pocs_only=True)
        keys += [repository_key(repository_id) for repository_id in pocs]
    return keys


def sweep(services: Services, *, as_of: datetime | None, timeout: float) -> Sequence[SubjectState]:
    """Mark everything, look at it, and return what came of it.

    Looks here as well as in the workers: it needs none to be running, and shares the work where some are.
    """
    keys = mark_all(services, as_of=as_of)
    deadline = time.monotonic() + timeout
    for key in keys:
        look_while_dirty(services, key)
    while (states := _states(services, keys)) and time.monotonic() < deadline:
        if not any(state.dirty and state.waits_until is None for state in states):
            break
        time.sleep(GLANCE)
    return states


def dry_run(services: Services, *, as_of: datetime | None) -> Iterator[tuple[str, str, Sequence[str]]]:
    """For each subject its key, what a look finds, and the actions that it would carry out."""
    for key in all_keys(services):
        if key.startswith("installation:"):
            continue  # listing is no decision: it only marks
        try:
            decision = preview(services, Claim(key, 0, 0, as_of, ()))
        except GitHubError as error:
            yield key, f"failed: {error}", ()
        else:
            yield key, decision.outcome, [str(action) for action in decision.actions]


def _states(services: Services, keys: Sequence[str]) -> Sequence[SubjectState]:
    with transaction(services.engine) as session:
        return subjects.states(session, keys)
