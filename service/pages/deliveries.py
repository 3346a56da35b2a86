"""What came in from GitHub, what followed, and what failed and why: no payload."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from service.rules.queue import DeliveryAttempt
from service.rules.values.subjects import SubjectKind
from service.store.deliveries import LAST_ID, Deliveries, Look, Received
from service.texts.markdown import plural

SIZE = 50
WORDS = {
    SubjectKind.INSTALLATION: "the installation",
    SubjectKind.REPOSITORY: "the repository",
    SubjectKind.PULL_REQUEST: "#{0}",
    SubjectKind.MERGE_GROUP: "the merge queue at {0:.7}",
    SubjectKind.DEPLOYMENT: "deployment {0}",
    SubjectKind.POLICY: "the policy",
    SubjectKind.DIGEST: "the digest",
    SubjectKind.POLICY_CHANGE: "the policy in #{0}",
}
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class LookView:
    """What followed at one subject."""

    subject: str
    says: str
    failed: bool


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery."""

    id: int
    what: str
    where: str
    at: datetime
    ignored: str
    looks: tuple[LookView, ...]


@dataclass(frozen=True, slots=True)
class MissedView:
    """A delivery that GitHub could not hand over."""

    attempt: int
    what: str
    at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class DeliveriesView:
    """The page; `missed` is None where GitHub does not say."""

    accounts: tuple[str, ...]
    rows: tuple[DeliveryView, ...]
    missed: tuple[MissedView, ...] | None
    failed_only: bool
    older: str


def read_deliveries(
    store: Deliveries,
    accounts: Mapping[int, str],
    attempts: Collection[DeliveryAttempt] | None,
    *,
    before: int | None,
    failed_only: bool,
) -> DeliveriesView:
    """Read and lay out what concerns these installations, which are given with their accounts."""
    found = store.received(accounts, before or LAST_ID, SIZE + 1, failed=failed_only)
    shown = found[:SIZE]
    looks = store.looks({key for each in shown for key in each.subjects})
    older = (
        f"/deliveries?{'show=failed&' if failed_only else ''}before={shown[-1].id}"
        if len(found) > SIZE
        else ""
    )
    return DeliveriesView(
        accounts=tuple(sorted(accounts.values(), key=str.lower)),
        rows=tuple(_row(each, looks) for each in shown),
        missed=None if attempts is None else tuple(_missed(store, accounts, attempts)),
        failed_only=failed_only,
        older=older,
    )


def own(attempts: Iterable[DeliveryAttempt], installations: Collection[int]) -> list[DeliveryAttempt]:
    """Those that some installations are told of."""
    return [each for each in attempts if each.installation_id in installations]


def _missed(
    store: Deliveries, accounts: Mapping[int, str], attempts: Collection[DeliveryAttempt]
) -> Iterable[MissedView]:
    """The newest failed attempt at each delivery that has not come by now."""
    newest: dict[str, DeliveryAttempt] = {}
    for each in sorted(own(attempts, accounts), key=lambda each: each.delivered_at, reverse=True):
        newest.setdefault(each.guid, each)
    stored = store.stored(newest)
    for guid, each in newest.items():
        if guid not in stored:
            answer = str(each.status_code) if each.status_code else NO_ANSWER
            yield MissedView(
                each.id, _name(each.event, each.action), each.delivered_at.astimezone(UTC), answer
            )


def _row(each: Received, looks: Mapping[str, Look]) -> DeliveryView:
    return DeliveryView(
        id=each.id,
        what=_name(each.event, each.action),
        where=each.full_name or "",
        at=each.received_at,
        ignored=each.ignored or "",
        looks=tuple(_look(key, looks.get(key)) for key in each.subjects),
    )


def _name(event: str, action: str | None) -> str:
    return f"{event}.{action}" if action else event


def _look(key: str, look: Look | None) -> LookView:
    kind, *parts = key.split(":")
    # An earlier version may have had other kinds.
    subject = WORDS[SubjectKind(kind)].format(*parts[1:] or parts) if kind in WORDS else key
    if look is None:
        return LookView(subject, "we don't know anything about it any more", failed=False)
    says, failed = _outcome(look)
    return LookView(subject, says, failed)


def _outcome(look: Look) -> tuple[str, bool]:
    """What came of the newest look, and whether that is to be put right."""
    if look.dead_since:
        return f"given up {_at(look.dead_since)}: {look.last_error}", True
    if look.dirty and look.last_error:
        again = f", tried again {_at(look.not_before)}" if look.not_before else ""
        tried = f" after {plural(look.attempts, 'attempt')}" if look.attempts else ""
        return f"not done yet{tried}{again}: {look.last_error}", True
    if look.dirty or look.looked_at is None:
        return "waits for its turn", False
    return f"{_at(look.looked_at)}: {look.outcome}", False


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
