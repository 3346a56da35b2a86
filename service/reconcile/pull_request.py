"""A pull request of a POC repository gets its two check runs, and what people write on it is heard."""

from __future__ import annotations

from service.reconcile.commands import answer_commands
from service.reconcile.commit_files import charter_at
from service.reconcile.commit_verdict import CommitCharter, base_charter, evaluate_charter
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.gate_check import check_both
from service.reconcile.measuring import resolve_test_merges
from service.reconcile.registration import registered
from service.reconcile.signing import record_signatures
from service.rules.checks.judge import judge
from service.rules.policy.poc import KnownRepository
from service.rules.values.actions import Action
from service.rules.values.github import EventKind, PullRequest


def reconcile_pull_request(ctx: Reconciliation, repository_id: int, number: int) -> Decision:
    """Judge the head that the newest payload named, and each commit whose run was asked for again."""
    pull = ctx.records.pull_requests.find(repository_id, number)
    if pull is None:
        return Decision("nothing known of this pull request")
    asked_again = {fact.detail for fact in ctx.facts if fact.kind is EventKind.RERUN_REQUESTED}
    if pull.state != "open" and not asked_again:
        return _closed(ctx, pull)
    known = registered(ctx, repository_id)
    if known is None or known.poc_reason is None:
        return Decision("not a POC")
    commit_charter = _evaluate(ctx, known, pull, pull.head_sha)
    heard = _record_events(ctx, known, pull, commit_charter)
    speaker = _pull_request_of_head(ctx, pull) if pull.state == "open" else None
    if speaker not in (None, number) and not asked_again:
        outcome = f"#{speaker} has the same head, and speaks for it"
        return Decision(outcome, heard, known.installation_id)
    own = {pull.head_sha} if speaker == number else set()
    decisions = [
        check_both(
            ctx,
            known,
            commit_charter if head_sha == pull.head_sha else _evaluate(ctx, known, pull, head_sha),
            number,
        )
        for head_sha in sorted(own | asked_again)
    ]
    return Decision(
        "; ".join(decision.outcome for decision in decisions),
        (*heard, *(action for decision in decisions for action in decision.actions)),
        known.installation_id,
    )


def _closed(ctx: Reconciliation, pull: PullRequest) -> Decision:
    """A merged ship request may still be signed, and what was measured on it counts for what it became."""
    ctx.records.pull_requests.mark_others(pull)
    if ctx.told(EventKind.CLOSED_UNMERGED) and not ctx.dry:
        ctx.records.pocs.take_back(pull.repository_id, pull.number)
    stored = ctx.records.repositories.find(pull.repository_id)
    if stored is None or stored.poc_reason is None:
        return Decision("closed")
    known = registered(ctx, pull.repository_id)
    if known is None or known.poc_reason is None:
        return Decision("closed")
    reviewed = ctx.told(EventKind.REVIEWED) or ctx.told(EventKind.REVIEW_DISMISSED)
    commit_charter = _evaluate(ctx, known, pull, pull.head_sha) if reviewed else None
    return Decision("closed", _record_events(ctx, known, pull, commit_charter), known.installation_id)


def _record_events(
    ctx: Reconciliation, known: KnownRepository, pull: PullRequest, commit_charter: CommitCharter | None
) -> tuple[Action, ...]:
    """Take in the measurements, commands and reviews that led here, before anything is judged."""
    resolve_test_merges(ctx, known, pull.number)
    if commit_charter is not None:
        record_signatures(ctx, known, pull, commit_charter)
    if not ctx.told(EventKind.COMMANDED):
        return ()
    charter = judge(known.charter, today=ctx.now.date()).charter if known.charter else None
    brings = commit_charter is not None and commit_charter.verdict.case.written
    return answer_commands(ctx, known, charter, pull, brings_charter=brings)


def _pull_request_of_head(ctx: Reconciliation, pull: PullRequest) -> int | None:
    """Which of the open pull requests with this head has a say: the ship request, or else the oldest."""
    request = ctx.records.pocs.find(pull.repository_id).request
    asked = ctx.records.pull_requests.find(pull.repository_id, request.number) if request else None
    if asked and asked.state == "open" and asked.head_sha == pull.head_sha:
        return asked.number
    return ctx.records.pull_requests.speaker(pull)


def _evaluate(ctx: Reconciliation, known: KnownRepository, pull: PullRequest, head_sha: str) -> CommitCharter:
    """Weigh what a pull request changes; into the branch's present charter a merged one has gone itself."""
    is_open = pull.state == "open"
    base = base_charter(ctx, known, pull.base_ref, pull.base_sha) if is_open else None
    return evaluate_charter(
        ctx,
        known,
        head_sha=head_sha,
        base=base or charter_at(ctx, known, pull.base_sha),
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        author=pull.author,
    )


def reconcile_merge_group(ctx: Reconciliation, repository_id: int, head_sha: str, base_sha: str) -> Decision:
    """Judge the queue's head against the commit that it is built on."""
    known = registered(ctx, repository_id)
    if known is None or known.poc_reason is None:
        return Decision("not a POC")
    commit_charter = evaluate_charter(
        ctx,
        known,
        head_sha=head_sha,
        base=charter_at(ctx, known, base_sha),
        base_ref=known.repository.default_branch,
        base_sha=base_sha,
        author=None,
    )
    return check_both(ctx, known, commit_charter)
