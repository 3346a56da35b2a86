"""What people say on pull requests and issues: reviews, and comments that give a command."""

from __future__ import annotations

from service.deliveries.facts import EffectsBuilder, activity_facts, ignored
from service.deliveries.payloads import IssuePayload, Payload, PullRequestPayload, ReviewPayload
from service.rules.commands.parsing import parse_commands
from service.rules.values import activity
from service.rules.values.actions import poc_told_by
from service.rules.values.github import CommandLine, EventKind, EventRecord, Review
from service.rules.values.recorded import detail
from service.rules.values.subjects import DeliveryEffects, pull_request_key, repository_key

APP_USER = "Bot"
"""The type of the user in whose name an app writes."""


def reviewed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A person reviewed a pull request."""
    review, pull = _review(payload)
    if review.user is None or not review.user.is_person:
        return ignored(payload, "not a person's review")
    assert payload.repository is not None
    subject = pull_request_key(payload.repository.id, pull.number)
    repository = repository_key(payload.repository.id)
    at = review.submitted_at or pull.updated_at
    fact = EventRecord(
        id=f"{subject}:review:{review.id}:{payload.action}",
        subject=subject,
        kind=EventKind.REVIEWED,
        at=at,
        actor=review.user.login,
        detail=_detail(review, pull, review.user.login),
    )
    did = activity.reviewed(payload.repository.id, pull.number, review.id, review.user.login, at)
    return seen(
        facts=(fact, *activity_facts(payload, did)), subjects=(subject, repository), for_pocs_only=True
    )


def review_dismissed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A review was dismissed, by somebody or by new commits; the event does not say which."""
    review, pull = _review(payload)
    if review.user is not None and not review.user.is_person:
        return ignored(payload, "not a person's review")
    assert payload.repository is not None
    subject = pull_request_key(payload.repository.id, pull.number)
    fact = EventRecord(
        id=f"{subject}:review:{review.id}:{payload.action}",
        subject=subject,
        kind=EventKind.REVIEW_DISMISSED,
        # The review's own time is that of its submission.
        at=pull.updated_at,
        actor=payload.sender.login if payload.sender else "",
        detail=_detail(review, pull, review.user.login if review.user else ""),
    )
    return seen(facts=(fact,), subjects=(subject,), for_pocs_only=True)


def commented(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A person gave commands in a comment."""
    if payload.comment is None or payload.issue is None:
        raise ValueError("an issue_comment event without `comment` or `issue`")
    comment, issue = payload.comment, payload.issue
    assert payload.repository is not None
    if comment.user is None or not comment.user.is_person:
        return ignored(payload, "not a person's comment")
    is_pull_request = issue.pull_request is not None
    repository_id = payload.repository.id
    poc_id = poc_elsewhere(issue, repository_id)
    home = None if poc_id is None else repository_id
    subject = repository_key(repository_id if poc_id is None else poc_id)
    if is_pull_request:
        subject = pull_request_key(repository_id, issue.number)
    facts = tuple(
        EventRecord(
            id=f"{subject}:comment:{comment.id}:{index}",
            subject=subject,
            kind=EventKind.COMMANDED,
            at=comment.created_at,
            actor=comment.user.login,
            detail=detail(CommandLine(comment.id, issue.number, is_pull_request, command.text, index, home)),
        )
        for index, command in enumerate(parse_commands(comment.body or ""))
    )
    if not facts:
        return ignored(payload, "no command in it")
    # The central repository is no POC itself.
    return seen(facts=facts, subjects=(subject,), for_pocs_only=home is None)


def poc_elsewhere(issue: IssuePayload, repository_id: int) -> int | None:
    """The POC of another repository whose stall issue this says to be; the look knows whether it is."""
    if issue.pull_request is not None or issue.user is None or issue.user.type != APP_USER:
        return None
    poc_id = poc_told_by(issue.body or "")
    return None if poc_id == repository_id else poc_id


def _review(payload: Payload) -> tuple[ReviewPayload, PullRequestPayload]:
    if payload.review is None or payload.pull_request is None:
        raise ValueError("a pull_request_review event without `review` or `pull_request`")
    return payload.review, payload.pull_request


def _detail(review: ReviewPayload, pull: PullRequestPayload, login: str) -> str:
    return detail(Review(review.id, pull.number, login, review.state.lower(), review.commit_id or ""))
