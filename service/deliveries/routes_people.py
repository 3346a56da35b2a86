"""What people do on pull requests and issues: pull requests, reviews, and comments that give a command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from service.deliveries.delivery import Delivery, event, needed, person
from service.deliveries.payloads import IssuePayload, PullRequestPayload, ReviewPayload
from service.rules.commands.parsing import parse_commands
from service.rules.values import activity
from service.rules.values.actions import poc_told_by
from service.rules.values.activity import Activity
from service.rules.values.github import (
    APP_USER,
    CommandLine,
    EventKind,
    EventRecord,
    PullRequest,
    Review,
    SaidIn,
)
from service.rules.values.recorded import detail
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
    author = person(delivery.sender)
    if author and delivery.action == "opened" and not delivery.is_about_policy_repository:
        line = CommandLine(pull.number, pull.number, True, "", said_in=SaidIn.DESCRIPTION)
        events += _commands(key, pull.body, line, author, pull.created_at or pull.updated_at)
    if pull.merged:
        events += (EventRecord(f"{key}:merged", repository, EventKind.CHARTER_PUSHED, pull.updated_at),)
    if delivery.is_about_policy_repository:
        keys = (policy_change_key(repository_id, pull.number), key)
        return delivery.effects(pull_request=_described(pull, delivery), subjects=keys)
    # A head that moved in the repository itself is reported by its push as well.
    is_quiet = delivery.action in ("edited", "synchronize") and not pull.merged and not done
    return delivery.effects(
        pull_request=_described(pull, delivery),
        events=events,
        subjects=(key,) if is_quiet else (key, repository),
        branch=pull.base.ref if pull.state == "open" else None,
        # A charter that a merge brings is named by the push that comes with it.
        for_pocs_only=True,
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
        author=pull.user.login if pull.user else "",
        state="merged" if pull.merged else pull.state,
        updated_at=pull.updated_at,
        before_sha=delivery.before,
        behind=person(pull.user, *pull.assignees),
    )


def reviewed(delivery: Delivery) -> DeliveryEffects:
    """A person reviewed a pull request."""
    review, pull = _review(delivery)
    if review.user is None or not review.user.is_person:
        return delivery.ignored("not a person's review")
    login, repository_id = review.user.login, delivery.here.id
    subject = pull_request_key(repository_id, pull.number)
    at = review.submitted_at or pull.updated_at
    name = f"review:{review.id}:{delivery.action}"
    given = event(subject, name, EventKind.REVIEWED, at, login, _detail(review, pull, login))
    did = activity.reviewed(repository_id, pull.number, review.id, login, at)
    account_id = review.user.id
    line = CommandLine(review.id, pull.number, True, "", said_in=SaidIn.REVIEW, account_id=account_id)
    commands = _commands(subject, review.body, line, login, at)
    return delivery.effects(
        events=(given, *commands, *delivery.activities(did)),
        subjects=(subject, repository_key(repository_id)),
        for_pocs_only=True,
    )


def review_dismissed(delivery: Delivery) -> DeliveryEffects:
    """A review was dismissed, by somebody or by new commits; the event does not say which."""
    review, pull = _review(delivery)
    if review.user is not None and not review.user.is_person:
        return delivery.ignored("not a person's review")
    subject = pull_request_key(delivery.here.id, pull.number)
    said = _detail(review, pull, review.user.login if review.user else "")
    name = f"review:{review.id}:{delivery.action}"
    # The review's own time is that of its submission.
    at = pull.updated_at
    dismissed = event(subject, name, EventKind.REVIEW_DISMISSED, at, delivery.sent_by, said)
    subjects = (subject, repository_key(delivery.here.id))  # whoever was waited for may not be any more
    return delivery.effects(events=(dismissed,), subjects=subjects, for_pocs_only=True)


def commented(delivery: Delivery) -> DeliveryEffects:
    """A person gave commands in a comment."""
    missing = "an issue_comment event without `comment` or `issue`"
    comment, issue = needed(delivery.comment, missing), needed(delivery.issue, missing)
    if comment.user is None or not comment.user.is_person:
        return delivery.ignored("not a person's comment")
    login, repository_id = comment.user.login, delivery.here.id
    is_pull_request = issue.pull_request is not None
    poc_id = poc_elsewhere(issue, repository_id)
    home = None if poc_id is None else repository_id
    subject = repository_key(repository_id if poc_id is None else poc_id)
    if is_pull_request:
        subject = pull_request_key(repository_id, issue.number)
    account_id = comment.user.id
    line = CommandLine(comment.id, issue.number, is_pull_request, "", home=home, account_id=account_id)
    events = _commands(subject, comment.body, line, login, comment.created_at)
    if not events:
        return delivery.ignored("no command in it")
    # The central repository isn't a POC itself.
    return delivery.effects(events=events, subjects=(subject,), for_pocs_only=home is None)


def _commands(
    subject: str, said: str | None, place: CommandLine, login: str, at: datetime
) -> tuple[EventRecord, ...]:
    """The commands of a text that somebody wrote at a place."""
    return tuple(
        event(
            subject,
            f"{place.said_in}:{place.comment_id}:{index}",
            EventKind.COMMANDED,
            at,
            login,
            detail(replace(place, text=command.text, index=index)),
        )
        for index, command in enumerate(parse_commands(said or ""))
    )


def poc_elsewhere(issue: IssuePayload, repository_id: int) -> int | None:
    """The POC of another repository whose stall issue this says to be; reconciling finds out if it is."""
    if issue.pull_request is not None or issue.user is None or issue.user.type != APP_USER:
        return None
    poc_id = poc_told_by(issue.body or "")
    return None if poc_id == repository_id else poc_id


def _review(delivery: Delivery) -> tuple[ReviewPayload, PullRequestPayload]:
    missing = "a pull_request_review event without `review` or `pull_request`"
    return needed(delivery.review, missing), needed(delivery.pull_request, missing)


def _detail(review: ReviewPayload, pull: PullRequestPayload, login: str) -> str:
    account_id = review.user.id if review.user else None
    state, commit_id = review.state.lower(), review.commit_id or ""
    return detail(Review(review.id, pull.number, login, state, commit_id, account_id))
