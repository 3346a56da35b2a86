"""Deployments: those that wait for our answer, and those that succeeded."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from service.events.payloads import Payload
from service.events.seen import Seen, activity, detail, ignored, person
from service.rules import deeds
from service.rules.facts import Deployed, DeploymentRequest, Fact, FactKind
from service.rules.reception import Reception, deployment_key, repository_key

RUN = re.compile(r"/actions/runs/([0-9]{1,18})/deployment_protection_rule/?$")
"""Only the run's id is taken from the address that GitHub wants to be called at: we know where GitHub is."""
SUCCESS = "success"


def deployment_requested(payload: Payload, seen: Seen) -> Reception:
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
    fact = Fact(
        id=f"{subject}:requested:{run[1]}:{at.isoformat()}",
        subject=subject,
        kind=FactKind.DEPLOYMENT_REQUESTED,
        at=at,
        actor=payload.sender.login if payload.sender else "",
        detail=detail(request),
    )
    return seen(facts=(fact,), subjects=(subject,))


def deployment_status_created(payload: Payload, seen: Seen) -> Reception:
    """A deployment succeeded."""
    deployment, status = payload.deployment, payload.deployment_status
    if deployment is None or status is None:
        raise ValueError("a deployment_status event without `deployment` or `deployment_status`")
    if status.state != SUCCESS:
        return ignored(payload, f"state {status.state} of a deployment is not one that we use")
    assert payload.repository is not None
    subject = repository_key(payload.repository.id)
    at = status.created_at or datetime.now(UTC)
    fact = Fact(
        id=f"{subject}:deployed:{deployment.id}",
        subject=subject,
        kind=FactKind.DEPLOYED,
        at=at,
        actor=payload.sender.login if payload.sender else "",
        detail=detail(Deployed(deployment.id, deployment.environment, deployment.sha)),
    )
    actor = person(deployment.creator, payload.sender)
    did = deeds.deployed(payload.repository.id, deployment.environment, deployment.sha, actor, at)
    return seen(facts=(fact, *activity(payload, did)), subjects=(subject,), for_pocs_only=True)
