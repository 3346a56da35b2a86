"""The reviews that are waited for: asked for, not given, on a pull request that is open and ready."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from service.rules.stall.waiting_on import TEAM, Request
from service.rules.values.activity import Activity, ActivityKind


def open_requests(
    activities: Iterable[Activity], taken_back: Iterable[Activity], open_pulls: Collection[int]
) -> tuple[Request, ...]:
    """The reviews that haven't come, the oldest request first.

    Any review after the request answers it, whatever it says; for a team, anybody's but that of the person
    who asked. A draft waits for nobody; once it's ready, the waiting begins then.
    """
    done, ended = tuple(activities), tuple(taken_back)
    waiting = []
    for asked in _newest(done, open_pulls):
        assert asked.number is not None
        ready_at = _ready_at(asked.number, done, ended)
        if ready_at is not None and not _answered(asked, done) and not _removed(asked, ended):
            waiting.append(Request((asked.asked,), max(asked.at, ready_at), asked.number))
    return tuple(sorted(waiting, key=lambda request: (request.since, request.number, request.people)))


def _newest(done: Iterable[Activity], open_pulls: Collection[int]) -> list[Activity]:
    """The last request to each person or team on each open pull request: asking again starts anew."""
    newest: dict[tuple[int | None, str], Activity] = {}
    for each in done:
        if each.deed is ActivityKind.REVIEW_REQUESTED and each.number in open_pulls and each.asked:
            key = each.number, each.asked.lower()
            if key not in newest or newest[key].at <= each.at:
                newest[key] = each
    return list(newest.values())


def _ready_at(number: int, done: Iterable[Activity], ended: Iterable[Activity]) -> datetime | None:
    """When a pull request became ready for review; None while it's a draft."""
    offered = [each.at for each in done if each.deed is ActivityKind.PULL_REQUEST and each.number == number]
    drafts = [each.at for each in ended if each.deed is ActivityKind.PULL_REQUEST and each.number == number]
    if not drafts:
        return datetime.min.replace(tzinfo=UTC)
    # A pull request opened as a draft is recorded as opened and as draft with the same timestamp.
    after = [at for at in offered if at > max(drafts)]
    return min(after, default=None)


def _answered(asked: Activity, done: Iterable[Activity]) -> bool:
    return any(
        each.deed is ActivityKind.REVIEW
        and each.number == asked.number
        and each.at >= asked.at
        and _may_answer(each.actor.lower(), asked)
        for each in done
    )


def _may_answer(reviewer: str, asked: Activity) -> bool:
    if TEAM in asked.asked:
        return reviewer != asked.actor.lower()
    return reviewer == asked.asked.lower()


def _removed(asked: Activity, ended: Iterable[Activity]) -> bool:
    return any(
        each.deed is ActivityKind.REVIEW_REQUESTED
        and each.number == asked.number
        and each.asked.lower() == asked.asked.lower()
        and each.at >= asked.at
        for each in ended
    )
