"""A pull request of a POC repository: its check runs, and the commands and reviews on it."""

from __future__ import annotations

from service.reconcile.charter_check import check_charter, check_not_a_poc
from service.reconcile.commands import answer_commands
from service.reconcile.commit_files import charter_at
from service.reconcile.commit_verdict import CommitCharter, base_charter, evaluate_charter
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.gate_check import check_gate, gate_speaks, signing_of
from service.reconcile.measuring import NOTHING, measure, resolve_test_merges
from service.reconcile.poc import Poc
from service.reconcile.registration import gather, read_pull_request, registered
from service.reconcile.signing import ask_reviewers, record_signatures
from service.rules.checks.judge import judge
from service.rules.source.text import FileKind
from service.rules.values.actions import Action
from service.rules.values.github import EventKind, PullRequest


def reconcile_pull_request(ctx: Reconciliation, repository_id: int, number: int) -> Decision:
    """Judge the newest known head, and each commit whose check run was requested again."""
    gathered = gather(ctx, repository_id, number=number)
    pull = gathered.record.pulls.get(number) if gathered else None
    if gathered is not None and pull is None:
        pull = _untold(ctx, gathered, number)
    if gathered is None or pull is None:
        return Decision("nothing known of this pull request")
    asked_again = {fact.detail for fact in ctx.facts if fact.kind is EventKind.RERUN_REQUESTED}
    if pull.state != "open" and not asked_again:
        return _closed(ctx, gathered, pull)
    poc = registered(ctx, gathered)
    if poc is None:
        return Decision("not covered by an installation any more")
    if poc.known.poc_reason is None:
        return check_not_a_poc(ctx, poc, pull.base_ref, pull.head_sha)
    commit_charter = _evaluate(ctx, poc, pull, pull.head_sha)
    heard = _record_events(ctx, poc, pull, commit_charter)
    speaker = _pull_request_of_head(poc, pull) if pull.state == "open" else None
    if speaker not in (None, number) and not asked_again:
        outcome = f"#{speaker} has the same head, and speaks for it"
        return Decision(outcome, heard, poc.known.installation_id)
    own = {pull.head_sha} if speaker == number else set()
    decisions = [
        _check_both(
            ctx,
            poc,
            commit_charter if head_sha == pull.head_sha else _evaluate(ctx, poc, pull, head_sha),
            number,
        )
        for head_sha in sorted(own | asked_again)
    ]
    return Decision(
        "; ".join(decision.outcome for decision in decisions),
        (*heard, *(action for decision in decisions for action in decision.actions)),
        poc.known.installation_id,
    )


def _untold(ctx: Reconciliation, gathered: Poc, number: int) -> PullRequest | None:
    """A pull request of a POC of which a comment or a review tells first: its own event is late, or lost."""
    poc = registered(ctx, gathered)
    if poc is None or poc.known.poc_reason is None:
        return None
    github, repository = ctx.github(poc.known.installation_id), poc.known.repository.ref
    if number not in poc.record.pulls and (read := read_pull_request(github, repository, number)):
        poc.pull_requests_read([read])
    return poc.record.pulls.get(number)


def _check_both(
    ctx: Reconciliation, poc: Poc, commit_charter: CommitCharter, number: int | None = None
) -> Decision:
    """Bring the check runs to what they should say; `number` is the pull request's, if it is one's head."""
    charter = commit_charter.charter
    measured = measure(ctx, poc, charter, commit_charter.head_sha) if charter else NOTHING
    signing = signing_of(ctx, poc, commit_charter) if number is not None else None
    decisions = [check_charter(ctx, poc, commit_charter, measured.results, signing)]
    if signing is not None and number is not None:
        decisions.append(ask_reviewers(ctx, poc, number, signing.missing))
    if gate_speaks(ctx, poc, commit_charter, measured, number):
        decisions.append(check_gate(ctx, poc, commit_charter, measured.results, number))
    return Decision(
        "; ".join(decision.outcome for decision in decisions if decision.outcome),
        tuple(action for decision in decisions for action in decision.actions),
        poc.known.installation_id,
    )


def _closed(ctx: Reconciliation, gathered: Poc, pull: PullRequest) -> Decision:
    """A merged ship request may still be signed, and its numbers count for the merge commit."""
    ctx.notes.pull_requests.mark_others(pull)
    if pull.state == "closed":
        gathered.ship_request_taken_back(pull.number)
    poc = registered(ctx, gathered) if gathered.known.poc_reason else None
    if poc is None or poc.known.poc_reason is None:
        return Decision("closed")
    reviewed = ctx.told(EventKind.REVIEWED) or ctx.told(EventKind.REVIEW_DISMISSED)
    commit_charter = _evaluate(ctx, poc, pull, pull.head_sha) if reviewed else None
    return Decision("closed", _record_events(ctx, poc, pull, commit_charter), poc.known.installation_id)


def _record_events(
    ctx: Reconciliation, poc: Poc, pull: PullRequest, commit_charter: CommitCharter | None
) -> tuple[Action, ...]:
    """Handle the recorded measurements, commands and reviews before anything is judged."""
    resolve_test_merges(ctx, poc, pull.number)
    reviews = ctx.store.timeline.told_of(pull)
    if commit_charter is not None:
        record_signatures(ctx, poc, pull, commit_charter, reviews)
    proposes = poc.known.charter is None or poc.known.charter.kind is FileKind.ABSENT
    if ctx.told(EventKind.HEAD_MOVED) and (proposes or reviews.any_objection):
        ctx.notes.repositories.mark([poc.id])  # a new head may change who is waited for
    if not ctx.told(EventKind.COMMANDED):
        return ()
    charter = judge(poc.known.charter, today=ctx.now.date()).charter if poc.known.charter else None
    brings = commit_charter is not None and commit_charter.verdict.case.written
    return answer_commands(ctx, poc, charter, pull, brings_charter=brings)


def _pull_request_of_head(poc: Poc, pull: PullRequest) -> int | None:
    """The open pull request that represents this head: the ship request, or else the oldest."""
    request = poc.record.poc.request
    same = [n for n in poc.record.open_numbers if poc.record.pulls[n].head_sha == pull.head_sha]
    return request.number if request and request.number in same else min(same, default=None)


def _evaluate(ctx: Reconciliation, poc: Poc, pull: PullRequest, head_sha: str) -> CommitCharter:
    """Evaluate a pull request's charter; a merged one is compared with its base commit."""
    is_open = pull.state == "open"
    base = base_charter(ctx, poc, pull.base_ref, pull.base_sha) if is_open else None
    return evaluate_charter(
        ctx,
        poc,
        head_sha=head_sha,
        base=base or charter_at(ctx, poc, pull.base_sha),
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        author=pull.author,
    )


def reconcile_merge_group(ctx: Reconciliation, repository_id: int, head_sha: str, base_sha: str) -> Decision:
    """Judge the queue's head against the commit that it is built on."""
    poc = registered(ctx, gather(ctx, repository_id))
    if poc is None:
        return Decision("not covered by an installation any more")
    if poc.known.poc_reason is None:
        return check_not_a_poc(ctx, poc, poc.known.repository.default_branch, head_sha)
    commit_charter = evaluate_charter(
        ctx,
        poc,
        head_sha=head_sha,
        base=charter_at(ctx, poc, base_sha),
        base_ref=poc.known.repository.default_branch,
        base_sha=base_sha,
        author=None,
    )
    return _check_both(ctx, poc, commit_charter)
