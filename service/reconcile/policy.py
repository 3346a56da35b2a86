"""The organisation's policy: read when it may have changed, in force once it can be read.

A broken policy changes nothing: the last good one stays in force, and an issue in `.github` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from service.ports import GitHubError
from service.reconcile.context import Decision, Reconciliation
from service.reconcile.registration import newest_push
from service.rules.checks.judge import declares
from service.rules.policy.model import NO_POLICY, POLICY_PATH, POLICY_REPOSITORY, Policy
from service.rules.policy.reading import MAX_BYTES, PolicyReading, read_policy
from service.rules.policy.recognition import (
    KnownRepository,
    exclusion,
    poc_reason,
    uses_properties,
)
from service.rules.values.actions import Action, OpenNotice
from service.rules.values.finding import Finding
from service.rules.values.github import EventKind
from service.rules.values.subjects import installation_key, repository_key
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
