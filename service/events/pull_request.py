"""A pull request of a POC repository gets its two check runs, and what people write on it is heard."""

from __future__ import annotations

from service.events.checks import check_both
from service.events.command import answer_commands
from service.events.context import Decision, Look
from service.events.measuring import resolve_test_merges
from service.events.registration import registered
from service.events.signing import record_signatures
from service.events.weighing import base_charter, weigh
from service.rules.facts import FactKind, PullRequest
from service.rules.judge import judge
from service.rules.plan import Action
from service.rules.poc import KnownRepository
from service.rules.reception import pull_request_key


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
    heard = _hear(look, known, pull)
    speaker = look.records.pull_requests.speaker(pull) if pull.state == "open" else None
    if speaker not in (None, number) and not asked_again:
        return Decision(f"#{speaker} has the same head, and speaks for it", heard, known.installation_id)
    own = {pull.head_sha} if speaker == number else set()
    decisions = [_check(look, known, pull, head_sha) for head_sha in sorted(own | asked_again)]
    return Decision(
        "; ".join(decision.outcome for decision in decisions),
        (*heard, *(action for decision in decisions for action in decision.actions)),
        known.installation_id,
    )


def _closed(look: Look, pull: PullRequest) -> Decision:
    look.records.pull_requests.mark_others(pull)
    merged = f"{pull_request_key(pull.repository_id, pull.number)}:merged"
    if not look.records.pocs.was_told(merged):
        look.records.pocs.take_back(pull.repository_id, pull.number)
    return Decision("closed")


def _hear(look: Look, known: KnownRepository, pull: PullRequest) -> tuple[Action, ...]:
    """Take in the commands, reviews and measurements that led here, before anything is judged."""
    resolve_test_merges(look, known, pull.number)
    if not look.told(FactKind.COMMANDED):
        return ()
    charter = judge(known.charter, today=look.now.date()).charter if known.charter else None
    return answer_commands(look, known, charter)


def _check(look: Look, known: KnownRepository, pull: PullRequest, head_sha: str) -> Decision:
    weighed = weigh(
        look,
        known,
        head_sha=head_sha,
        base=base_charter(look, known, pull.base_ref, pull.base_sha),
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        author=pull.author,
    )
    if head_sha == pull.head_sha:
        record_signatures(look, known, pull, weighed)
    return check_both(look, known, weighed, pull.number)
