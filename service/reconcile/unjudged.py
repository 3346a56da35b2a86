"""A commit that could not be judged: its check run says so, because a required check must not stay away."""

from __future__ import annotations

from datetime import datetime

from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.reconcile.registration import gather
from service.rules.checks.judge import declares
from service.rules.checks.unjudged import Unjudged, leaves_charter
from service.rules.policy.recognition import poc_reason
from service.rules.source.text import CharterFile
from service.rules.values.actions import CHARTER_CHECK, plan_check_run
from service.rules.values.github import PullRequest
from service.rules.values.subjects import SubjectKind
from service.texts.charter import UNJUDGED
from service.texts.render import texts

NOTHING = Decision("nothing to say of it")


def say_unjudged(ctx: Reconciliation, cause: str, again_at: datetime) -> Decision:
    """Say on the commit of a pull request or a merge queue why it isn't judged; asks GitHub nothing."""
    kind, *parts = ctx.key.split(":")
    match SubjectKind(kind):
        case SubjectKind.PULL_REQUEST:
            number = int(parts[1])
            poc = gather(ctx, int(parts[0]), number=number)
            pull = poc.record.pulls.get(number) if poc else None
            if poc is None or pull is None or pull.state != "open":
                return NOTHING
            known = leaves_charter(_stored(ctx, poc, pull.head_sha), _base(ctx, poc, pull))
            return _say(ctx, poc, pull.head_sha, cause, again_at, leaves_charter=known)
        case SubjectKind.MERGE_GROUP:
            poc, head_sha, base_sha = gather(ctx, int(parts[0])), parts[1], parts[2]
            if poc is None:
                return NOTHING
            known = leaves_charter(_stored(ctx, poc, head_sha), _stored(ctx, poc, base_sha))
            return _say(ctx, poc, head_sha, cause, again_at, leaves_charter=known)
        case _:
            return NOTHING


def _say(
    ctx: Reconciliation,
    poc: Poc,
    head_sha: str,
    cause: str,
    again_at: datetime,
    *,
    leaves_charter: bool,
) -> Decision:
    ctx.under(poc.record.policy, poc.record.installation, poc.known.repository)
    # Asked anew: the reconciliation that failed may have posted its verdict first.
    known, posted = poc.known, ctx.store.check_runs.newest_of(poc.id, head_sha).get(CHARTER_CHECK)
    rerun = ctx.asked_again(head_sha)
    # A verdict that was begun, and got no answer, may have arrived.
    judged = posted is not None and not posted.title.startswith(UNJUDGED)
    declared = known.charter is not None and declares(known.charter)
    is_poc = known.poc_reason or poc_reason(known.repository, declares_charter=declared, policy=ctx.policy)
    if known.removed or not is_poc or (judged and not rerun):
        return NOTHING
    wanted = texts().unjudged(
        Unjudged(cause, again_at, ctx.policy.when_unjudged, leaves_charter, ctx.observe, ctx.observing_day)
    )
    ref = known.repository.ref
    actions = plan_check_run(ref, head_sha, CHARTER_CHECK, wanted, posted, rerun_requested=rerun)
    return Decision(f"{CHARTER_CHECK}: {wanted.conclusion}, {wanted.title}", actions, known.installation_id)


def _base(ctx: Reconciliation, poc: Poc, pull: PullRequest) -> CharterFile | None:
    """The charter of the branch that a pull request goes to, if it is known."""
    at_default = pull.base_ref == poc.known.repository.default_branch
    return (poc.known.charter if at_default else None) or _stored(ctx, poc, pull.base_sha)


def _stored(ctx: Reconciliation, poc: Poc, commit_sha: str) -> CharterFile | None:
    return ctx.store.pull_requests.charter_at(poc.id, commit_sha)
