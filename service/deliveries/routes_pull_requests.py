"""Pull requests: how they stand, what was done on them, and whose review is waited for."""

from __future__ import annotations

from collections.abc import Iterator

from service.deliveries.delivery import Delivery, event, needed, person
from service.deliveries.payloads import PullRequestPayload
from service.rules.values import activity
from service.rules.values.activity import Activity
from service.rules.values.github import EventKind, EventRecord, PullRequest
from service.rules.values.subjects import DeliveryEffects, policy_change_key, pull_request_key, repository_key

OFFERED = ("opened", "reopened", "ready_for_review")
HEAD_SHOWN = ("opened", "reopened", "synchronize")
MISSING = "a pull_request event without `pull_request`"


def pull_request_changed(delivery: Delivery) -> DeliveryEffects:
    """A pull request was opened, edited, closed, or its head moved; most of it moves the POC as well."""
    pull, repository_id = needed(delivery.pull_request, MISSING), delivery.here.id
    key, repository = pull_request_key(repository_id, pull.number), repository_key(repository_id)
    done = delivery.activities(*_done(delivery, pull))
    events = done + tuple(_head(delivery, pull, key))
    if delivery.action == "closed" and not pull.merged:
        name = f"closed-unmerged:{pull.updated_at.isoformat()}"
        events += (event(key, name, EventKind.CLOSED_UNMERGED, pull.updated_at),)
    if pull.merged:
        events += (EventRecord(f"{key}:merged", repository, EventKind.CHARTER_PUSHED, pull.updated_at),)
    if delivery.is_about_policy_repository:
        key = policy_change_key(repository_id, pull.number)
        return delivery.effects(pull_request=_described(pull, delivery), subjects=(key,))
    # A head that moved in the repository itself is reported by its push as well.
    is_quiet = delivery.action in ("edited", "synchronize") and not pull.merged and not done
    return delivery.effects(
        pull_request=_described(pull, delivery),
        events=events,
        subjects=(key,) if is_quiet else (key, repository),
        for_pocs_only=not pull.merged,
    )


def review_asked(delivery: Delivery) -> DeliveryEffects:
    """A review is asked for, or not any more: somebody was named, or it became a draft, or is ready."""
    pull = needed(delivery.pull_request, MISSING)
    return delivery.effects(
        pull_request=_described(pull, delivery),
        events=delivery.activities(*_done(delivery, pull), *_asked(delivery, pull)),
        subjects=(repository_key(delivery.here.id),),
        for_pocs_only=True,
    )


def _done(delivery: Delivery, pull: PullRequestPayload) -> Iterator[Activity]:
    """What somebody did. The commits of a branch of this repository are reported by their push."""
    repository_id, actor, at = delivery.here.id, person(delivery.sender), pull.updated_at
    if delivery.action == "opened":
        at = pull.created_at or at
        yield activity.opened(repository_id, pull.number, actor, at)
    elif delivery.action in OFFERED:
        yield activity.offered_again(repository_id, pull.number, actor, at)
    elif delivery.action == "synchronize" and not pull.head.is_in(repository_id):
        yield activity.commit(repository_id, pull.head.sha, actor, at)
    elif delivery.action == "closed" and pull.merged:
        yield activity.merged(repository_id, pull.number, actor, pull.merged_at or at)
    if pull.draft and delivery.action in (*OFFERED, "converted_to_draft"):
        yield activity.drafted(repository_id, pull.number, actor, at)


def _asked(delivery: Delivery, pull: PullRequestPayload) -> Iterator[Activity]:
    """Whom a review was asked of; a bot's is not waited for."""
    repository, team, asked = delivery.here, delivery.requested_team, person(delivery.requested_reviewer)
    if team:
        asked = activity.team(repository.full_name, team.slug)
    if asked:
        actor, removed = person(delivery.sender), delivery.action == "review_request_removed"
        yield activity.requested(
            repository.id, pull.number, asked, actor, pull.updated_at, taken_back=removed
        )


def _head(delivery: Delivery, pull: PullRequestPayload, key: str) -> Iterator[EventRecord]:
    """Who showed a head: an author who did so stands for it."""
    actor = person(delivery.sender)
    if actor and delivery.action in HEAD_SHOWN:
        name = f"head:{delivery.action}:{pull.head.sha}"
        yield event(key, name, EventKind.HEAD_MOVED, pull.updated_at, actor, pull.head.sha)


def _described(pull: PullRequestPayload, delivery: Delivery) -> PullRequest:
    return PullRequest(
        repository_id=delivery.here.id,
        number=pull.number,
        head_sha=pull.head.sha,
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        author=pull.user.login,
        state=pull.state,
        updated_at=pull.updated_at,
        before_sha=delivery.before,
    )
