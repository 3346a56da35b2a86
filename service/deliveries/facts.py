"""What routes make receptions of: what every delivery tells, and what a person's doing counts for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from service.deliveries.payloads import Account, Payload
from service.rules.policy.model import POLICY_REPOSITORY
from service.rules.values.activity import Activity, facts_of
from service.rules.values.github import EventRecord
from service.rules.values.subjects import DeliveryEffects

EffectsBuilder = Callable[..., DeliveryEffects]
"""Makes a reception that has what every delivery tells."""
Route = Callable[[Payload, EffectsBuilder], DeliveryEffects]


def effects_builder(payload: Payload) -> EffectsBuilder:
    """What every delivery tells: for which installation, and how its repository looks."""
    assert payload.installation is not None
    return partial(
        DeliveryEffects,
        installation_id=payload.installation.id,
        repository_id=payload.repository.id if payload.repository else None,
        action=payload.action,
        repositories=payload.repository.described() if payload.repository else (),
    )


def ignored(payload: Payload, reason: str) -> DeliveryEffects:
    """A delivery that means nothing, and why."""
    return DeliveryEffects(
        installation_id=payload.installation.id if payload.installation else None,
        repository_id=payload.repository.id if payload.repository else None,
        action=payload.action,
        ignored=reason,
    )


def person(*accounts: Account | None) -> str:
    """The login of the first that is a person's; nothing where all are bots, or nobody's."""
    return next((account.login for account in accounts if account and account.is_person), "")


def activity_facts(payload: Payload, *happenings: Activity) -> tuple[EventRecord, ...]:
    """What somebody did, as facts of the repository; nothing of what bots do."""
    assert payload.repository is not None
    return facts_of(payload.repository.id, *happenings)


def pushed_at(payload: Payload) -> datetime:
    """When a push happened; GitHub dates it by the repository's `pushed_at`."""
    assert payload.repository is not None
    described = payload.repository.described()
    return (described[0].pushed_at if described else None) or datetime.now(UTC)


def is_policys(payload: Payload) -> bool:
    """Whether a payload is about the repository in which the account's policy stands."""
    return payload.repository is not None and payload.repository.full_name.endswith(f"/{POLICY_REPOSITORY}")
