"""Approvals that were given and do not count, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.rules.charter.model import Charter
from service.rules.gate.signoffs import Signature, groups_of, is_another
from service.rules.policy.model import Policy
from service.rules.source.text import listed
from service.rules.values.groups import Group
from service.rules.values.recorded import APPROVED, RecordedReview


@dataclass(frozen=True, slots=True)
class Given:
    """A review, or the dismissal of one, on a pull request."""

    told: RecordedReview
    number: int


@dataclass(frozen=True, slots=True)
class Uncounted:
    """An approval that does not count, and why."""

    login: str
    at: datetime
    number: int
    why: str


@dataclass(frozen=True, slots=True)
class SigningFacts:
    """What tells whether an approval counts."""

    charter: Charter
    signatures: Sequence[tuple[Signature, bool]]
    """All that were ever given, each with whether it was withdrawn."""
    standing: Sequence[Mapping[Group, Signature | None]]
    """Those that hold now, of each round."""
    policy: Policy
    request: tuple[int, datetime] | None
    """The pull request on which the owner asked to ship, and when."""
    accounts: Mapping[str, int] = field(default_factory=dict)
    """The accounts that signers' logins are bound to."""


def uncounted(facts: SigningFacts, reviews: Iterable[Given]) -> tuple[Uncounted, ...]:
    """The newest approval of each person on each pull request, where none of theirs there counts."""
    holding = {each.source for given in facts.standing for each in given.values() if each}
    holders = {each.login.lower() for given in facts.standing for each in given.values() if each}
    newest: dict[tuple[str, int], Given] = {}
    dismissed: dict[int, RecordedReview] = {}
    counting: set[tuple[str, int]] = set()
    for each in reviews:
        review = each.told.review
        if each.told.dismissed:
            dismissed[review.id] = each.told
        elif review.state == APPROVED:
            key = review.login.lower(), each.number
            newest[key] = each
            if each.told.source in holding:
                counting.add(key)
    found = []
    for key, each in newest.items():
        if key in counting:
            continue
        review = each.told.review
        own = [(one, gone) for one, gone in facts.signatures if one.source == each.told.source]
        why = _of_another(facts, each) or _why(facts, each, own, dismissed.get(review.id))
        if own and key[0] in holders and not any(gone for _, gone in own):
            continue  # what they signed there they have signed anew since
        found.append(Uncounted(review.login, each.told.at, each.number, why))
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _of_another(facts: SigningFacts, given: Given) -> str:
    review = given.told.review
    another = is_another(facts.accounts, review.login, review.account_id)
    return "this login was another account when the charter named it" if another else ""


def _why(
    facts: SigningFacts,
    given: Given,
    own: Sequence[tuple[Signature, bool]],
    dismissed: RecordedReview | None,
) -> str:
    request = facts.request
    login = given.told.review.login
    if dismissed is not None and all(gone for _, gone in own):
        return f"{dismissed.actor} dismissed it" if dismissed.actor else "it was dismissed"
    policy = facts.policy
    groups = (*groups_of(facts.charter, login), *policy.groups_of(login), *policy.deputy_of(login))
    if not groups:
        return "the charter doesn't name them under `signoffs`"
    if own and all(gone for _, gone in own):
        return "it was withdrawn"
    if own:
        changed = dict.fromkeys(one.group.words for one, _ in own)
        return f"what {listed(tuple(changed))} signs for has changed since"
    if request is not None and given.number == request[0] and given.told.at < request[1]:
        return "it was given before `/poc ship`"
    return "it was given on a pull request that neither changes the charter nor asks to ship"
