"""ROUTES: which event and action means what. The only routing of the service.

A route reads a delivery and says which events to record and which subjects to reconcile; it decides nothing
and calls nobody. `app-manifest.yml` asks for exactly the events named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from service.deliveries.delivery import (
    Delivery,
    Route,
    decode,
    decode_unroutable,
    event,
    holds_policy,
    needed,
    person,
)
from service.deliveries.routes_people import (
    commented,
    poc_elsewhere,
    pull_request_changed,
    review_asked,
    review_dismissed,
    reviewed,
)
from service.deliveries.routes_push import BRANCHES, pushed
from service.rules.values import activity
from service.rules.values.actions import STALL_LABEL, STALL_MARKER
from service.rules.values.github import Deployed, DeploymentRequest, EventKind
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
MANY = 20
"""Of more repositories than this that were added at once, the list is cheaper to read than each."""
GRANTING = ("unsuspend", "new_permissions_accepted")
"""The actions after which we may write what we couldn't."""


def deployment_requested(delivery: Delivery) -> DeliveryEffects:
    """GitHub asks whether a deployment may proceed, and waits; so in every repository that asks."""
    run = RUN.search(delivery.deployment_callback_url or "")
    deployment = delivery.deployment
    sha = deployment.sha if deployment else delivery.sha
    environment = delivery.environment or (deployment.environment if deployment else None)
    if run is None or sha is None or environment is None:
        raise ValueError("a deployment_protection_rule event without a run, a commit or an environment")
    # A job may ask for an environment without making a deployment of it.
    request = DeploymentRequest(deployment.id if deployment else int(run[1]), int(run[1]), environment, sha)
    subject = deployment_key(delivery.here.id, request.deployment_id)
    at = (deployment.created_at if deployment else None) or datetime.now(UTC)
    name = f"requested:{run[1]}:{at.isoformat()}"
    asked = event(subject, name, EventKind.DEPLOYMENT_REQUESTED, at, delivery.sent_by, detail(request))
    return delivery.effects(events=(asked,), subjects=(subject,))


def deployment_status_created(delivery: Delivery) -> DeliveryEffects:
    """A deployment succeeded."""
    missing = "a deployment_status event without `deployment` or `deployment_status`"
    deployment, status = needed(delivery.deployment, missing), needed(delivery.deployment_status, missing)
    if status.state != SUCCESS:
        return delivery.ignored(f"state {status.state} of a deployment is not one that we use")
    subject, at = repository_key(delivery.here.id), status.created_at or datetime.now(UTC)
    said = detail(Deployed(deployment.id, deployment.environment, deployment.sha))
    done = event(subject, f"deployed:{deployment.id}", EventKind.DEPLOYED, at, delivery.sent_by, said)
    actor = person(deployment.creator, delivery.sender)
    did = activity.deployed(delivery.here.id, deployment.environment, deployment.sha, actor, at)
    return delivery.effects(events=(done, *delivery.activities(did)), subjects=(subject,), for_pocs_only=True)


def installation_changed(delivery: Delivery) -> DeliveryEffects:
    """Installed, removed, suspended, or its permissions changed."""
    assert delivery.installation is not None
    subject, at = installation_key(delivery.installation.id), delivery.installation.changed_at
    name = f"{delivery.action}:{at.isoformat()}"
    granted = (event(subject, name, EventKind.ACCESS_GRANTED, at),) if delivery.action in GRANTING else ()
    return delivery.effects(
        events=granted,
        installation=delivery.installation.described(),
        uninstalled=delivery.action == "deleted",
        stubs=tuple(stub.ref for stub in delivery.repositories),
        subjects=(subject, policy_key(delivery.installation.id)),
    )


def repositories_changed(delivery: Delivery) -> DeliveryEffects:
    """Repositories were added to the installation, or taken from it."""
    assert delivery.installation is not None
    added = tuple(stub.ref for stub in delivery.repositories_added)
    removed = tuple(stub.id for stub in delivery.repositories_removed)
    named = removed if len(added) > MANY else (*(ref.id for ref in added), *removed)
    subjects = tuple(map(repository_key, named))
    if len(added) > MANY:
        subjects += (installation_key(delivery.installation.id),)
    if any(map(holds_policy, (*delivery.repositories_added, *delivery.repositories_removed))):
        subjects += (policy_key(delivery.installation.id),)
    return delivery.effects(stubs=added, removed=removed, subjects=subjects)


def repository_changed(delivery: Delivery) -> DeliveryEffects:
    """A repository was created, renamed, transferred, archived or edited."""
    assert delivery.installation is not None
    subjects: tuple[str, ...] = (repository_key(delivery.here.id),)
    # Its new name may be known already from a push, which doesn't look for a policy.
    about_policy = delivery.is_about_policy_repository
    if about_policy:
        subjects += (policy_key(delivery.installation.id),)
    if delivery.action == "deleted":
        # Described as well, it would count as there again.
        return delivery.effects(repositories=(), removed=(delivery.here.id,), subjects=subjects)
    return delivery.effects(subjects=subjects, describes_only=not about_policy)


def properties_changed(delivery: Delivery) -> DeliveryEffects:
    """A repository got other custom properties; the event may name only those that changed."""
    assert delivery.installation is not None
    repository = delivery.here
    subjects: tuple[str, ...] = (repository_key(repository.id),)
    if repository.custom_properties is None:
        return delivery.effects(subjects=(*subjects, installation_key(delivery.installation.id)))
    repository.custom_properties |= {each.property_name: each.value for each in delivery.new_property_values}
    return delivery.effects(subjects=subjects, describes_only=True)


