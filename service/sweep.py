"""The safety net: marks subjects dirty without being asked, and evaluates nothing itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from service.ports import GitHubError
from service.reconcile.context import Decision, UnusableError
from service.rules.queue import KEPT, Urgency, to_redeliver
from service.rules.values.actions import OpenIssue
from service.rules.values.subjects import SubjectKind, installation_key
from service.services import Services
from service.store import subjects
from service.store.database import transaction
from service.store.subjects import Claim, SubjectState
from service.store.sweeps import swept
from service.worker import reconcile_while_dirty

log = structlog.get_logger(__name__)

PORTION = 500
"""Subjects that are marked in one transaction: its locks are held briefly."""
GLANCE = 0.2
"""Seconds that workers have for what they hold, before the sweep looks again."""


def fetch_missed_deliveries(services: Services) -> None:
    """Ask GitHub again for the deliveries that never arrived."""
    now = services.clock()
    try:
        failed = list(services.app.failed_deliveries(now - KEPT))
    except GitHubError as error:
        if not error.gone:  # a server without that list has nothing to send again
            log.warning("missed deliveries not asked for", reason=error.failure.message)
        return
    with transaction(services.engine) as session:
        stored = subjects.stored_deliveries(session, {attempt.guid for attempt in failed})
    for attempt_id in to_redeliver(failed, stored, now):
        try:
            services.app.redeliver(attempt_id)
        except GitHubError as error:
            log.warning("missed delivery not sent again", attempt=attempt_id, reason=error.failure.message)


def mark_due(services: Services, *, began: datetime | None = None) -> list[str]:
    """Mark what time alone may have changed, or what nobody looked at since `began`; return the keys."""
    with transaction(services.engine) as session:
        due = swept(session, announces=services.announces, due_by=services.clock(), began=began)
    return _mark(services, due)


def mark_all(services: Services, *, as_of: datetime | None = None) -> list[str]:
    """Mark all there is, and return the keys."""
    return _mark(services, all_keys(services), as_of=as_of)


def all_keys(services: Services) -> list[str]:
    """The subjects of every installation, of every POC, and of its open pull requests."""
    with transaction(services.engine) as session:
        return swept(session, announces=services.announces)


def _mark(services: Services, keys: Sequence[str], *, as_of: datetime | None = None) -> list[str]:
    """Mark these, and the installations that GitHub knows and we don't, a portion at a time."""
    try:
        listed = [installation_key(each) for each in services.app.installation_ids()]
    except GitHubError as error:
        log.warning("installations not listed", reason=error.failure.message)
        listed = []
    keys = list(dict.fromkeys([*listed, *keys]))
    for begin in range(0, len(keys), PORTION):
        with transaction(services.engine) as session:
            portion = keys[begin : begin + PORTION]
            subjects.mark(session, portion, as_of=as_of, at_most=Urgency.NOBODY)
    return keys


def sweep(services: Services, *, as_of: datetime | None, timeout: float) -> Sequence[SubjectState]:
    """Mark everything, look at it, and return what came of it.

    Looks here as well as in the workers: it needs none to be running, and shares the work where some are.
    """
    keys = dict.fromkeys(mark_all(services, as_of=as_of))
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with transaction(services.engine) as session:
            ready = subjects.ready(session)
        for key in ready:
            reconcile_while_dirty(services, key)
        keys |= dict.fromkeys(ready)
        with transaction(services.engine) as session:
            states = subjects.states(session, list(keys))
        end = services.clock() + timedelta(seconds=deadline - time.monotonic())
        if not any(
            state.dirty and (state.waits_until is None or state.waits_until < end) for state in states
        ):
            break
        time.sleep(GLANCE)
    return states


def dry_run(services: Services, *, as_of: datetime | None) -> Iterator[tuple[str, str, Sequence[str]]]:
    """For each subject its key, what a look finds, and the actions that it would carry out.

    It is the same reconciliation over a database that refuses every change.
    """
    looking = services.read_only()
    try:
        yield from _previews(looking, as_of)
    finally:
        looking.engine.dispose()


def _previews(services: Services, as_of: datetime | None) -> Iterator[tuple[str, str, Sequence[str]]]:
    opened: Counter[int | None] = Counter()
    for key in all_keys(services):
        if key.startswith((SubjectKind.INSTALLATION, SubjectKind.POLICY)):
            continue  # listing and reading decide nothing: they only mark
        with transaction(services.engine) as session:
            claim = subjects.peek(session, key, as_of)
        try:
            decision = _preview(services, claim)
        except (GitHubError, UnusableError) as error:
            yield key, f"failed: {error}", ()
            continue
        actions = []
        for action in decision.actions:
            opened[decision.installation_id] += isinstance(action, OpenIssue)
            later = isinstance(action, OpenIssue) and opened[decision.installation_id] > action.most
            actions.append(f"{action}, not before tomorrow" if later else str(action))
        yield key, decision.outcome, actions


def _preview(services: Services, claim: Claim) -> Decision:
    """Gather and decide without notes or actions."""
    ctx = services.reconciliation(claim)
    try:
        return services.decide(ctx)
    finally:
        ctx.close()
