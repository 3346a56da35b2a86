"""The inputs of a stall decision, from what is stored; the owner's access is read once a day."""

from __future__ import annotations

from datetime import datetime

from service.ports import GitHubError
from service.reconcile.commit_verdict import ask_access
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge_standing
from service.rules.checks.surroundings import Access
from service.rules.policy.model import Mode, Policy
from service.rules.policy.recognition import KnownRepository, mode_of
from service.rules.queue import FailureKind
from service.rules.stall.stalls import StallFacts
from service.rules.stall.waiting_on import Party, WaitingOn
from service.rules.values.activity import last_by_person
from service.rules.values.daily_round import is_fresh
from service.rules.values.github import StallIssue
from service.store.poc_records import StoredStall
from service.store.pocs import KnownAccess


def stall_facts(
    ctx: Reconciliation,
    poc: Poc,
    charter: Charter | None,
    *,
    waiting_on: WaitingOn | None,
    issue: StallIssue | None,
    has_home: bool,
) -> StallFacts:
    """The inputs, with what GitHub has to be asked for."""
    installation_id, day = poc.known.installation_id, ctx.policy.calendar.day(ctx.now)
    waiting = poc.waiting
    stored = StoredStall(
        standing=poc.record.poc,
        turn=waiting_on,
        rest=waiting.pauses[-1].period if waiting.pauses else None,
        issue=issue,
        acted=last_by_person(waiting.acted),
    )
    return _facts(
        stored,
        poc.known,
        charter,
        ctx.policy,
        has_home=has_home,
        owner=_owner(ctx, poc, charter, stored.standing.owner),
        opened_today=ctx.store.stall_issues.opened_on(installation_id, day),
        observe=ctx.observe,
    )


def stall_facts_stored(
    stored: StoredStall, known: KnownRepository, policy: Policy, now: datetime
) -> StallFacts:
    """The same for a policy that isn't in force, without a call to GitHub."""
    charter, owner = None, stored.standing.owner
    if known.charter is not None:
        charter = judge_standing(known.charter, policy.calendar.day(now), policy=policy).charter
    return _facts(
        stored,
        known,
        charter,
        policy,
        has_home=known.repository.has_issues or policy.central_repository is not None,
        owner=owner if _names(charter, owner) else None,
        opened_today=0,
        observe=mode_of(policy, known.repository, begins=False) is Mode.OBSERVE,
    )


def _facts(
    stored: StoredStall,
    known: KnownRepository,
    charter: Charter | None,
    policy: Policy,
    *,
    has_home: bool,
    owner: KnownAccess | None,
    opened_today: int,
    observe: bool,
) -> StallFacts:
    return StallFacts(
        is_poc=known.poc_reason is not None,
        dormant=known.dormant,
        has_home=has_home,
        registered_at=known.registered_at or known.first_seen_at,
        state=stored.standing.state,
        policy=policy,
        waiting_on=stored.turn,
        charter=charter,
        chartered_at=known.chartered_at,
        charter_changed_at=known.charter_changed_at,
        acted_at=_acted_at(stored),
        activity_at=stored.activity_at,
        rest=stored.rest,
        owner_gone=owner is not None and owner.access is not Access.WRITE,
        owner_since=owner.since if owner else None,
        issue=stored.issue,
        opened_today=opened_today,
        observe=observe,
        archived=known.repository.archived,
        shipped_at=stored.standing.shipped_at,
    )


def _acted_at(stored: StoredStall) -> datetime | None:
    """When the party waited for last did anything; any work on the POC counts for the owner."""
    waiting_on = stored.turn
    if waiting_on is None or waiting_on.party in (Party.OWNER, Party.UNNAMED):
        return stored.activity_at
    return stored.acted_at(waiting_on.people)


def _owner(
    ctx: Reconciliation, poc: Poc, charter: Charter | None, last: KnownAccess | None
) -> KnownAccess | None:
    """The owner's permission in the repository; None without an owner, or without GitHub's answer."""
    if charter is None or charter.owner is None or charter.stopped:
        return None
    login = charter.owner.value
    if last and _names(charter, last) and is_fresh(last.asked_at, ctx.looked_at, poc.id):
        return last
    try:
        access = ask_access(ctx.github(poc.known.installation_id), poc.known.repository.ref, login)
    except GitHubError as error:
        if error.failure.kind is not FailureKind.REFUSED:
            raise
        return None
    now = ctx.looked_at
    unchanged = last is not None and _names(charter, last) and last.access is access
    found = KnownAccess(login, access, now, last.since if last and unchanged else now)
    poc.owner_may(found)
    return found


def _names(charter: Charter | None, owner: KnownAccess | None) -> bool:
    """Whether the stored permission is that of the charter's owner."""
    named = charter.owner_login if charter else None
    return named is not None and owner is not None and named.lower() == owner.login.lower()
