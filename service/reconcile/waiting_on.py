"""Whom a POC waits for: from what is stored and from the issues it names on GitHub; noted when it changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from service.ports import GitHubError
from service.reconcile.commit_files import commit, proposal
from service.reconcile.commit_verdict import agreement_of
from service.reconcile.context import Reconciliation
from service.reconcile.poc import Poc, PocStatus
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge_standing
from service.rules.gate.agreement import holders_of, pause_signed
from service.rules.gate.lifecycle import ON_THE_WAY, State
from service.rules.gate.signoffs import Round, named, standing
from service.rules.stall.review_requests import open_requests
from service.rules.stall.stalls import PresentPause, unsigned_part
from service.rules.stall.waiting_on import (
    Blocker,
    Party,
    PausePeriod,
    Request,
    WaitingOn,
    WaitingOnFacts,
    next_waiting_period,
    who_is_waited_for,
)
from service.rules.values.activity import ENGINEERING, last_activity, last_worker
from service.rules.values.daily_round import is_fresh
from service.rules.values.github import IssueState, PullRequest, RepositoryRef, is_bot
from service.rules.values.groups import Group
from service.rules.values.recorded import CHANGES_REQUESTED, recorded_reviews
from service.rules.values.subjects import pull_request_key
from service.store.waiting import PAUSE, KnownBlocker

WAITS_FOR_INFRA = frozenset(ON_THE_WAY) - {State.BUILDING}
REFERENCE = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)?#(?P<number>[0-9]{1,9})")
"""`#12`, or `owner/name#12`."""


def present_blocker(ctx: Reconciliation, poc: Poc, charter: Charter | None, state: State) -> Blocker | None:
    """The open blocker, if there is one; of several the one that was named last.

    Issues from the charter's `infra` block nothing until there is something to run on it.
    """
    charters = _named(charter) if state in WAITS_FOR_INFRA else []
    for reference in charters:
        poc.blocked(reference, poc.known.charter_changed_at or ctx.looked_at, commanded=False)
    found = None
    for each in poc.waiting.blockers:
        if not each.blocker.open or not (each.commanded or each.blocker.reference in charters):
            continue
        stale = each.read_at is None or not is_fresh(each.read_at, ctx.looked_at, poc.id)
        present = _read(ctx, poc, each) if stale else each.blocker
        found = present if present.open else found
    return found


def _named(charter: Charter | None) -> list[str]:
    """The issues that entries of `infra` wait for: `missing - #12`."""
    missing = charter.infra.missing.values() if charter else ()
    return [match[0] for entry in missing if (match := REFERENCE.search(entry.value.text))]


def _read(ctx: Reconciliation, poc: Poc, named: KnownBlocker) -> Blocker:
    """Ask GitHub; an issue that is gone, or that we may not read, doesn't block.

    A snooze ends when the issue that it names is closed. An issue that was never seen open is only part of
    the reason's text.
    """
    blocker = named.blocker
    match = REFERENCE.fullmatch(blocker.reference)
    assert match is not None
    repository = _place(ctx, poc, match["name"])
    present = replace(blocker, open=False)
    if repository is not None:
        try:
            issue = ctx.github(poc.known.installation_id).issue(repository, int(match["number"]))
        except GitHubError as error:
            if not error.final:
                raise
        else:
            present = replace(blocker, open=issue.state is IssueState.OPEN, assignees=issue.assignees)
    poc.saw_blocker(present, ctx.looked_at)
    if not present.open and named.read_at is not None:
        poc.snoozes_ended(ctx.policy.calendar.day(ctx.now), naming=blocker.reference)
    return present


def _place(ctx: Reconciliation, poc: Poc, name: str | None) -> RepositoryRef | None:
    """The repository that a reference names, if the same installation covers it."""
    if name is None or name.lower() == poc.known.repository.full_name.lower():
        return poc.known.repository.ref
    return ctx.store.repositories.named(poc.known.installation_id, name)


def follow_waiting_on(ctx: Reconciliation, poc: Poc, life: PocStatus) -> WaitingOn:
    """Decide whom the POC waits for, and note it if that changed."""
    charter = life.judgement.charter
    pause = _note(ctx, poc, charter) if charter else None
    periods = poc.waiting.periods
    previous = periods[-1] if periods else None
    present = who_is_waited_for(_facts(ctx, poc, life, pause))
    moved_at = last_activity(poc.waiting.acted)
    if previous is not None and previous.party is Party.BLOCKER:
        moved_at = ctx.looked_at  # a change of another issue has no event in this repository
    moved = next_waiting_period(previous, present, moved_at)
    if moved is not None:
        poc.waits_for(moved)
    return moved or previous or present


def _note(ctx: Reconciliation, poc: Poc, charter: Charter) -> PresentPause | None:
    """Note the charter's ship date and pause, which a later charter may change; returns the pause."""
    at = poc.known.charter_changed_at or ctx.looked_at
    if charter.ship_by:
        poc.promised(charter.ship_by.value, at)
    day = ctx.policy.calendar.day(at)
    blob_sha = poc.known.charter.blob_sha if poc.known.charter else None
    pause = present_pause(ctx, poc, charter, blob_sha, day)
    poc.pauses_ended(day, but=pause.source if pause else "")
    if pause:
        poc.paused(pause.source, pause.period, actor="", at=at)
    return pause


