"""The organisation's policy: read when it may have changed, in force once it can be read.

A broken policy changes nothing: the last good one stays in force, and an issue in `.github` says so.
On a pull request that changes it, `POC policy` says what is wrong with it, and what it would change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from service.ports import GitHubError
from service.reconcile.commit_verdict import merge_base
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.poc import Poc
from service.reconcile.registration import gather, newest_push
from service.reconcile.stall_facts import stall_facts_stored
from service.rules.checks.judge import declares
from service.rules.policy.model import NO_POLICY, POLICY_PATH, POLICY_REPOSITORY, Mode, Policy
from service.rules.policy.reading import MAX_BYTES, PolicyReading, read_policy
from service.rules.policy.recognition import (
    KnownRepository,
    exclusion,
    mode_of,
    poc_reason,
    uses_properties,
)
from service.rules.values.actions import POLICY_CHECK, Action, OpenNotice
from service.rules.values.finding import Finding
from service.rules.values.github import EventKind, PullRequest
from service.rules.values.subjects import installation_key, repository_key
from service.rules.what_if import PocFacts, WhatIf, what_if
from service.store.poc_records import StoredStall
from service.texts.policy import policy_view
from service.texts.render import texts

log = structlog.get_logger(__name__)

POLICY_LABEL = "poc-policy-broken"


def reconcile_policy(ctx: Reconciliation, installation_id: int) -> Decision:
    """Read the policy if its file changed, and put it in force if it can be read."""
    policies = ctx.store.policies
    known, before = policy_repository(ctx, installation_id), policies.find(installation_id)
    ctx.under(before.in_force if before else NO_POLICY, ctx.store.installations.find(installation_id))
    if known is None:
        if before is not None:
            concerned = _concerned(ctx, installation_id, before.in_force, NO_POLICY)
            ctx.notes.policies.forget(installation_id, marking=concerned)
        return Decision("no policy: its repository isn't covered by the installation")
    blob_sha, repository_id = _blob_sha(ctx, known), known.repository.id
    same = before is not None and (before.blob_sha, before.repository_id) == (blob_sha, repository_id)
    if same and not (blob_sha and before and before.findings and _is_to_be_said(ctx, known, blob_sha)):
        return Decision("the policy hasn't changed")
    data = ctx.github(installation_id).blob(known.repository.ref, blob_sha) if blob_sha else None
    reading = _read(data) if blob_sha else None
    if not same:
        _keep(ctx, known, blob_sha, data, reading)
    actions: tuple[Action, ...] = ()
    if blob_sha and reading and reading.policy is None and _is_to_be_said(ctx, known, blob_sha):
        has_good = before is not None and before.good_text is not None
        actions = (_notice(ctx, known, reading, blob_sha, has_good=has_good),)
    return Decision(_outcome(reading), actions, installation_id)


def policy_repository(ctx: Reconciliation, installation_id: int) -> KnownRepository | None:
    """The account's `.github` repository, if the installation covers it."""
    known = ctx.store.installations.find(installation_id)
    if known is not None and known.deleted:
        return None
    # The first event of an installation may be a push of its policy.
    installation = known.installation if known else ctx.installation(installation_id)
    name = f"{installation.account}/{POLICY_REPOSITORY}"
    found = ctx.store.repositories.named(installation_id, name)
    described = ctx.store.repositories.find(found.id) if found else None
    if described is not None and not described.described:
        told = ctx.github(installation_id).repository(described.repository.id)
        ctx.notes.repositories.listed(installation_id, [told])
        described = replace(described, repository=told, described=True)
    return described


def _blob_sha(ctx: Reconciliation, known: KnownRepository) -> str | None:
    """The policy's file: at the commit that was pushed last, or on the default branch."""
    github, branch = ctx.github(known.installation_id), known.repository.default_branch
    for ref in dict.fromkeys((newest_push(ctx, EventKind.POLICY_PUSHED, branch), branch)):
        try:
            return github.blob_shas(known.repository.ref, ref, [POLICY_PATH])[POLICY_PATH]
        except GitHubError as error:
            if not ctx.absent(error):
                raise
    return None  # a repository without commits


def _read(data: bytes | None) -> PolicyReading:
    """A file that is too large to read becomes one that is too large for a policy."""
    return read_policy(b" " * (MAX_BYTES + 1) if data is None else data)


def _keep(
    ctx: Reconciliation,
    known: KnownRepository,
    blob_sha: str | None,
    data: bytes | None,
    reading: PolicyReading | None,
) -> None:
    """Store the policy's file; if its content differs from the one in force, mark everything affected."""
    policies, installation_id = ctx.store.policies, known.installation_id
    was, now, findings = policies.in_force(installation_id), NO_POLICY, tuple[str, ...]()
    if reading is not None and reading.policy is not None:
        now = reading.policy
    elif reading is not None:
        now, findings = was, tuple(map(_line, reading.findings))
        log.warning("policy cannot be read", installation=installation_id, findings=findings)
    ctx.notes.policies.keep(
        installation_id,
        known.repository.id,
        blob_sha,
        None if data is None else data.decode("utf-8", "replace"),
        findings,
        at=ctx.looked_at,
        marking=_concerned(ctx, installation_id, was, now),
    )


def _concerned(ctx: Reconciliation, installation_id: int, before: Policy, now: Policy) -> Sequence[str]:
    """What a new policy may affect: POCs, repositories that become or stop being one, pull requests."""
    if before == now:
        return ()
    concerned = []
    for known in ctx.store.repositories.known(installation_id):
        declared = known.charter is not None and declares(known.charter)
        reason = poc_reason(known.repository, declares_charter=declared, policy=now)
        is_unread = known.charter is None and exclusion(known.repository, now) is None
        if known.poc_reason is not None or reason is not None or is_unread:
            concerned.append(known.repository.id)
    keys = [*map(repository_key, concerned), *ctx.store.pull_requests.open_keys(concerned)]
    if uses_properties(now):
        keys.append(installation_key(installation_id))  # its reconciliation reads the properties
    return keys


def _is_to_be_said(ctx: Reconciliation, known: KnownRepository, blob_sha: str) -> bool:
    """Whether a broken text wasn't reported yet: the reconciliation that found it may have failed."""
    if ctx.observe or not known.repository.has_issues:
        return False
    return not ctx.store.messages.was_said(known.repository.id, _notice_key(blob_sha))


def _notice(
    ctx: Reconciliation, known: KnownRepository, reading: PolicyReading, blob_sha: str, *, has_good: bool
) -> OpenNotice:
    repository = known.repository
    url = f"{ctx.web_url}/{repository.full_name}/blob/{repository.default_branch}/{POLICY_PATH}"
    title, body = texts().policy_broken(reading.findings, url, has_good=has_good)
    return OpenNotice(repository.ref, _notice_key(blob_sha), title, body, POLICY_LABEL, None)


def _notice_key(blob_sha: str) -> str:
    return f"policy-broken:{blob_sha}"


def _outcome(reading: PolicyReading | None) -> str:
    if reading is None:
        return "no policy: the defaults apply"
    if reading.policy is None:
        return f"the policy can't be read: {len(reading.findings)} findings; the last good one applies"
    return f"the policy applies from now on: {reading.policy.mode or 'it sets no mode'}"


def _line(finding: Finding) -> str:
    return f"{POLICY_PATH}:{finding.line}: {finding.message}"


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
