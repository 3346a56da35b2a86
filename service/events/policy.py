"""The organisation's policy: read when it may have changed, in force once it can be read.

One that cannot be read changes nothing: the last good one holds, and that is said where the file stands.
"""

from __future__ import annotations

import structlog

from service.events.context import Decision, Look
from service.ports import GitHubError
from service.rules.facts import FactKind
from service.rules.finding import Finding
from service.rules.judge import declares
from service.rules.plan import Action, OpenNotice
from service.rules.poc import KnownRepository
from service.rules.policy.match import uses_properties
from service.rules.policy.model import POLICY_PATH, POLICY_REPOSITORY, Policy
from service.rules.policy.reading import PolicyReading, read_policy
from service.rules.reception import installation_key
from service.rules.recognition import poc_reason

log = structlog.get_logger(__name__)

POLICY_LABEL = "poc-policy-broken"


def look_at_policy(look: Look, installation_id: int) -> Decision:
    """Read the policy where its file is another than before, and let it hold if it can be read."""
    policies = look.records.policies
    known, before = policy_repository(look, installation_id), policies.find(installation_id)
    if known is None:
        if before is not None and not look.dry:
            policies.forget(installation_id)
            _mark(look, installation_id, before.in_force, look.records.policies.in_force(installation_id))
        return Decision("no policy: its repository is not covered by the installation")
    blob_sha = _blob_sha(look, known)
    if before is not None and before.blob_sha == blob_sha and before.repository_id == known.repository.id:
        return Decision("the policy is as it was")
    data = look.github(installation_id).blob(known.repository.ref, blob_sha) if blob_sha else None
    reading = read_policy(data if data is not None else b"") if blob_sha else None
    if look.dry:
        return Decision(_outcome(reading))
    was = policies.in_force(installation_id)
    broken = reading is not None and reading.policy is None
    findings = tuple(_line(finding) for finding in reading.findings) if reading and broken else ()
    text = data.decode("utf-8", "replace") if data is not None else None
    policies.keep(installation_id, known.repository.id, blob_sha, text, findings, at=look.looked_at)
    _mark(look, installation_id, was, policies.in_force(installation_id))
    actions: tuple[Action, ...] = ()
    if reading is not None and broken:
        log.warning("policy cannot be read", installation=installation_id, findings=findings)
        actions = _notice(look, known, reading, blob_sha or "", has_good=before is not None)
    return Decision(_outcome(reading), actions, installation_id)


def policy_repository(look: Look, installation_id: int) -> KnownRepository | None:
    """The account's `.github` repository, if the installation covers it."""
    known = look.records.installations.find(installation_id)
    if known is None:
        look.github(installation_id)  # the first that we hear of it may be a push of its policy
        known = look.records.installations.find(installation_id)
    if known is None or known.deleted:
        return None
    name = f"{known.installation.account}/{POLICY_REPOSITORY}"
    found = look.records.repositories.named(installation_id, name)
    described = look.records.repositories.find(found.id) if found else None
    if described is not None and not described.described:
        told = look.github(installation_id).repository(described.repository.id)
        look.records.repositories.listed(installation_id, [told])
        described = look.records.repositories.find(described.repository.id)
    return described


def _blob_sha(look: Look, known: KnownRepository) -> str | None:
    """What stands at the policy's path: at the commit that was pushed last, or on the default branch."""
    pushes = [fact for fact in look.facts if fact.kind is FactKind.POLICY_PUSHED and fact.detail]
    newest = max(pushes, key=lambda fact: fact.at, default=None)
    ref = newest.detail if newest else known.repository.default_branch
    github = look.github(known.installation_id)
    try:
        return github.blob_shas(known.repository.ref, ref, [POLICY_PATH])[POLICY_PATH]
    except GitHubError as error:
        if not error.gone:
            raise
        return None  # a repository without a commit, or a commit that was forced away


def _mark(look: Look, installation_id: int, before: Policy, now: Policy) -> None:
    """Let all be looked at that another policy may change: POCs, and what becomes or ceases to be one."""
    if before == now:
        return
    repositories, pull_requests = look.records.repositories, look.records.pull_requests
    concerned = []
    for known in repositories.known(installation_id):
        declared = known.charter is not None and declares(known.charter)
        reason = poc_reason(known.repository, declares_charter=declared, policy=now)
        if known.poc_reason is not None or reason is not None:
            concerned.append(known.repository.id)
    repositories.mark(concerned)
    if uses_properties(now):
        look.records.installations.mark(installation_key(installation_id))  # its look asks for the properties
    pull_requests.mark_open(concerned)


def _notice(
    look: Look, known: KnownRepository, reading: PolicyReading, blob_sha: str, *, has_good: bool
) -> tuple[Action, ...]:
    """Said once for each text that cannot be read."""
    if look.observe or not known.repository.has_issues:
        return ()
    repository = known.repository
    url = f"{look.web_url}/{repository.full_name}/blob/{repository.default_branch}/{POLICY_PATH}"
    title, body = look.texts.policy_broken(reading.findings, url, has_good=has_good)
    key = f"policy-broken:{blob_sha}"
    if look.records.messages.was_said(repository.id, key):
        return ()
    return (OpenNotice(repository.ref, key, title, body, POLICY_LABEL, None),)


def _outcome(reading: PolicyReading | None) -> str:
    if reading is None:
        return "no policy: the defaults hold"
    if reading.policy is None:
        return f"the policy cannot be read: {len(reading.findings)} findings; the last good one holds"
    return f"the policy holds from now on: {reading.policy.mode}"


def _line(finding: Finding) -> str:
    return f"{POLICY_PATH}:{finding.line}: {finding.message}"
