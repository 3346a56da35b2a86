"""The check run `POC policy` on a pull request on the policy: what is wrong, and what it would change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.reconcile.commit_verdict import merge_base
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.reconcile.policy import policy_repository
from service.reconcile.registration import gather
from service.reconcile.stall_facts import stall_facts_stored
from service.rules.checks.judge import declares
from service.rules.policy.model import NO_POLICY, POLICY_PATH, Mode, Policy
from service.rules.policy.reading import PolicyReading, read_policy
from service.rules.policy.recognition import KnownRepository, mode_of
from service.rules.values.actions import POLICY_CHECK
from service.rules.values.github import PullRequest
from service.rules.what_if import PocFacts, WhatIf, what_if
from service.store.poc_records import StoredStall
from service.texts.policy import policy_view
from service.texts.render import texts

NOTHING = PolicyReading(NO_POLICY, ())
"""The text of a policy without a file."""


def reconcile_policy_change(ctx: Reconciliation, repository_id: int, number: int) -> Decision:
    """Judge the policy at a pull request's head, if the pull request changes it."""
    poc = gather(ctx, repository_id, number=number)
    pull = poc.record.pulls.get(number) if poc else None
    if poc is None or poc.known.removed or pull is None or pull.state != "open":
        return Decision("no open pull request")
    known = poc.known
    home = policy_repository(ctx, known.installation_id)
    if home is None or home.repository.id != repository_id:
        return Decision("not the repository of the policy")
    github, repository = ctx.github(known.installation_id), known.repository.ref
    head = github.blob_shas(repository, pull.head_sha, [POLICY_PATH])[POLICY_PATH]
    if _untouched(ctx, poc, pull, head):
        return Decision("the policy is untouched")
    data = github.blob(repository, head) if head else None
    reading = read_policy(data if data is not None else b"") if head else NOTHING
    change = _what_if(ctx, known.installation_id, reading.policy) if reading.policy else None
    public = not known.repository.private
    installation = poc.record.installation
    switched = installation is not None and installation.switched is Mode.OBSERVE
    view = policy_view(data, reading, change, public=public, app_observes=switched, docs_url=ctx.docs_url)
    wanted = texts().policy_check(view)
    rerun = ctx.asked_again(pull.head_sha)
    return ctx.check_run(known, pull.head_sha, POLICY_CHECK, wanted, rerun=rerun)


def _untouched(ctx: Reconciliation, poc: Poc, pull: PullRequest, head: str | None) -> bool:
    """Whether merging changes nothing: the base has the same file, or had it where the branch began."""
    github, repository = ctx.github(poc.known.installation_id), poc.known.repository.ref
    if head == github.blob_shas(repository, pull.base_ref, [POLICY_PATH])[POLICY_PATH]:
        return True
    began_at = merge_base(ctx, poc, pull.base_sha, pull.head_sha)
    return head == github.blob_shas(repository, began_at, [POLICY_PATH])[POLICY_PATH]


def _what_if(ctx: Reconciliation, installation_id: int, after: Policy) -> WhatIf:
    """What the policy would change for the stored POCs of the installation; makes no call."""
    before = _with_mode(ctx, installation_id, ctx.store.policies.in_force(installation_id))
    after = _with_mode(ctx, installation_id, after)
    known = ctx.store.repositories.known(installation_id)
    stored = ctx.store.poc_records.stalls([each.repository.id for each in known if each.poc_reason])
    facts = (_facts(each, stored.get(each.repository.id), before, ctx.now) for each in known)
    return what_if(facts, before, after, ctx.now)


def _with_mode(ctx: Reconciliation, installation_id: int, policy: Policy) -> Policy:
    """A policy that says the mode that would hold by it, where it is silent."""
    known = ctx.store.installations.find(installation_id)
    begins = known.begins_observing if known else True
    return replace(policy, mode=mode_of(policy, None, default=ctx.mode, begins=begins))


def _facts(known: KnownRepository, stored: StoredStall | None, before: Policy, now: datetime) -> PocFacts:
    return PocFacts(
        full_name=known.repository.full_name,
        repository=known.repository,
        declares_charter=known.charter is not None and declares(known.charter),
        charter=known.charter,
        stall=stall_facts_stored(stored, known, before, now) if stored else None,
    )
