"""The charter that was agreed on: it counts until those who signed it have signed what makes it easier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from service.rules.charter.goalposts import Move, moved, reopened
from service.rules.charter.model import Charter, Infra
from service.rules.gate.signoffs import Round, Signature, named, standing
from service.rules.policy.model import NO_POLICY, Policy
from service.rules.values.groups import Group


@dataclass(frozen=True, slots=True)
class Agreement:
    """A charter that was agreed on, and who may agree to an easier one."""

    charter: Charter
    signed: frozenset[Group] = frozenset(Group)
    """The groups whose person ever signed it: for the others whoever is named now may sign what changes."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The charter that counts for shipping: what got easier and is not signed stands in it as it was."""

    charter: Charter
    unsigned: tuple[Move, ...] = ()
    """What got easier and is not signed."""
    holders: Mapping[Group, str | None] = field(default_factory=dict)
    """Who has not signed it."""


def agreement(agreed: Charter, ever: Sequence[Signature]) -> Agreement:
    """A charter with the groups that ever signed it; `ever` holds what was withdrawn since as well."""
    given = standing(agreed, ever, Round.START)
    return Agreement(agreed, frozenset(group for group, signature in given.items() if signature))


def applied(
    before: Agreement, now: Charter, signatures: Sequence[Signature], policy: Policy = NO_POLICY
) -> Applied:
    """Hold a charter against the one agreed on: a change chooses neither its bounds nor its signers."""
    moves = [move for move in moved(before.charter, now) if move.eases]
    holders = holders_of(before, now)
    signed = _signed(holders, now, signatures, policy)
    open_groups = {group for group, signature in signed.items() if signature is None}
    unsigned = tuple(move for move in moves if open_groups & {*move.reopens})
    missing = {group: holders[group] for group in reopened(unsigned) if group in open_groups}
    return Applied(_enforced(before.charter, now, unsigned), unsigned, missing)


def stop_signed(before: Agreement, now: Charter, signatures: Sequence[Signature], policy: Policy) -> bool:
    """Whether product signed that the POC has ended: who did for the charter that was agreed on."""
    given = _signed(holders_of(before, now), now, signatures, policy)
    return now.stopped is not None and given[Group.PRODUCT] is not None


def pause_signed(before: Agreement, now: Charter, signatures: Sequence[Signature], policy: Policy) -> bool:
    """Whether product signed the pause of a charter: who did for the charter that was agreed on."""
    given = _signed(holders_of(before, now), now, signatures, policy, Round.PAUSE)
    return now.paused is not None and given[Group.PRODUCT] is not None


def holders_of(before: Agreement, now: Charter) -> Mapping[Group, str | None]:
    """Who allows a change, for each group: who signed before it, or else whom the charter names now."""
    signed = before.signed.intersection(before.charter.signoffs.groups)
    asked = signed.union(now.signoffs.groups)
    return {
        group: named(before.charter if group in signed else now, group) for group in Group if group in asked
    }


def _signed(
    holders: Mapping[Group, str | None],
    now: Charter,
    signatures: Sequence[Signature],
    policy: Policy,
    round: Round = Round.START,  # noqa: A002 - the word for it
) -> Mapping[Group, Signature | None]:
    """Their signatures of a charter; a member by the policy signs in the place of a person who has left."""
    members = {group: known.members for group, known in policy.groups.items()}
    people = {
        group: {login.lower() for login in (holder,) if login} | members.get(group, frozenset())
        for group, holder in holders.items()
    }
    return standing(now, signatures, round, signers=people)


def takes_over(before: Agreement, now: Charter, signatures: Sequence[Signature], policy: Policy) -> bool:
    """Whether a charter is agreed on from now on: every signature is there that the one before has."""
    given = standing(now, signatures, Round.START)
    signed = all(given[group] for group in before.signed if group in given)
    return signed and not applied(before, now, signatures, policy).unsigned


def _enforced(before: Charter, now: Charter, unsigned: Sequence[Move]) -> Charter:
    """The charter as it is now, with what was eased and not signed as it was before.

    Where the numbers are found is taken from the present charter: files may move with the change. So is
    what was found out: a drill, and what turned out to be missing.
    """
    fields = {move.field.partition(".")[0] for move in unsigned}
    rollback = replace(before.rollback, drilled=now.rollback.drilled)
    return replace(
        now,
        done=before.done if "done" in fields else now.done,
        waived=before.waived if "waived" in fields else now.waived,
        target=before.target if "target" in fields else now.target,
        rollback=rollback if "rollback" in fields else now.rollback,
        infra=_infra(before.infra, now.infra) if "infra" in fields else now.infra,
        signoffs=before.signoffs if "signoffs" in fields else now.signoffs,
    )


def _infra(before: Infra, now: Infra) -> Infra:
    return replace(before, **now.missing)