def merge_group_changed(delivery: Delivery) -> DeliveryEffects:
    """A merge queue asks for the checks of its head."""
    group = needed(delivery.merge_group, "a merge_group event without `merge_group`")
    subject = merge_group_key(delivery.here.id, group.head_sha, group.base_sha)
    branch = (group.base_ref or "").removeprefix(BRANCHES) or None
    return delivery.effects(subjects=(subject,), branch=branch, for_pocs_only=True)


def rerun_requested(delivery: Delivery) -> DeliveryEffects:
    """Somebody pressed "Re-run" on a check run, or on all of a commit's."""
    missing = "a rerequested event without `check_run` or `check_suite`"
    return delivery.effects(rerun_sha=needed(delivery.check_run or delivery.check_suite, missing).head_sha)


def issue_changed(delivery: Delivery) -> DeliveryEffects:
    """An issue was closed, reopened, deleted, transferred or lost a label; only ours matter."""
    issue = needed(delivery.issue, "an issues event without `issue`")
    labels = [label.name for label in (*issue.labels, delivery.label) if label]
    if STALL_LABEL not in labels and STALL_MARKER not in (issue.body or ""):
        return delivery.ignored("not an issue of ours")
    # In the central repository it is about a POC of another one; reconciling reads that POC's own issue.
    subject = repository_key(poc_elsewhere(issue, delivery.here.id) or delivery.here.id)
    at, said = issue.updated_at, f"{delivery.action} #{issue.number}"
    name = f"issue:{issue.number}:{delivery.action}:{at.isoformat()}"
    changed = event(subject, name, EventKind.ISSUE_CHANGED, at, delivery.sent_by, said)
    return delivery.effects(events=(changed,), subjects=(subject,))


def authorization_revoked(delivery: Delivery) -> DeliveryEffects:
    """Somebody lets this app know no longer who they are; no installation is named."""
    account = needed(delivery.sender, "a github_app_authorization event without `sender`").id
    return DeliveryEffects(action=delivery.action, logged_out=account)


def _route(handler: Route, event_name: str, actions: str = "") -> dict[tuple[str, str | None], Route]:
    """A route for each of some actions, or for an event that has none."""
    names: tuple[str | None, ...] = tuple(actions.split()) or (None,)
    return {(event_name, action): handler for action in names}


ROUTES: Mapping[tuple[str, str | None], Route] = {
    **_route(
        installation_changed, "installation", "created deleted suspend unsuspend new_permissions_accepted"
    ),
    **_route(properties_changed, "custom_property_values", "updated"),
    **_route(repositories_changed, "installation_repositories", "added removed"),
    **_route(
        repository_changed,
        "repository",
        "created edited renamed transferred archived unarchived publicized privatized deleted",
    ),
    **_route(pushed, "push"),
    **_route(pull_request_changed, "pull_request", "opened reopened synchronize edited closed"),
    **_route(
        review_asked,
        "pull_request",
        "review_requested review_request_removed ready_for_review converted_to_draft",
    ),
    **_route(reviewed, "pull_request_review", "submitted"),
    **_route(review_dismissed, "pull_request_review", "dismissed"),
    **_route(commented, "issue_comment", "created"),
    **_route(deployment_requested, "deployment_protection_rule", "requested"),
    **_route(deployment_status_created, "deployment_status", "created"),
    **_route(merge_group_changed, "merge_group", "checks_requested"),
    **_route(rerun_requested, "check_run", "rerequested"),
    **_route(rerun_requested, "check_suite", "rerequested"),
    **_route(issue_changed, "issues", "closed reopened deleted transferred unlabeled"),
    **_route(authorization_revoked, "github_app_authorization", "revoked"),
}

ABOUT_NO_REPOSITORY = (installation_changed, repositories_changed, authorization_revoked)
EVENTS = frozenset(event_name for event_name, _ in ROUTES)


def route(event_name: str, body: bytes) -> DeliveryEffects:
    """Say what a delivery means; `ValueError` when its body is not the JSON of that event."""
    if event_name not in EVENTS:
        return decode_unroutable(body).ignored(f"event {event_name} is not one that we use")
    delivery = decode(body)
    handler = ROUTES.get((event_name, delivery.action))
    if delivery.installation is None and handler is not authorization_revoked:
        return delivery.ignored("no installation: not sent for an installation of this app")
    if handler is None:
        return delivery.ignored(f"action {delivery.action} of {event_name} is not one that we use")
    if delivery.repository is None and handler not in ABOUT_NO_REPOSITORY:
        raise ValueError(f"a {event_name} event without `repository`")
    effects = handler(delivery)
    if not all(EARLIEST < at < LATEST for at in _times(effects)):
        raise ValueError("a time lies before the year 2 or after the year 9998")
    return effects


EARLIEST, LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""What PostgreSQL and Python both know in every time zone."""


def _times(effects: DeliveryEffects) -> Iterator[datetime]:
    """The times that would be stored."""
    yield from (each.at for each in effects.events)
    described = [at for each in effects.repositories for at in (each.pushed_at, each.updated_at)]
    if effects.pull_request:
        described.append(effects.pull_request.updated_at)
    if effects.installation:
        described.append(effects.installation.suspended_at)
    yield from (at for at in described if at is not None)
