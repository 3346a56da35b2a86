"""Reconcile dirty subjects, store each outcome, and retry or give up what failed.

A reconciliation holds the subject's advisory lock on the connection that stores its outcome: if the lock is
lost, the outcome is lost with it, and the subject stays dirty.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from service.github_client.transport import CALLED_FOR
from service.ports import GitHubError, RenamedError
from service.reconcile.context import Decision, Reconciliation, UnusableError, any_lock
from service.rules.queue import (
    ANSWERED_WITHIN,
    TOLD_AFTER,
    Failure,
    FailureKind,
    GiveUp,
    RetryAt,
    next_sweep,
    retry,
)
from service.rules.values.actions import AnswerDeployment, CreateCheckRun, PostComment
from service.rules.values.github import EventKind, EventRecord
from service.rules.values.recorded import answer_key, recorded_commands
from service.services import Services, Shares
from service.store import subjects
from service.store.database import LockBusyError, LockClass, further_locks, lock, transaction
from service.store.jobs import defer_reconciliations, waiting_elsewhere
from service.store.litter import delete_litter
from service.store.subjects import Claim

log = structlog.get_logger(__name__)

RECONCILIATIONS = Counter("poc_governor_looks", "Looks at subjects", ["kind", "result"])
SECONDS = Histogram("poc_governor_look_seconds", "Time of a look", ["kind"])
CHECKED = Histogram(
    "poc_governor_check_seconds",
    "Time from a delivery to its check run",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200),
)

OWN_ERROR = "an error of POC Governor itself, which its operator finds in the log"
NEEDED = {
    EventKind.DEPLOYMENT_REQUESTED: AnswerDeployment.needs,
    EventKind.RERUN_REQUESTED: CreateCheckRun.needs,
}
"""The permissions without which such an event waits for its answer."""
UNHURRIED = (FailureKind.PACED, FailureKind.SAVED)
"""Nothing failed: the subject waits for its turn."""


def reconcile_fairly(services: Services, key: str, shares: Shares) -> None:
    """Reconcile a subject, or one that waits elsewhere if its installation has its share of the looks."""
    displaced = reconcile_while_dirty(services, key, shares, yields=True)
    if displaced is None:
        return
    claim, others = displaced
    try:
        if any(_reconcile_instead(services, other, claim, shares) for other in others):
            return
    except DBAPIError as error:
        log.warning("reconciliation lost with the database", subject=key, error=str(error.orig))
    reconcile_while_dirty(services, key, shares)


def _reconcile_instead(services: Services, key: str, displaced: Claim, shares: Shares) -> bool:
    """Reconcile another subject unless somebody does; what it displaces waits for its turn again."""
    with suppress(LockBusyError), lock(services.engine, LockClass.SUBJECT, key, wait=None) as connection:
        claim = subjects.claim(connection, key)
        if claim is None:
            return False
        with transaction(services.engine) as session:
            defer_reconciliations(session, {displaced.key: displaced.urgency})
        with shares.taken(claim.installation_id):
            _reconcile_claimed(services, connection, claim)
        return True
    return False


def reconcile_while_dirty(
    services: Services, key: str, shares: Shares | None = None, *, yields: bool = False
) -> tuple[Claim, list[str]] | None:
    """Reconcile a subject until it is clean, waits, or is given up; one process at a time.

    Where it `yields`, nothing is done if its installation has its share and others wait: it returns what it
    had claimed, and these.
    """
    try:
        with lock(services.engine, LockClass.SUBJECT, key) as connection:
            claim = subjects.claim(connection, key)
            if claim is None:
                return None
            with shares.taken(claim.installation_id) if shares else nullcontext(False) as crowded:
                if yields and crowded and shares:
                    besides = shares.not_behind(claim.installation_id)
                    if others := waiting_elsewhere(connection, besides, claim.urgency, most=shares.looks):
                        return claim, others
                _reconcile_claimed(services, connection, claim)
    except LockBusyError:
        log.debug("subject locked by another worker", subject=key)
    except DBAPIError as error:
        # The subject stays dirty, and is woken when the database is back.
        log.warning("reconciliation lost with the database", subject=key, error=str(error.orig))
    return None


def _reconcile_claimed(services: Services, connection: Connection, claim: Claim | None) -> None:
    while claim is not None and _reconcile_once(services, connection, claim):
        claim = subjects.claim(connection, claim.key)


def _reconcile_once(services: Services, connection: Connection, claim: Claim) -> bool:
    """Reconcile once and store the outcome; returns whether the subject is still dirty and ready."""
    kind, started = claim.key.partition(":")[0], time.monotonic()
    CALLED_FOR.set(kind)
    ctx = services.reconciliation(claim)
    try:
        decision = _decide(services, ctx, connection)
        refused = _not_granted(ctx, decision)
        outcome = _apply(services, ctx, decision, refused)
    except UnusableError as error:
        RECONCILIATIONS.labels(kind, "unusable").inc()
        # What was said before a suspension is answered after it.
        answered = claim.facts if error.for_good else ()
        return subjects.finish(connection, claim, str(error), answered=answered)
    except RenamedError as error:
        services.store.repositories.renamed(error.repository)
        log.info("repository renamed", subject=claim.key, full_name=error.repository.full_name)
    except GitHubError as error:
        if error.failure.kind is FailureKind.RATE_LIMITED and error.failure.until is not None:
            ctx.rate_limited(error.failure.until)
        return _failed(services, connection, claim, ctx, error.failure, told=error.failure.message)
    except DBAPIError as error:
        if error.connection_invalidated or connection.invalidated:
            raise
        failure = Failure(FailureKind.TRANSIENT, f"the database refused: {error.orig}")
        return _failed(services, connection, claim, ctx, failure)
    except Exception:
        log.exception("reconciliation failed", subject=claim.key)
        failure = Failure(FailureKind.TRANSIENT, "an error of the service itself: see its log")
        return _failed(services, connection, claim, ctx, failure)
    else:
        answered = tuple(
            fact
            for fact in claim.facts
            if NEEDED.get(fact.kind) not in refused
            and not _is_unsaid(fact, ctx.unsaid, refused, services.clock())
        )
        again_at = None if ctx.unsaid else ctx.again_at
        dirty = subjects.finish(connection, claim, outcome, answered=answered, again_at=again_at)
        RECONCILIATIONS.labels(kind, "done").inc()
        if claim.marked_at and any(isinstance(each, CreateCheckRun) for each in decision.actions):
            CHECKED.observe(max(0.0, (services.clock() - claim.marked_at).total_seconds()))
        log.info("reconciled", subject=claim.key, outcome=outcome, actions=[str(a) for a in decision.actions])
        return dirty
    finally:
        _close(ctx)
        SECONDS.labels(kind).observe(time.monotonic() - started)
    return True


def _close(ctx: Reconciliation) -> None:
    """Remember what is left of GitHub's calls, and give everything back."""
    try:
        ctx.remember_calls()
    except DBAPIError as error:
        log.warning("calls not remembered", subject=ctx.key, error=str(error.orig))
    finally:
        ctx.close()


