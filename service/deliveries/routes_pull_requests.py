"""Pull requests: how they stand, what was done on them, and whose review is waited for."""

from __future__ import annotations

from collections.abc import Iterator

from service.deliveries.facts import EffectsBuilder, activity_facts, is_policys, person
from service.deliveries.payloads import Payload, PullRequestPayload
from service.rules.values import activity
from service.rules.values.activity import Activity
from service.rules.values.github import EventKind, EventRecord, PullRequest
from service.rules.values.subjects import DeliveryEffects, policy_change_key, pull_request_key, repository_key

OFFERED = ("opened", "reopened", "ready_for_review")
HEAD_SHOWN = ("opened", "reopened", "synchronize")


def pull_request_changed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A pull request was opened, edited, closed, or its head moved; most of it moves the POC as well."""
    assert payload.repository is not None
    pull, repository_id = _pull(payload), payload.repository.id
    key, repository = pull_request_key(repository_id, pull.number), repository_key(repository_id)
    done = activity_facts(payload, *_done(payload, pull))
    facts = done + tuple(_moved(payload, pull, key))
    if payload.action == "closed" and not pull.merged:
        fact_id = f"{key}:closed-unmerged:{pull.updated_at.isoformat()}"
        facts += (EventRecord(fact_id, key, EventKind.CLOSED_UNMERGED, pull.updated_at),)
    if pull.merged:
        facts += (EventRecord(f"{key}:merged", repository, EventKind.CHARTER_PUSHED, pull.updated_at),)
    if is_policys(payload):
        key = policy_change_key(repository_id, pull.number)
        return seen(pull_request=_described(payload, pull), subjects=(key,))
    # A head that moved in the repository itself is told of by its push as well.
    is_quiet = payload.action in ("edited", "synchronize") and not pull.merged and not done
    subjects = (key,) if is_quiet else (key, repository)
    return seen(
        pull_request=_described(payload, pull),
        facts=facts,
        subjects=subjects,
        for_pocs_only=not pull.merged,
    )


def review_asked(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A review is asked for, or not any more: somebody was named, or it became a draft, or is ready."""
    assert payload.repository is not None
    pull = _pull(payload)
    return seen(
        pull_request=_described(payload, pull),
        facts=activity_facts(payload, *_done(payload, pull), *_asked(payload, pull)),
        subjects=(repository_key(payload.repository.id),),
        for_pocs_only=True,
    )


def _done(payload: Payload, pull: PullRequestPayload) -> Iterator[Activity]:
    """What somebody did. The commits of a branch of this repository are told of by their push."""
    assert payload.repository is not None
    repository_id, actor, at = payload.repository.id, person(payload.sender), pull.updated_at
    if payload.action == "opened":
        at = pull.created_at or at
        yield activity.opened(repository_id, pull.number, actor, at)
    elif payload.action in OFFERED:
        yield activity.offered_again(repository_id, pull.number, actor, at)
    elif payload.action == "synchronize" and not pull.head.is_in(repository_id):
        yield activity.commit(repository_id, pull.head.sha, actor, at)
    elif payload.action == "closed" and pull.merged:
        yield activity.merged(repository_id, pull.number, actor, pull.merged_at or at)
    if pull.draft and payload.action in (*OFFERED, "converted_to_draft"):
        yield activity.drafted(repository_id, pull.number, actor, at)


def _asked(payload: Payload, pull: PullRequestPayload) -> Iterator[Activity]:
    """Whom a review was asked of; a bot's is not waited for."""
    assert payload.repository is not None
    team, asked = payload.requested_team, person(payload.requested_reviewer)
    if team:
        asked = activity.team(payload.repository.full_name, team.slug)
    if asked:
        yield activity.requested(
            payload.repository.id,
            pull.number,
            asked,
            person(payload.sender),
            pull.updated_at,
            taken_back=payload.action == "review_request_removed",
        )


def _moved(payload: Payload, pull: PullRequestPayload, key: str) -> Iterator[EventRecord]:
    """Who showed a head: an author who did so stands for it."""
    actor = person(payload.sender)
    if actor and payload.action in HEAD_SHOWN:
        fact_id = f"{key}:head:{payload.action}:{pull.head.sha}"
        yield EventRecord(fact_id, key, EventKind.HEAD_MOVED, pull.updated_at, actor, pull.head.sha)


def _pull(payload: Payload) -> PullRequestPayload:
    if payload.pull_request is None:
        raise ValueError("a pull_request event without `pull_request`")
    return payload.pull_request


def _described(payload: Payload, pull: PullRequestPayload) -> PullRequest:
    assert payload.repository is not None
    return PullRequest(
        repository_id=payload.repository.id,
        number=pull.number,
        head_sha=pull.head.sha,
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        author=pull.user.login,
        state=pull.state,
        updated_at=pull.updated_at,
        before_sha=payload.before,
    )