def _facts(ctx: Reconciliation, poc: Poc, life: PocStatus, pause: PresentPause | None) -> WaitingOnFacts:
    charter, stored = life.judgement.charter, poc.record.poc
    proposed = proposal(ctx, poc) if charter is None else None
    if proposed is not None:
        judgement = judge_standing(proposed[1], ctx.now.date(), ctx.policy)
        charter, valid, number = judgement.charter, judgement.valid, proposed[0].number
        since = proposed[0].updated_at
    else:
        valid, number = life.judgement.valid, None
        since = poc.known.charter_changed_at or poc.known.registered_at or poc.known.first_seen_at
    unsigned = (
        _start(poc, charter, life, since=since, number=number)
        if life.state is State.PROPOSED
        else _ship(
            charter, stored.unsigned, stored.proven_at, stored.request.number if stored.request else None
        )
    )
    done = [each for each in poc.waiting.asked if not each.taken_back]
    taken_back = [each for each in poc.waiting.asked if each.taken_back]
    requests = open_requests(done, taken_back, poc.record.open_numbers)
    asked = {login.lower() for request in requests for login in request.people}
    return WaitingOnFacts(
        state=life.state,
        since=since,
        state_since=stored.state_since,
        owner=_owner(ctx, poc, charter, proposed[0] if proposed else None),
        valid=valid,
        paused=pause is not None and pause.period.until >= ctx.policy.calendar.day(ctx.now),
        unsigned=unsigned,
        objected=tuple(_objected(ctx, poc, {each.number for each in unsigned})),
        reviews=requests,
        worker=last_worker(poc.waiting.acted),
        worked_at=last_activity(poc.waiting.acted, kinds=ENGINEERING, but=asked),
        missing_infra=tuple(charter.infra.missing) if charter else (),
        platform=named(charter, Group.PLATFORM) if charter else None,
        blocker=present_blocker(ctx, poc, charter, life.state),
        asked_to_ship=stored.request.number if stored.request else None,
        ready=stored.proven_at is not None and not stored.unsigned,
    )


def _owner(ctx: Reconciliation, poc: Poc, charter: Charter | None, pull: PullRequest | None) -> str | None:
    """Whom the charter names, or else who proposes it; of a bot's proposal, who asked the bot for it."""
    if charter and charter.owner and not is_bot(charter.owner.value):
        return charter.owner.value
    return (pull.behind or _co_author(ctx, poc, pull)) if pull else None


def _co_author(ctx: Reconciliation, poc: Poc, pull: PullRequest) -> str | None:
    """Whom a bot names as co-author of its newest commit; nobody where that was forced away."""
    try:
        return next(iter(commit(ctx, poc, pull.head_sha).co_authors), None)
    except GitHubError as error:
        if not error.final:
            raise
        return None


def _start(
    poc: Poc,
    charter: Charter | None,
    life: PocStatus,
    *,
    since: datetime,
    number: int | None,
) -> tuple[Request, ...]:
    """Whose start sign-off is missing: on the pull request with the charter, or in its issue."""
    if charter is None:
        return ()
    signed, before = life.signed, life.holders
    if number is not None:
        given = poc.record.standing
        signed, before = standing(charter, given, Round.START), {}
    requests = _requests(charter, [g for g in Group if signed.get(g) is None], since=since, number=number)
    # Who signed before a change is asked first: without them those whom it names sign in vain.
    asked = (Request((login,), since, number, group) for group, login in before.items() if login)
    return tuple({(each.people, each.group): each for each in (*asked, *requests)}.values())


def _ship(
    charter: Charter | None, groups: tuple[Group, ...], since: datetime | None, number: int | None
) -> tuple[Request, ...]:
    if charter is None or since is None:
        return ()
    return tuple(_requests(charter, list(groups), since=since, number=number))


def _requests(
    charter: Charter, groups: list[Group], *, since: datetime, number: int | None
) -> Iterator[Request]:
    for group in groups:
        login = named(charter, group)
        if login:
            yield Request((login,), since, number, group)


def _objected(ctx: Reconciliation, poc: Poc, numbers: set[int | None]) -> Iterator[str]:
    """Who requested changes last on the present head: the author has to answer them."""
    for number in numbers - {None}:
        assert number is not None
        pull = poc.record.pulls.get(number)
        last = {}
        for each in recorded_reviews(ctx.store.timeline.reviews(pull_request_key(poc.id, number))):
            last[each.review.login.lower()] = each
        for login, each in last.items():
            head = pull.head_sha if pull else None
            if (
                each.review.state == CHANGES_REQUESTED
                and not each.dismissed
                and each.review.commit_id == head
            ):
                yield login


SIGNED, IN_PART = ":signed", ":in-part"
"""How the source of a pause ends that product signed, or of which only the first days count."""


def present_pause(
    ctx: Reconciliation, poc: Poc, charter: Charter, blob_sha: str | None, first: date
) -> PresentPause | None:
    """What counts of the pause that a charter asks for, from the day of that charter."""
    if charter.paused is None:
        return None
    asked, before = charter.paused.value, agreement_of(ctx, poc, charter)
    period = PausePeriod(min(first, asked.until), asked.until, asked.reason)
    source, product = f"{PAUSE}{blob_sha or ''}", holders_of(before, charter)[Group.PRODUCT]
    if pause_signed(before, charter, poc.record.standing, ctx.policy):
        return PresentPause(period, source + SIGNED, product)
    earlier = [
        each.period
        for each in poc.waiting.pauses
        if not each.source.startswith(source) and not each.source.endswith(SIGNED)
    ]
    part = unsigned_part(period, earlier)
    return PresentPause(part, source if part == period else source + IN_PART, product)
