"""Who signed what: approvals bound to a hash of the fields that they were given for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from service.rules.charter.bounds import bound_of
from service.rules.charter.model import Charter, Infra, Located, Rollback, Target
from service.rules.charter.quantity import Quantity
from service.rules.charter.threshold import Threshold
from service.rules.values.groups import FOUR, Group

OPENED = "opened:"
"""How the source begins of what was signed by opening a pull request."""

Material = Mapping[str, object]


class Round(StrEnum):
    """The two times at which people sign."""

    START = "start"
    """On a pull request that changes the charter."""
    SHIP = "ship"
    """On the pull request on which the owner wrote `/poc ship`."""
    PAUSE = "pause"
    """On a pull request that pauses the POC; product's alone."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's approval, for one group, of the fields that the group answers for."""

    login: str
    group: Group
    round: Round
    hash: str
    """Of the group's fields as they stood at the commit that was approved."""
    at: datetime
    number: int | None
    """The pull request; None for a command in the POC's issue."""
    source: str
    """What it was given by: `review:ID`, `opened:NUMBER`, `comment:ID`."""
    commit: str | None = None
    """The commit that was approved or pushed; None for a command, and where an old row doesn't tell."""
    behalf: str | None = None
    """The named person for whom a deputy signed; None where people sign for themselves."""

    @property
    def signer(self) -> str:
        """Who signed, and for whom."""
        return f"{self.login} for {self.behalf}" if self.behalf else self.login

    def speaks_for(self, people: Collection[str]) -> bool:
        """Whether one of these people, in small letters, signed, or a deputy for them."""
        return self.login.lower() in people or (self.behalf or "").lower() in people


def material_hash(charter: Charter, group: Group, round: Round) -> str:  # noqa: A002 - the word for it
    """A hash of what a group answers for; another wording of the same does not change it."""
    return hash_of(group, material(charter, group, round))


def hash_of(group: Group, fields: Material) -> str:
    """A hash of a group's fields; the group is part of it, so a signature counts for no other group."""
    return hashlib.sha256(json.dumps([group, fields], default=str, sort_keys=True).encode()).hexdigest()


def material(charter: Charter, group: Group, round: Round) -> Material:  # noqa: A002, PLR0911 - the word for it; one for each
    """The fields that a group answers for, in a canonical form.

    To ship, data science answers for where the numbers are found as well, or product where there is no data
    science; at the start there are none.
    """
    match group:
        case Group.DATA_SCIENCE if round is Round.SHIP:
            return _asked(charter) | {"evidence": _evidence(charter)}
        case Group.DATA_SCIENCE:
            return _asked(charter)
        case Group.PRODUCT if round is Round.PAUSE:
            return {"paused": charter.paused and charter.paused.value.until}
        case Group.PRODUCT if round is Round.SHIP and Group.DATA_SCIENCE not in charter.signoffs.groups:
            return _of_product(charter) | {"evidence": _evidence(charter)}
        case Group.PRODUCT:
            return _of_product(charter)
        case Group.PLATFORM:
            return {
                "target": _target(charter.target),
                "infra": _infra(charter.infra),
                "rollback": _rollback(charter.rollback),
            }
        case Group.SECURITY | Group.LEGAL | Group.PRIVACY | Group.WORKS_COUNCIL:
            target = _target(charter.target)
            return {"auth": target["auth"], "data": target["data"]}


def _of_product(charter: Charter) -> dict[str, object]:
    owner, ship_by = charter.owner, charter.ship_by
    stopped = {"stopped": charter.stopped.value.on} if charter.stopped else {}
    return (
        stopped
        | _asked(charter)
        | {
            "owner": owner and owner.value.lower(),
            "ship_by": ship_by and ship_by.value,
            "signoffs": _signers(charter),
        }
    )


def _signers(charter: Charter) -> dict[Group, str]:
    """Who signs for each group: without further groups what was signed keeps its hash."""
    signers = {group: (named(charter, group) or "").lower() for group in Group}
    absent = {group: "n/a" for group, _ in charter.signoffs.not_needed}
    return {group: login for group, login in (signers | absent).items() if login or group in FOUR}


def named(charter: Charter, group: Group) -> str | None:
    """The login that signs for a group."""
    signer: Located[str] | None = getattr(charter.signoffs, group.value)
    return signer.value if signer else None


def rounds_of(charter: Charter) -> tuple[Round, ...]:
    """What signing a charter signs: its start, and its pause where it has one."""
    return (Round.START, Round.PAUSE) if charter.paused else (Round.START,)


def groups_of(charter: Charter, login: str) -> tuple[Group, ...]:
    """The groups for which a person signs; one person may hold several."""
    people = {group: named(charter, group) for group in Group}
    return tuple(group for group, person in people.items() if person and person.lower() == login.lower())


