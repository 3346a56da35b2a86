"""A pull request of a POC repository gets the check run `POC charter` on its head."""

from __future__ import annotations

from service.events.charter_check import base_charter, check_commit
from service.events.context import Decision, Look
from service.events.registration import registered
from service.rules.facts import FactKind, PullRequest
from service.rules.poc import KnownRepository


def look_at_pull_request(look: Look, repository_id: int, number: int) -> Decision:
    """Judge the head that the newest payload named, and each commit whose run was asked for again."""
    pull = look.records.pull_requests.find(repository_id, number)
    if pull is None:
        return Decision("nothing known of this pull request")
    asked_again = {fact.detail for fact in look.facts if fact.kind is FactKind.RERUN_REQUESTED}
    if pull.state != "open" and not asked_again:
        look.records.pull_requests.mark_others(pull)
        return Decision("closed")
    known = registered(look, repository_id)
    if known is None or known.poc_reason is None:
        return Decision("not a POC")
    speaker = look.records.pull_requests.speaker(pull) if pull.state == "open" else None
    if speaker not in (None, number) and not asked_again:
        return Decision(f"#{speaker} has the same head, and speaks for it")
    own = {pull.head_sha} if speaker == number else set()
    decisions = [_check(look, known, pull, head_sha) for head_sha in sorted(own | asked_again)]
    return Decision(
        "; ".join(decision.outcome for decision in decisions),
        tuple(action for decision in decisions for action in decision.actions),
        known.installation_id,
    )


def _check(look: Look, known: KnownRepository, pull: PullRequest, head_sha: str) -> Decision:
    return check_commit(
        look,
        known,
        head_sha=head_sha,
        base=base_charter(look, known, pull.base_ref, pull.base_sha),
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        author=pull.author,
    )
