"""ROUTES: which event and action means what. The only routing of the service.

A route reads a payload and says what to record and which subjects need a look; it decides nothing and calls
nobody. `app-manifest.yml` asks for exactly the events named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from service.deliveries.facts import (
    EffectsBuilder,
    Route,
    activity_facts,
    effects_builder,
    ignored,
    is_policys,
    person,
    pushed_at,
)
from service.deliveries.payloads import Payload, RepositoryPayload, decode, decode_unroutable
from service.deliveries.routes_people import commented, poc_elsewhere, review_dismissed, reviewed
from service.deliveries.routes_pull_requests import pull_request_changed, review_asked
from service.rules.policy.model import POLICY_PATH, POLICY_REPOSITORY
from service.rules.source.text import CHARTER_PATH
from service.rules.values import activity
from service.rules.values.actions import STALL_LABEL, STALL_MARKER
from service.rules.values.activity import Activity
from service.rules.values.github import Deployed, DeploymentRequest, EventKind, EventRecord
from service.rules.values.recorded import detail
from service.rules.values.subjects import (
    DeliveryEffects,
    deployment_key,
    installation_key,
    merge_group_key,
    policy_key,
    repository_key,
)

RUN = re.compile(r"/actions/runs/([0-9]{1,18})/deployment_protection_rule/?$")
"""Only the run's id is taken from the address that GitHub wants to be called at: we know where GitHub is."""
SUCCESS = "success"


