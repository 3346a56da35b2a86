"""A pull request of a POC repository gets the check run `POC charter` on its head."""

from __future__ import annotations

from service.events.charter_check import check_commit
from service.events.context import Decision, Look
from service.events.registration import registered


def look_at_pull_request(look: Look, repository_id: int, number: int) -> Decision:
    """Judge the head that the newest payload named; a closed pull request gets nothing."""
    pull = look.records.pull_requests.find(repository_id, number)
    if pull is None:
        return Decision("nothing known of this pull request")
    if pull.state != "open":
        return Decision("closed")
    known = registered(look, repository_id)
    if known is None or known.poc_reason is None:
        return Decision("not a POC")
    return check_commit(
        look,
        known,
        head_sha=pull.head_sha,
        base_ref=pull.base_ref,
        base_sha=pull.base_sha,
        author=pull.author,
    )
