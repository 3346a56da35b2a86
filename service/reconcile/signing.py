"""Approvals become signatures: bound to what was approved, and withdrawn when they are taken back."""

from __future__ import annotations

from collections.abc import Iterator

from service.ports import GitHubError
from service.reconcile.commit_files import charter_at
from service.reconcile.commit_verdict import Weighed
from service.reconcile.context import Look
from service.rules.charter.model import Charter
from service.rules.checks.judge import declares, judge
from service.rules.gate.signoffs import OPENED, Round, give
from service.rules.policy.poc import KnownRepository
from service.rules.values.github import FactKind, PullRequest
from service.rules.values.recorded import ToldReview, reviews
from service.rules.values.subjects import pull_request_key

APPROVED, CHANGES_REQUESTED = "approved", "changes_requested"


def record_signatures(look: Look, known: KnownRepository, pull: PullRequest, weighed: Weighed) -> None:
    """Record what a pull request's author and reviewers have signed; each review and head signs once.

    Every approval signs for shipping, should the owner ask for it here; on a change of the charter it signs
    for that as well.
    """
    if weighed.charter is None or look.dry:
        return
    rounds = (Round.START, Round.SHIP) if weighed.verdict.case.written else (Round.SHIP,)
    if look.records.signatures.moved_by_author(pull):
        source = f"{OPENED}{pull.number}:{pull.head_sha}"
        for each in rounds:
            given = give(
                weighed.charter, pull.author, each, look.looked_at, pull.number, source, before=weighed.before
            )
            look.records.signatures.give(pull.repository_id, given)
    if look.told(FactKind.REVIEWED) or look.told(FactKind.REVIEW_DISMISSED):
        _record_reviews(look, known, pull, weighed, rounds)


def _record_reviews(
    look: Look, known: KnownRepository, pull: PullRequest, weighed: Weighed, rounds: tuple[Round, ...]
) -> None:
    """All reviews of the pull request again, since they arrive in any order."""
    told = reviews(look.records.signatures.reviews(pull_request_key(pull.repository_id, pull.number)))
    for each in told:
        if each.review.state != APPROVED or each.dismissed:
            continue
        charter = _approved(look, known, weighed, each)
        if charter is None:
            continue
        for round_ in rounds:
            given = give(
                charter, each.review.login, round_, each.at, pull.number, _source(each), before=weighed.before
            )
            look.records.signatures.give(pull.repository_id, given)
    for each in told:
        if taken := tuple(_taken_back(look, known, pull, each, told)):
            look.records.signatures.withdraw(pull.repository_id, taken, each.at)


def _taken_back(
    look: Look, known: KnownRepository, pull: PullRequest, each: ToldReview, told: tuple[ToldReview, ...]
) -> Iterator[str]:
    """Which approvals end with this: a dismissal by a person, or the same person's request for changes."""
    if each.dismissed:
        github = look.github(known.installation_id)
        if not github.dismissed_by_push(known.repository.ref, pull.number, each.review.id):
            yield _source(each)
    elif each.review.state == CHANGES_REQUESTED:
        login = each.review.login.lower()
        yield from (_source(o) for o in told if o.review.login.lower() == login and o.at <= each.at)


def _source(each: ToldReview) -> str:
    return f"review:{each.review.id}"


def _approved(look: Look, known: KnownRepository, weighed: Weighed, each: ToldReview) -> Charter | None:
    """The charter that a reviewer had in front of them; None where nobody can tell any more."""
    try:
        file = charter_at(look, known, each.review.commit_id)
    except GitHubError as error:
        if not error.gone:
            raise
        return None  # a commit that was forced away
    if declares(file):
        return judge(file, today=look.now.date()).charter
    changed_since = known.charter_changed_at is not None and known.charter_changed_at > each.at
    return None if changed_since else weighed.charter
