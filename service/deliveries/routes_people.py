"""What people say on pull requests and issues: reviews, and comments that give a command."""

from __future__ import annotations

from service.deliveries.delivery import Delivery, event, needed
from service.deliveries.payloads import IssuePayload, PullRequestPayload, ReviewPayload
from service.rules.commands.parsing import parse_commands
from service.rules.values import activity
from service.rules.values.actions import poc_told_by
from service.rules.values.github import CommandLine, EventKind, Review
from service.rules.values.recorded import detail
from service.rules.values.subjects import DeliveryEffects, pull_request_key, repository_key

APP_USER = "Bot"
"""The type of the user in whose name an app writes."""


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
    return delivery.effects(
        events=(given, *delivery.activities(did)),
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
    return delivery.effects(events=(dismissed,), subjects=(subject,), for_pocs_only=True)


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
    events = tuple(
        event(
            subject,
            f"comment:{comment.id}:{index}",
            EventKind.COMMANDED,
            comment.created_at,
            login,
            detail(CommandLine(comment.id, issue.number, is_pull_request, command.text, index, home)),
        )
        for index, command in enumerate(parse_commands(comment.body or ""))
    )
    if not events:
        return delivery.ignored("no command in it")
    # The central repository is no POC itself.
    return delivery.effects(events=events, subjects=(subject,), for_pocs_only=home is None)


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
    return detail(Review(review.id, pull.number, login, review.state.lower(), review.commit_id or ""))
