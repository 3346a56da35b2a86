"""A pull request of a POC repository gets its two check runs, and what people write on it is heard."""

from __future__ import annotations

from service.reconcile.commands import answer_commands
from service.reconcile.commit_files import charter_at
from service.reconcile.commit_verdict import Weighed, base_charter, weigh
from service.reconcile.context import Decision, Look
from service.reconcile.gate_check import check_both
from service.reconcile.measuring import resolve_test_merges
from service.reconcile.registration import registered
from service.reconcile.signing import record_signatures
from service.rules.checks.judge import judge
from service.rules.policy.poc import KnownRepository
from service.rules.values.actions import Action
from service.rules.values.github import FactKind, PullRequest


def look_at_pull_request(look: Look, repository_id: int, number: int) -> Decision:
    """Judge the head that the newest payload named, and each commit whose run was asked for again."""
    pull = look.records.pull_requests.find(repository_id, number)
    if pull is None:
        return Decision("nothing known of this pull request")
    asked_again = {fact.detail for fact in look.facts if fact.kind is FactKind.RERUN_REQUESTED}
    if pull.state != "open" and not asked_again:
        return _closed(look, pull)
    known = registered(look, repository_id)
    if known is None or known.poc_reason is None:
        return Decision("not a POC")
    weighed = _weigh(look, known, pull, pull.head_sha)
    heard = _hear(look, known, pull, weighed)
    speaker = _speaker(look, pull) if pull.state == "open" else None
    if speaker not in (None, number) and not asked_again:
        outcome = f"#{speaker} has the same head, and speaks for it"
        return Decision(outcome, heard, known.installation_id)
    own = {pull.head_sha} if speaker == number else set()
    decisions = [
        check_both(
            look,
            known,
            weighed if head_sha == pull.head_sha else _weigh(look, known, pull, head_sha),
            number,
        )
        for head_sha in sorted(own | asked_again)
    ]
    return Decision(
        "; ".join(decision.outcome for decision in decisions),
        (*heard, *(action for decision in decisions for action in decision.actions)),
        known.installation_id,
    )


def _closed(look: Look, pull: PullRequest) -> Decision:
    """A merged ship request may still be signed, and what was measured on it counts for what it became."""
    look.records.pull_requests.mark_others(pull)
    if look.told(FactKind.CLOSED_UNMERGED) and not look.dry:
        look.records.pocs.take_back(pull.repository_id, pull.number)
    stored = look.records.repositories.find(pull.repository_id)
    if stored is None or stored.poc_reason is None:
        return Decision("closed")
    known = registered(look, pull.repository_id)
    if known is None or known.poc_reason is None:
        return Decision("closed")
    reviewed = look.told(FactKind.REVIEWED) or look.told(FactKind.REVIEW_DISMISSED)
    weighed = _weigh(look, known, pull, pull.head_sha) if reviewed else None
    return Decision("closed", _hear(look, known, pull, weighed), known.installation_id)


def _hear(
    look: Look, known: KnownRepository, pull: PullRequest, weighed: Weighed | None
) -> tuple[Action, ...]:
    """Take in the measurements, commands and reviews that led here, before anything is judged."""
    resolve_test_merges(look, known, pull.number)
    if weighed is not None:
        record_signatures(look, known, pull, weighed)
    if not look.told(FactKind.COMMANDED):
        return ()
    charter = judge(known.charter, today=look.now.date()).charter if known.charter else None
    brings = weighed is not None and weighed.verdict.case.written
    return answer_commands(look, known, charter, pull, brings_charter=brings)


def _speaker(look: Look, pull: PullRequest) -> int | None:
    """Which of the open pull requests with this head has a say: the ship request, or else the oldest."""
    request = look.records.pocs.find(pull.repository_id).request
    asked = look.records.pull_requests.find(pull.repository_id, request.number) if request else None
    if asked and asked.state == "open" and asked.head_sha == pull.head_sha:
        return asked.number
    return look.records.pull_requests.speaker(pull)


def _weigh(look: Look, known: KnownRepository, pull: PullRequest, head_sha: str) -> Weighed:
    """Weigh what a pull request changes; into the branch's present charter a merged one has gone itself."""
    is_open = pull.state == "open"
    base = base_charter(look, known, pull.base_ref, pull.base_sha) if is_open else None
    return weigh(
        look,
        known,
        head_sha=head_sha,
        base=base or charter_at(look, known, pull.base_sha),
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        author=pull.author,
    )


def look_at_merge_group(look: Look, repository_id: int, head_sha: str, base_sha: str) -> Decision:
    """Judge the queue's head against the commit that it is built on."""
    known = registered(look, repository_id)
    if known is None or known.poc_reason is None:
        return Decision("not a POC")
    weighed = weigh(
        look,
        known,
        head_sha=head_sha,
        base=charter_at(look, known, base_sha),
        base_ref=known.repository.default_branch,
        base_sha=base_sha,
        author=None,
    )
    return check_both(look, known, weighed)