def _is_unsaid(event: EventRecord, unsaid: Collection[str], refused: Collection[str], now: datetime) -> bool:
    """Whether the answer to a command was refused, or is not granted; it is tried again for a while."""
    return event.at > now - ANSWERED_WITHIN and any(
        PostComment.needs in refused or answer_key(told.line) in unsaid for told in recorded_commands([event])
    )


def _decide(services: Services, ctx: Reconciliation, connection: Connection) -> Decision:
    """Decide, and write the notes; if a call to GitHub fails, what was learned until then is kept."""
    with further_locks(connection) as take:
        ctx.take = take
        try:
            decision = services.decide(ctx)
        except (GitHubError, UnusableError):
            services.note(ctx)
            raise
        finally:
            ctx.take = any_lock
        services.note(ctx)
        return decision


def _apply(services: Services, ctx: Reconciliation, decision: Decision, refused: Sequence[str]) -> str:
    """Carry out the actions that we have permissions for; the outcome names the others."""
    services.apply(ctx, decision, [action for action in decision.actions if action.needs not in refused])
    return decision.outcome + "".join(f"; not written: {name}: write is not granted" for name in refused)


def _not_granted(ctx: Reconciliation, decision: Decision) -> Sequence[str]:
    if decision.installation_id is None or not decision.actions:
        return ()
    granted = ctx.permissions(decision.installation_id)
    needs = {action.needs for action in decision.actions if action.needs}
    return sorted(name for name in needs if granted.get(name) != "write")


def _failed(
    services: Services,
    connection: Connection,
    claim: Claim,
    ctx: Reconciliation,
    failure: Failure,
    *,
    told: str = OWN_ERROR,
) -> bool:
    """Store when a failed reconciliation is tried again; `told` is what people may know of the failure."""
    now, attempt = services.clock(), claim.attempts + 1
    kind = claim.key.partition(":")[0]
    match retry(failure, attempt=attempt, now=now, jitter=services.waits.jitter()):
        case RetryAt(at, counts):
            if counts and attempt == TOLD_AFTER:
                _tell_unjudged(services, ctx, told, at)
            with transaction(services.engine) as session:
                subjects.postpone(session, claim, failure.message, until=at, counts=counts)
            RECONCILIATIONS.labels(kind, str(failure.kind)).inc()
            _log_postponed(claim.key, failure, at)
            return False
        case GiveUp(reason, dead):
            # Who is promised another attempt gets it: the sweep marks what is dead.
            dead = _tell_unjudged(services, ctx, told, next_sweep(now)) or dead
            dirty = subjects.give_up(connection, claim, reason, dead=dead)
            RECONCILIATIONS.labels(kind, "dead" if dead else "gone").inc()
            log.error("reconciliation given up", subject=claim.key, dead=dead, reason=reason)
            return dirty


def _log_postponed(key: str, failure: Failure, at: datetime) -> None:
    if failure.kind in UNHURRIED:
        log.info("reconciliation postponed", subject=key, until=at.isoformat(), reason=failure.message)
    else:
        log.warning("reconciliation postponed", subject=key, until=at.isoformat(), reason=failure.message)


def _tell_unjudged(services: Services, ctx: Reconciliation, cause: str, again_at: datetime) -> bool:
    """Say on a commit that it isn't judged, where one waits for that; returns whether it was said."""
    try:
        try:
            decision = services.say_unjudged(ctx, cause, again_at)
        finally:
            ctx.release()
        if _not_granted(ctx, decision):
            return False
        services.apply(ctx, decision, decision.actions)
    except (GitHubError, UnusableError, DBAPIError) as error:
        log.warning("not told that it could not be judged", subject=ctx.key, reason=str(error))
        return False
    return bool(decision.actions)


def wake_forgotten(services: Services, untouched_for: timedelta | None = None) -> None:
    """Wake the subjects that a killed worker, or a database that was away, left dirty."""
    least = services.waits.untouched if untouched_for is None else untouched_for
    with transaction(services.engine) as session:
        woken = subjects.wake_forgotten(session, untouched_for=least)
    if woken:
        log.warning("forgotten subjects woken", subjects=len(woken))


def tidy(services: Services) -> None:
    """Delete rows that are no longer needed."""
    deleted = delete_litter(services.engine)
    services.store.people.tidy(services.clock())
    log.info("tidied", rows=deleted)
