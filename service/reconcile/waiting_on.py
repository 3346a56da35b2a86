"""Who has the ball: gathered from what is stored, asked of GitHub where it was named, noted when it moves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from service.ports import GitHubError
from service.reconcile.context import Look
from service.reconcile.lifecycle import Life
from service.rules.charter.model import Charter, InfraKind
from service.rules.checks.judge import judge_standing
from service.rules.gate.lifecycle import State
from service.rules.gate.signoffs import Round, named, standing
from service.rules.policy.poc import KnownRepository
from service.rules.queue.retry import FailureKind
from service.rules.stall.review_requests import open_requests
from service.rules.stall.waiting_on import Ball, BallFacts, Blocker, Party, Request, Rest, turn, whose_ball
from service.rules.values.activity import ENGINEERING, is_bot
from service.rules.values.github import IssueState, RepositoryRef
from service.rules.values.groups import Group
from service.rules.values.recorded import reviews
from service.rules.values.subjects import pull_request_key
from service.store.waiting import KnownBlocker

FRESH = timedelta(days=1)
WAITS_FOR_INFRA = frozenset({State.EVALUATING, State.SHIPPING})
REFERENCE = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)?#(?P<number>[0-9]{1,9})")
"""`#12`, or `owner/name#12`."""


def present_blocker(
    look: Look, known: KnownRepository, charter: Charter | None, state: State
) -> Blocker | None:
    """The blocker that is open, if there is one: of several the one that was named last.

    What the charter's `infra` waits for holds nothing up before there is something to run on it.
    """
    waiting, repository_id = look.records.waiting, known.repository.id
    charters = _named(charter) if state in WAITS_FOR_INFRA else []
    if not look.dry:
        for reference in charters:
            at = known.charter_changed_at or look.looked_at
            waiting.blocked(repository_id, reference, at, commanded=False)
    found = None
    for each in waiting.blockers(repository_id):
        if not each.blocker.open or not (each.commanded or each.blocker.reference in charters):
            continue
        stale = each.read_at is None or each.read_at < look.looked_at - FRESH
        present = _read(look, known, each) if stale else each.blocker
        found = present if present.open else found
    return found


def _named(charter: Charter | None) -> list[str]:
    """The issues that entries of `infra` wait for: `missing - #12`."""
    if charter is None:
        return []
    entries = (getattr(charter.infra, name) for name in charter.infra.__slots__)
    texts = [entry.value.text for entry in entries if entry and entry.value.kind is InfraKind.MISSING]
    return [match[0] for text in texts if (match := REFERENCE.search(text))]


def _read(look: Look, known: KnownRepository, named: KnownBlocker) -> Blocker:
    """Ask GitHub; an issue that is gone, or that we may not see, blocks nothing that we could follow.

    A snooze ends with the issue that it waits for. One that was never seen open is only a word of the reason.
    """
    blocker = named.blocker
    match = REFERENCE.fullmatch(blocker.reference)
    assert match is not None
    repository = _place(look, known, match["name"])
    present = replace(blocker, open=False)
    if repository is not None:
        try:
            issue = look.github(known.installation_id).issue(repository, int(match["number"]))
        except GitHubError as error:
            if error.failure.kind not in (FailureKind.GONE, FailureKind.REFUSED):
                raise
        else:
            present = replace(blocker, open=issue.state is IssueState.OPEN, assignees=issue.assignees)
    look.records.waiting.saw_blocker(known.repository.id, present, look.looked_at)
    if not present.open and named.read_at is not None and not look.dry:
        look.records.waiting.end_snoozes(
            known.repository.id, look.policy.calendar.day(look.now), naming=blocker.reference
        )
    return present


def _place(look: Look, known: KnownRepository, name: str | None) -> RepositoryRef | None:
    """The repository that a reference names, where the same installation covers it."""
    if name is None or name.lower() == known.repository.full_name.lower():
        return known.repository.ref
    return look.records.repositories.named(known.installation_id, name)


CHANGES_REQUESTED = "changes_requested"


def hold(look: Look, known: KnownRepository, life: Life) -> Ball:
    """Decide who has the ball, and note it where it has moved."""
    waiting, repository_id = look.records.waiting, known.repository.id
    charter = life.judgement.charter
    if charter and not look.dry:
        _note(look, known, charter)
    turns = waiting.turns(repository_id)
    previous = turns[-1] if turns else None
    present = whose_ball(_facts(look, known, life))
    moved_at = look.records.timeline.last(repository_id)
    if previous is not None and previous.party is Party.BLOCKER:
        moved_at = look.looked_at  # that another issue was closed or reassigned is nobody's doing here
    moved = turn(previous, present, moved_at)
    if moved is not None and not look.dry:
        waiting.passed(repository_id, moved)
    return moved or previous or present


def _note(look: Look, known: KnownRepository, charter: Charter) -> None:
    """Keep what the charter says now and may not say tomorrow: its ship date, its pause."""
    waiting, repository_id = look.records.waiting, known.repository.id
    at = known.charter_changed_at or look.looked_at
    if charter.ship_by:
        waiting.promised(repository_id, charter.ship_by.value, at)
    source = f"charter:{known.charter.blob_sha if known.charter else ''}"
    rest = pause_of(charter, look.policy.calendar.day(at))
    waiting.end_pauses(repository_id, look.policy.calendar.day(at), but=source)
    if rest:
        waiting.rested(repository_id, source, rest, actor="", at=at)


def pause_of(charter: Charter, first: date) -> Rest | None:
    """The pause that a charter asks for, from the day on which it came."""
    if charter.paused is None:
        return None
    pause = charter.paused.value
    return Rest(min(first, pause.until), pause.until, pause.reason)


def _facts(look: Look, known: KnownRepository, life: Life) -> BallFacts:
    records, repository_id = look.records, known.repository.id
    charter, stored = life.judgement.charter, records.pocs.find(repository_id)
    proposed = records.pull_requests.proposal(repository_id) if charter is None else None
    if proposed is not None:
        judgement = judge_standing(proposed[1], look.now.date(), look.policy)
        charter, valid, number = judgement.charter, judgement.valid, proposed[0].number
        since = proposed[0].updated_at
    else:
        valid, number = life.judgement.valid, None
        since = known.charter_changed_at or known.registered_at or known.first_seen_at
    unsigned = (
        _start(look, known, charter, life, since=since, number=number)
        if life.state is State.PROPOSED
        else _ship(
            charter, stored.unsigned, stored.proven_at, stored.request.number if stored.request else None
        )
    )
    requests = open_requests(
        *records.timeline.requests(repository_id), records.pull_requests.open_numbers(repository_id)
    )
    asked = {login.lower() for request in requests for login in request.people}
    return BallFacts(
        state=life.state,
        since=since,
        state_since=stored.state_since,
        owner=_owner(charter, proposed[0].author if proposed else None),
        valid=valid,
        paused=bool(
            charter and charter.paused and charter.paused.value.until >= look.policy.calendar.day(look.now)
        ),
        unsigned=unsigned,
        objected=tuple(_objected(look, repository_id, {each.number for each in unsigned})),
        reviews=requests,
        worked_at=records.timeline.last(repository_id, deeds=ENGINEERING, but=asked),
        missing_infra=_missing(charter),
        platform=named(charter, Group.PLATFORM) if charter else None,
        blocker=present_blocker(look, known, charter, life.state),
        asked_to_ship=stored.request.number if stored.request else None,
        ready=stored.proven_at is not None and not stored.unsigned,
    )


def _owner(charter: Charter | None, author: str | None) -> str | None:
    """Whom the charter names; before it names anybody, the person who proposes it."""
    if charter and charter.owner:
        return charter.owner.value
    return author if author and not is_bot(author) else None


def _start(
    look: Look,
    known: KnownRepository,
    charter: Charter | None,
    life: Life,
    *,
    since: datetime,
    number: int | None,
) -> tuple[Request, ...]:
    """Whose start signature is missing: on the pull request that brings the charter, or in its issue."""
    if charter is None:
        return ()
    signed = life.signed
    if number is not None:
        given = look.records.signatures.standing(known.repository.id)
        signed = standing(charter, given, Round.START)
    return tuple(_requests(charter, [g for g in Group if signed.get(g) is None], since=since, number=number))


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


def _missing(charter: Charter | None) -> tuple[str, ...]:
    if charter is None:
        return ()
    entries = ((name, getattr(charter.infra, name)) for name in charter.infra.__slots__)
    return tuple(name for name, entry in entries if entry and entry.value.kind is InfraKind.MISSING)


def _objected(look: Look, repository_id: int, numbers: set[int | None]) -> Iterator[str]:
    """Who asked for changes last, on the commit that is still the head: they wait for others."""
    for number in numbers - {None}:
        assert number is not None
        pull = look.records.pull_requests.find(repository_id, number)
        last = {}
        for each in reviews(look.records.signatures.reviews(pull_request_key(repository_id, number))):
            last[each.review.login.lower()] = each
        for login, each in last.items():
            head = pull.head_sha if pull else None
            if (
                each.review.state == CHANGES_REQUESTED
                and not each.dismissed
                and each.review.commit_id == head
            ):
                yield login
