"""Turn approvals into signatures, withdrawn when the approval is, and ask for those that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.ports import GitHubError
from service.reconcile.commit_files import charter_at
from service.reconcile.commit_verdict import CommitCharter, agreed_charter
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.rules.charter.model import Charter
from service.rules.checks.judge import declares, judge
from service.rules.commands.parsing import may_ask_reviewers
from service.rules.gate.signoffs import OPENED, Round, give, groups_of, is_another, rounds_of
from service.rules.values.actions import AskReviewer
from service.rules.values.github import EventKind, PullRequest
from service.rules.values.recorded import APPROVED, CHANGES_REQUESTED, RecordedReview
from service.store.timeline import ToldOfPull


def record_signatures(
    ctx: Reconciliation, poc: Poc, pull: PullRequest, commit_charter: CommitCharter, told: ToldOfPull
) -> None:
    """Record what a pull request's author and reviewers have signed; each review and head signs once.

    Every approval signs for shipping, should the owner ask for it here; on a change of the charter it signs
    for that as well.
    """
    if commit_charter.charter is None:
        return
    before = _before(ctx, poc, commit_charter)
    written = commit_charter.verdict.case.written
    signs = any(groups_of(each, pull.author) for each in (commit_charter.charter, *before))
    signs = signs or bool(ctx.policy.groups_of(pull.author))
    source = f"{OPENED}{pull.number}:{pull.head_sha}"
    if told.moved_by_author and signs and _is_themselves(ctx, poc, pull.author, source):
        for each in (*(rounds_of(commit_charter.charter) if written else ()), Round.SHIP):
            given = give(
                commit_charter.charter,
                pull.author,
                each,
                ctx.looked_at,
                pull.number,
                source,
                commit=pull.head_sha,
                before=before,
                members=ctx.policy.groups_of(pull.author),
            )
            poc.signed(given)
    if ctx.told(EventKind.REVIEWED) or ctx.told(EventKind.REVIEW_DISMISSED):
        _record_reviews(ctx, poc, pull, commit_charter, written=written, told=told.reviews)


def _is_themselves(ctx: Reconciliation, poc: Poc, author: str, source: str) -> bool:
    """Whether an author who signs is the account that their login is bound to; asked once for each head."""
    if any(each.signature.source == source for each in poc.record.signatures):
        return True
    accounts = ctx.store.signatures.accounts(poc.id)
    if author.lower() not in accounts:
        return True
    found = ctx.github(poc.known.installation_id).account_ids([author])
    return not is_another(accounts, author, found.get(author))


def _before(ctx: Reconciliation, poc: Poc, commit_charter: CommitCharter) -> tuple[Charter, ...]:
    """The charters whose signers allow the change: the one that was agreed on, the one that it began with."""
    return tuple(each for each in (agreed_charter(ctx, poc), commit_charter.before) if each)


def _record_reviews(
    ctx: Reconciliation,
    poc: Poc,
    pull: PullRequest,
    commit_charter: CommitCharter,
    *,
    written: bool,
    told: tuple[RecordedReview, ...],
) -> None:
    """All reviews of the pull request, not only new ones, since they arrive in any order."""
    before = _before(ctx, poc, commit_charter)
    accounts = ctx.store.signatures.accounts(poc.id)
    for each in told:
        if each.review.state != APPROVED or each.dismissed:
            continue
        if is_another(accounts, each.review.login, each.review.account_id):
            continue
        charter = _approved(ctx, poc, commit_charter, each)
        if charter is None:
            continue
        for round_ in (*(rounds_of(charter) if written else ()), Round.SHIP):
            given = give(
                charter,
                each.review.login,
                round_,
                each.at,
                pull.number,
                each.source,
                commit=each.review.commit_id,
                before=before,
                members=ctx.policy.groups_of(each.review.login),
                deputies=ctx.policy.deputy_of(each.review.login),
            )
            poc.signed(given)
    for each in told:
        if taken := tuple(_taken_back(ctx, poc, pull, each, told)):
            poc.withdrew(taken, each.at)


def _taken_back(
    ctx: Reconciliation,
    poc: Poc,
    pull: PullRequest,
    each: RecordedReview,
    told: tuple[RecordedReview, ...],
) -> Iterator[str]:
    """Which approvals end with this: a dismissal by a person, or the same person's request for changes."""
    if each.dismissed:
        github = ctx.github(poc.known.installation_id)
        if not github.dismissed_by_push(poc.known.repository.ref, pull.number, each.review.id):
            yield each.source
    elif each.review.state == CHANGES_REQUESTED:
        login = each.review.login.lower()
        yield from (o.source for o in told if o.review.login.lower() == login and o.at <= each.at)


def _approved(
    ctx: Reconciliation, poc: Poc, commit_charter: CommitCharter, each: RecordedReview
) -> Charter | None:
    """The charter that a reviewer approved; None if it can't be found any more."""
    try:
        file = charter_at(ctx, poc, each.review.commit_id)
    except GitHubError as error:
        if not ctx.absent(error):
            raise
        return None  # a force push removed the commit
    if declares(file):
        return judge(file, today=ctx.now.date()).charter
    changed_since = poc.known.charter_changed_at is not None and poc.known.charter_changed_at > each.at
    return None if changed_since else commit_charter.charter


def ask_reviewers(ctx: Reconciliation, poc: Poc, number: int, people: Sequence[str]) -> Decision:
    """Ask those who have not signed yet, but for the author: GitHub takes no review of one's own."""
    installation_id, repository = poc.known.installation_id, poc.known.repository.ref
    if ctx.observe or not people or not may_ask_reviewers(ctx.permissions(installation_id)):
        return Decision("", (), installation_id)
    author = poc.record.pulls[number].author.lower()
    asked = (AskReviewer(repository, number, login) for login in people if login.lower() != author)
    new = tuple(each for each in asked if not ctx.store.messages.was_begun(repository.id, each.key))
    return Decision("", new, installation_id)