def deployment_requested(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """GitHub asks whether a deployment may proceed, and waits; so in every repository that asks."""
    run = RUN.search(payload.deployment_callback_url or "")
    deployment = payload.deployment
    sha = deployment.sha if deployment else payload.sha
    environment = payload.environment or (deployment.environment if deployment else None)
    if run is None or sha is None or environment is None:
        raise ValueError("a deployment_protection_rule event without a run, a commit or an environment")
    assert payload.repository is not None
    # A job may ask for an environment without making a deployment of it.
    request = DeploymentRequest(deployment.id if deployment else int(run[1]), int(run[1]), environment, sha)
    subject = deployment_key(payload.repository.id, request.deployment_id)
    at = (deployment.created_at if deployment else None) or datetime.now(UTC)
    fact = EventRecord(
        id=f"{subject}:requested:{run[1]}:{at.isoformat()}",
        subject=subject,
        kind=EventKind.DEPLOYMENT_REQUESTED,
        at=at,
        actor=payload.sender.login if payload.sender else "",
        detail=detail(request),
    )
    return seen(facts=(fact,), subjects=(subject,))


def deployment_status_created(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A deployment succeeded."""
    deployment, status = payload.deployment, payload.deployment_status
    if deployment is None or status is None:
        raise ValueError("a deployment_status event without `deployment` or `deployment_status`")
    if status.state != SUCCESS:
        return ignored(payload, f"state {status.state} of a deployment is not one that we use")
    assert payload.repository is not None
    subject = repository_key(payload.repository.id)
    at = status.created_at or datetime.now(UTC)
    fact = EventRecord(
        id=f"{subject}:deployed:{deployment.id}",
        subject=subject,
        kind=EventKind.DEPLOYED,
        at=at,
        actor=payload.sender.login if payload.sender else "",
        detail=detail(Deployed(deployment.id, deployment.environment, deployment.sha)),
    )
    actor = person(deployment.creator, payload.sender)
    did = activity.deployed(payload.repository.id, deployment.environment, deployment.sha, actor, at)
    return seen(facts=(fact, *activity_facts(payload, did)), subjects=(subject,), for_pocs_only=True)


LARGEST_PUSH = 2048
"""GitHub lists at most this many commits of a push, so a larger one may touch the charter unseen."""

BRANCHES = "refs/heads/"
NO_COMMIT = "0" * 40
"""What a deleted branch points at."""


def installation_changed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """Installed, removed, suspended, or its permissions changed."""
    assert payload.installation is not None
    return seen(
        installation=payload.installation.described(),
        uninstalled=payload.action == "deleted",
        stubs=tuple(stub.ref for stub in payload.repositories),
        subjects=(installation_key(payload.installation.id), policy_key(payload.installation.id)),
    )


def repositories_changed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """Repositories were added to the installation, or taken from it."""
    added = tuple(stub.ref for stub in payload.repositories_added)
    removed = tuple(stub.id for stub in payload.repositories_removed)
    subjects = tuple(repository_key(repository) for repository in (*(ref.id for ref in added), *removed))
    if payload.installation is not None and any(_is_home(stub) for stub in _moved(payload)):
        subjects += (policy_key(payload.installation.id),)
    return seen(stubs=added, removed=removed, subjects=subjects)


def _moved(payload: Payload) -> tuple[RepositoryPayload, ...]:
    return (*payload.repositories_added, *payload.repositories_removed)


def _is_home(stub: RepositoryPayload) -> bool:
    """Whether it is where the account's policy stands."""
    return stub.full_name.endswith(f"/{POLICY_REPOSITORY}")


def repository_changed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A repository was created, renamed, transferred, archived or edited."""
    assert payload.repository is not None
    subjects: tuple[str, ...] = (repository_key(payload.repository.id),)
    if payload.installation is not None and is_policys(payload):
        subjects += (policy_key(payload.installation.id),)
    if payload.action == "deleted":
        # Described as well, it would count as there again.
        return seen(repositories=(), removed=(payload.repository.id,), subjects=subjects)
    return seen(subjects=subjects)


def properties_changed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A repository got other custom properties; the event may tell only those that changed."""
    assert payload.repository is not None
    assert payload.installation is not None
    subjects: tuple[str, ...] = (repository_key(payload.repository.id),)
    if payload.repository.custom_properties is None:
        return seen(subjects=(*subjects, installation_key(payload.installation.id)))
    payload.repository.custom_properties |= {
        each.property_name: each.value for each in payload.new_property_values
    }
    return seen(repositories=payload.repository.described(), subjects=subjects)


def pushed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A branch moved; on the default branch the charter may have changed."""
    assert payload.repository is not None
    repository, subject = payload.repository, repository_key(payload.repository.id)
    at, after = pushed_at(payload), payload.after or ""
    facts = activity_facts(payload, *_done(payload, at))
    on_default = payload.ref == f"refs/heads/{repository.default_branch}"
    touches_charter = on_default and _may_touch(payload, CHARTER_PATH)
    if touches_charter:
        facts += (
            EventRecord(f"{subject}:charter:{after}", subject, EventKind.CHARTER_PUSHED, at, detail=after),
        )
    if on_default and after not in ("", NO_COMMIT):
        # A branch may be forced back to where it was, so the commit alone does not tell two moves apart.
        moved = f"{subject}:default:{after}:{at.isoformat()}"
        facts += (EventRecord(moved, subject, EventKind.DEFAULT_PUSHED, at, detail=after),)
    subjects: tuple[str, ...] = (subject,)
    touches_policy = on_default and is_policys(payload) and _may_touch(payload, POLICY_PATH)
    if touches_policy and payload.installation is not None:
        key = policy_key(payload.installation.id)
        facts += (EventRecord(f"{key}:pushed:{after}", key, EventKind.POLICY_PUSHED, at, detail=after),)
        subjects += (key,)
    return seen(facts=facts, subjects=subjects, for_pocs_only=not (touches_charter or touches_policy))


def _done(payload: Payload, at: datetime) -> Iterator[Activity]:
    """What somebody did by a push: commits of people's own, and the default branch's charter."""
    assert payload.repository is not None
    repository, after, actor = payload.repository, payload.after or "", person(payload.sender)
    if not (payload.ref or "").startswith(BRANCHES) or after in ("", NO_COMMIT):
        return
    commits = payload.commits or ()
    own = [commit for commit in commits if commit.distinct and commit.is_a_persons_own]
    if own:
        yield activity.commit(repository.id, own[-1].id or after, actor, at)
    chartering = [commit for commit in commits if CHARTER_PATH in commit.paths]
    if chartering and payload.ref == f"{BRANCHES}{repository.default_branch}":
        yield activity.charter(repository.id, chartering[-1].id or after, actor, at)


def merge_group_changed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """A merge queue asks for the checks of its head."""
    assert payload.repository is not None
    if payload.merge_group is None:
        raise ValueError("a merge_group event without `merge_group`")
    group = payload.merge_group
    subject = merge_group_key(payload.repository.id, group.head_sha, group.base_sha)
    return seen(subjects=(subject,), for_pocs_only=True)


def rerun_requested(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """Somebody pressed "Re-run" on a check run, or on all of a commit's."""
    asked = payload.check_run or payload.check_suite
    if asked is None:
        raise ValueError("a rerequested event without `check_run` or `check_suite`")
    return seen(rerun_sha=asked.head_sha)


def issue_changed(payload: Payload, seen: EffectsBuilder) -> DeliveryEffects:
    """An issue was closed, reopened, deleted, transferred or lost a label; only ours matter."""
    assert payload.repository is not None
    if payload.issue is None:
        raise ValueError("an issues event without `issue`")
    issue = payload.issue
    labels = [label.name for label in (*issue.labels, *([payload.label] if payload.label else []))]
    if STALL_LABEL not in labels and STALL_MARKER not in (issue.body or ""):
        return ignored(payload, "not an issue of ours")
    # In the central repository it is about a POC of another one; the look reads that POC's own issue.
    subject = repository_key(poc_elsewhere(issue, payload.repository.id) or payload.repository.id)
    fact = EventRecord(
        id=f"{subject}:issue:{issue.number}:{payload.action}:{issue.updated_at.isoformat()}",
        subject=subject,
        kind=EventKind.ISSUE_CHANGED,
        at=issue.updated_at,
        actor=payload.sender.login if payload.sender else "",
        detail=f"{payload.action} #{issue.number}",
    )
    return seen(facts=(fact,), subjects=(subject,))


def _route(handler: Route, event: str, *actions: str | None) -> dict[tuple[str, str | None], Route]:
    return {(event, action): handler for action in actions}


ROUTES: Mapping[tuple[str, str | None], Route] = {
    **_route(
        installation_changed,
        "installation",
        "created",
        "deleted",
        "suspend",
        "unsuspend",
        "new_permissions_accepted",
    ),
    **_route(properties_changed, "custom_property_values", "updated"),
    **_route(repositories_changed, "installation_repositories", "added", "removed"),
    **_route(
        repository_changed,
        "repository",
        "created",
        "edited",
        "renamed",
        "transferred",
        "archived",
        "unarchived",
        "publicized",
        "privatized",
        "deleted",
    ),
    **_route(pushed, "push", None),
    **_route(pull_request_changed, "pull_request", "opened", "reopened", "synchronize", "edited", "closed"),
    **_route(
        review_asked,
        "pull_request",
        "review_requested",
        "review_request_removed",
        "ready_for_review",
        "converted_to_draft",
    ),
    **_route(reviewed, "pull_request_review", "submitted"),
    **_route(review_dismissed, "pull_request_review", "dismissed"),
    **_route(commented, "issue_comment", "created"),
    **_route(deployment_requested, "deployment_protection_rule", "requested"),
    **_route(deployment_status_created, "deployment_status", "created"),
    **_route(merge_group_changed, "merge_group", "checks_requested"),
    **_route(rerun_requested, "check_run", "rerequested"),
    **_route(rerun_requested, "check_suite", "rerequested"),
    **_route(issue_changed, "issues", "closed", "reopened", "deleted", "transferred", "unlabeled"),
}

EVENTS = frozenset(event for event, _ in ROUTES)


def route(event: str, body: bytes) -> DeliveryEffects:
    """Say what a delivery means; `ValueError` when its body is not the JSON of that event."""
    if event not in EVENTS:
        return ignored(decode_unroutable(body), f"event {event} is not one that we use")
    payload = decode(body)
    if payload.installation is None:
        return ignored(payload, "no installation: not sent for an installation of this app")
    handler = ROUTES.get((event, payload.action))
    if handler is None:
        return ignored(payload, f"action {payload.action} of {event} is not one that we use")
    if payload.repository is None and handler not in (installation_changed, repositories_changed):
        raise ValueError(f"a {event} event without `repository`")
    return handler(payload, effects_builder(payload))


def _may_touch(payload: Payload, path: str) -> bool:
    """Whether a push names a path, or does not say what it names."""
    if payload.commits is None or payload.forced or len(payload.commits) >= LARGEST_PUSH:
        return True
    return any(path in commit.paths for commit in payload.commits)
