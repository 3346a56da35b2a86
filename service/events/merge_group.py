"""A merge queue's head gets both check runs, or the queue would wait for them in vain."""

from __future__ import annotations

from service.events.checks import check_both
from service.events.contents import charter_at
from service.events.context import Decision, Look
from service.events.registration import registered
from service.events.weighing import weigh


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
