"""The safety net: marks subjects dirty without being asked, and evaluates nothing itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog

from service.events.context import UnusableError
from service.ports import GitHubError
from service.rules.reception import installation_key, pull_request_key, repository_key
from service.rules.redelivery import KEPT, to_redeliver
from service.store import subjects
from service.store.database import transaction
from service.store.subjects import Claim, SubjectState
from service.wiring import Services
from service.worker import look_while_dirty, preview

log = structlog.get_logger(__name__)

GLANCE = 0.2
"""Seconds that workers have for what they hold, before the sweep looks again."""


def sweep_installations(services: Services) -> list[str]:
    """Mark every installation, whose look lists its repositories, and every POC with its pull requests."""
    return mark_all(services, as_of=None)


def fetch_missed_deliveries(services: Services) -> int:
    """Ask GitHub for the deliveries that never arrived, and return how many."""
    now = services.clock()
    try:
        missing = to_redeliver(services.app.delivery_attempts(now - KEPT), now)
        for attempt_id in missing:
            services.app.redeliver(attempt_id)
    except GitHubError as error:
        if not error.gone:
            log.warning("missed deliveries not asked for", reason=error.failure.message)
        return 0
    if missing:
        log.warning("asked for missed deliveries", deliveries=len(missing))
    return len(missing)


def mark_all(services: Services, *, as_of: datetime | None) -> list[str]:
    """Mark all there is, and return the keys."""
    keys = all_keys(services)
    with transaction(services.engine) as session:
        subjects.mark(session, keys, as_of=as_of)
    return keys


def all_keys(services: Services) -> list[str]:
    """The subjects of every installation in use, of every POC, and of its open pull requests."""
    keys: list[str] = []
    for installation_id in services.records.installations.in_use():
        keys.append(installation_key(installation_id))
        for repository_id in services.records.repositories.ids(installation_id, pocs_only=True):
            keys.append(repository_key(repository_id))
            numbers = services.records.pull_requests.open_numbers(repository_id)
            keys += [pull_request_key(repository_id, number) for number in numbers]
    return keys


def sweep(services: Services, *, as_of: datetime | None, timeout: float) -> Sequence[SubjectState]:
    """Mark everything, look at it, and return what came of it.

    Looks here as well as in the workers: it needs none to be running, and shares the work where some are.
    """
    keys = dict.fromkeys(mark_all(services, as_of=as_of))
    deadline = time.monotonic() + timeout
    pending = list(keys)
    while pending and time.monotonic() < deadline:
        for key in pending:
            look_while_dirty(services, key)
        with transaction(services.engine) as session:
            pending = subjects.ready(session)
        keys |= dict.fromkeys(pending)
        time.sleep(GLANCE if pending else 0)
    with transaction(services.engine) as session:
        return subjects.states(session, list(keys))


def dry_run(services: Services, *, as_of: datetime | None) -> Iterator[tuple[str, str, Sequence[str]]]:
    """For each subject its key, what a look finds, and the actions that it would carry out."""
    for key in all_keys(services):
        if key.startswith("installation:"):
            continue  # listing is no decision: it only marks
        try:
            decision = preview(services, Claim(key, 0, 0, as_of, ()))
        except (GitHubError, UnusableError) as error:
            yield key, f"failed: {error}", ()
        else:
            yield key, decision.outcome, [str(action) for action in decision.actions]