def give(  # noqa: PLR0917 - the parts of an approval
    charter: Charter,
    login: str,
    round: Round,  # noqa: A002 - the word for it
    at: datetime,
    number: int | None,
    source: str,
    *,
    commit: str | None = None,
    before: Iterable[Charter] = (),
    members: Iterable[Group] = (),
    deputies: Iterable[Group] = (),
) -> tuple[Signature, ...]:
    """What a person signs by one approval of a charter: once for each of their groups.

    Whoever signs for a group in a charter `before` the change signs too: handing over is theirs to allow.
    So does a member by the policy, of the groups `members`: people leave. For the groups `deputies` a person
    signs in the place of whom the charter names; never the owner.
    """
    named_before = (group for each in before for group in groups_of(each, login))
    groups: dict[Group, str | None] = dict.fromkeys((*groups_of(charter, login), *named_before, *members))
    if may_deputise(charter, login):
        groups = {group: named(charter, group) for group in deputies if named(charter, group)} | groups
    return tuple(
        Signature(
            login, group, round, material_hash(charter, group, round), at, number, source, commit, behalf
        )
        for group, behalf in groups.items()
        if round is not Round.PAUSE or group is Group.PRODUCT
    )


def is_another(accounts: Mapping[str, int], login: str, account_id: int | None) -> bool:
    """Whether a login is another account by now than the one that it is bound to."""
    bound = accounts.get(login.lower())
    return None not in (bound, account_id) and bound != account_id


def may_deputise(charter: Charter, login: str) -> bool:
    """Whether a person may sign for somebody else: nobody signs their own POC."""
    return (charter.owner_login or "").lower() != login.lower()


def standing(
    charter: Charter,
    signatures: Sequence[Signature],
    round: Round,  # noqa: A002 - the word for it
    *,
    number: int | None = None,
    since: datetime | None = None,
    head: str | None = None,
    signers: Mapping[Group, Collection[str]] | None = None,
) -> Mapping[Group, Signature | None]:
    """For each group the signature that holds for the charter as it is now; None where one is asked for.

    The groups are those of `signers`, or else those that sign for `charter`.
    It is the newest by the person whom `charter` names, or by one of `signers`, of the fields as they are
    now; withdrawn ones are not passed in. For the ship round only signatures on pull request `number`, given
    at `since` or later, count; who opened that pull request has signed by opening it, whenever that was.
    Where `head` is given, only those of that commit do.
    """
    counting = [each for each in signatures if each.round is round]
    if round is Round.SHIP:
        counting = [each for each in counting if ships(each, number, since) and head in (None, each.commit)]
    people = signers or people_of(charter)
    return {
        group: _newest(counting, logins, group, material_hash(charter, group, round))
        for group, logins in people.items()
    }


def people_of(charter: Charter) -> Mapping[Group, Collection[str]]:
    """Who signs for each group that signs, in small letters; nobody where the charter names nobody."""
    people = {group: named(charter, group) for group in charter.signoffs.groups}
    return {group: {login.lower()} if login else set() for group, login in people.items()}


def ships(signature: Signature, number: int | None, since: datetime | None) -> bool:
    """Whether it was given on the ship request, after the owner asked there at `since`."""
    early = since is not None and signature.at < since and not signature.source.startswith(OPENED)
    return number is not None and signature.number == number and not early


def _newest(
    signatures: Sequence[Signature], people: Collection[str], group: Group, wanted: str
) -> Signature | None:
    holding = [
        each for each in signatures if each.group is group and each.hash == wanted and each.speaks_for(people)
    ]
    return max(holding, key=lambda each: each.at, default=None)


def _asked(charter: Charter) -> dict[str, object]:
    """The bounds, and until when they may be missed; without waivers what was signed keeps its hash."""
    waived = sorted((list(map(str, each.value.key.about)), each.value.until) for each in charter.waived)
    return {"done": _done(charter)} | ({"waived": waived} if waived else {})


def _done(charter: Charter) -> list[str]:
    """The bounds, sorted: the order of the lines means nothing."""
    return sorted(map(_bound_text, charter.done))


@lru_cache(maxsize=4096)
def _bound_text(line: Threshold) -> str:
    """A line's bound; one reconciliation asks for the same ones dozens of times."""
    return json.dumps(astuple(bound_of(line)), default=str)


def _evidence(charter: Charter) -> list[str]:
    """Where each number is found: another path, aggregate or unit is another number."""
    return sorted(f"{line.metric.value} {' '.join(line.source.value.split())}" for line in charter.evidence)


def _target(target: Target) -> Material:
    return {
        "environment": target.environment and target.environment.value,
        "measured_in": target.measured_in and target.measured_in.value,
        "load": _amount(target.load),
        "data": _amount(target.data),
        "auth": target.auth and target.auth.value,
    }


def _infra(infra: Infra) -> Material:
    return {name: entry and entry.value.material for name, entry in infra.entries}


def _rollback(rollback: Rollback) -> Material:
    """How and how fast; that it was tried needs no new signature."""
    return {
        "how": rollback.how and " ".join(rollback.how.value.split()),
        "within": _amount(rollback.within),
    }


def _amount(quantity: Located[Quantity] | None) -> tuple[object, ...] | None:
    return _canonical(quantity.value) if quantity else None


def _canonical(quantity: Quantity) -> tuple[object, ...]:
    """A quantity by what it amounts to, so that `10 min` is `600 s`."""
    return quantity.canonical_value, quantity.canonical_unit
