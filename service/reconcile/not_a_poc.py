"""The check run of a repository that isn't a POC: only a ruleset that requires it makes it necessary."""

from __future__ import annotations

from datetime import timedelta

from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.rules.policy.recognition import exclusion
from service.rules.values.actions import CHARTER_CHECK, plan_check_run
from service.texts.render import texts

FRESH = timedelta(days=1)
"""For how long it is known whether a branch requires it."""
NOTHING = Decision("not a POC")


def check_not_a_poc(ctx: Reconciliation, poc: Poc, branch: str, head_sha: str) -> Decision:
    """Let a commit pass whose branch requires the check run: GitHub is asked once a day for each branch."""
    known, ref = poc.known, poc.known.repository.ref
    if known.repository.archived or not _requires(ctx, poc, branch):
        return NOTHING
    wanted = texts().not_a_poc(exclusion(known.repository, ctx.policy))
    posted = ctx.posted(poc.id, head_sha, CHARTER_CHECK)
    rerun = ctx.asked_again(head_sha)
    actions = plan_check_run(ref, head_sha, CHARTER_CHECK, wanted, posted, rerun_requested=rerun)
    return Decision(f"not a POC, and {branch} requires the check", actions, known.installation_id)


def _requires(ctx: Reconciliation, poc: Poc, branch: str) -> bool:
    rule = ctx.store.branch_rules.find(poc.id, branch)
    if rule is None or rule.asked_at <= ctx.looked_at - FRESH:
        github = ctx.github(poc.known.installation_id)
        required = github.requires_check(poc.known.repository.ref, branch, CHARTER_CHECK)
        ctx.notes.branch_rules.remember(poc.id, branch, required=required, at=ctx.looked_at)
        return required
    return rule.required
