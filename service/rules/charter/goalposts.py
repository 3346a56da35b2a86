"""What a change does to the goalposts: each move with its direction, its place, and who signs again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import TypeVar

from service.rules.charter.bounds import Bound, Change, bound_of, compare, pair
from service.rules.charter.model import Charter, Located, Rollback, Target
from service.rules.charter.quantity import Quantity
from service.rules.charter.threshold import Threshold, clause_text
from service.rules.charter.values import InfraEntry, InfraKind
from service.rules.values.groups import FOUR, FURTHER, Group

T = TypeVar("T")


class MoveKind(StrEnum):
    """What happened to a goalpost."""

    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    CHANGED = "changed"
    """Another unit or another sign: neither bound contains the other."""
    RECONDITIONED = "measured differently"
    ADDED = "added"
    DELETED = "deleted"
    WAIVED = "waived"
    """It may be missed until a day, or until a later day than before."""
    LATER = "later"
    EARLIER = "earlier"
    OTHER = "other"
    """Another owner, another target."""
    SUPPLIED = "supplied"
    """What was missing exists, or is not needed."""
    WITHDRAWN = "withdrawn"
    """What existed is missing, or said not to be needed; a drill that was taken away."""
    REPLACED = "replaced"
    """Another path, another way back: neither easier nor harder."""


ADDED = MoveKind.ADDED
AS_WRITTEN = attrgetter("text")
WELCOME = frozenset({MoveKind.TIGHTENED, ADDED, MoveKind.EARLIER, MoveKind.SUPPLIED, MoveKind.REPLACED})
REOPENS = {
    "done": (Group.DATA_SCIENCE, Group.PRODUCT),
    "ship_by": (Group.PRODUCT,),
    "owner": (Group.PRODUCT,),
    "target": (Group.PLATFORM,),
    "target.data": (Group.PLATFORM, Group.SECURITY, *FURTHER),
    "target.auth": (Group.PLATFORM, Group.SECURITY, *FURTHER),
    "infra": (Group.PLATFORM,),
    "rollback": (Group.PLATFORM,),
    "rollback.drilled": (),
    "signoffs": (Group.PRODUCT,),
    "waived": (Group.DATA_SCIENCE, Group.PRODUCT),
}
THERE = {InfraKind.MISSING: 0, InfraKind.NOT_APPLICABLE: 1, InfraKind.PATH: 2, InfraKind.URL: 2}
"""How much of what it runs on an entry of `infra` says to be there."""


@dataclass(frozen=True, slots=True)
class Move:
    """One goalpost that moved: `before` and `now` as they read, None where it was not there."""

    kind: MoveKind
    field: str
    """The charter's key: `done`, `ship_by`, `owner`, `target.load`, `infra.eval_pipeline`."""
    subject: str
    """What moved, in the charter's own words: a metric, or the key."""
    before: str | None
    now: str | None
    line: int
    column: int = 1
    was: Threshold | None = None
    """The threshold as it stood."""
    stands: Threshold | None = None
    """The threshold as it is now."""
    groups: tuple[Group, ...] = FOUR
    """Those that sign, by the charter before or the one now."""

    @property
    def eases(self) -> bool:
        """Whether it may make the POC easier to pass, and so deserves a warning."""
        return self.kind not in WELCOME

    @property
    def reopens(self) -> tuple[Group, ...]:
        """The groups that sign again."""
        asked = REOPENS.get(self.field, REOPENS[self.field.partition(".")[0]])
        return tuple(group for group in asked if group in self.groups)


def moved(before: Charter, now: Charter) -> tuple[Move, ...]:
    """What the change does to the goalposts, in the order of the file; one that ends the POC moves none."""
    if now.stopped or before == now:
        return ()
    moves = (
        *moved_names(before.target, now.target),
        *moved_values(before, now),
        *moved_drill(before.rollback, now.rollback),
        *moved_done(before, now),
        *moved_waivers(before, now),
        *moved_groups(before, now),
    )
    asked = {*before.signoffs.groups, *now.signoffs.groups}
    groups = tuple(group for group in Group if group in asked)
    return tuple(
        replace(move, groups=groups) for move in sorted(moves, key=lambda move: (move.line, move.column))
    )


def reopened(moves: Sequence[Move]) -> tuple[Group, ...]:
    """The groups that sign again after these moves, in the order of the charter."""
    asked = {group for move in moves for group in move.reopens}
    return tuple(group for group in Group if group in asked)


def moved_values(before: Charter, now: Charter) -> Iterator[Move]:
    """The values that both charters have, beside each other."""
    yield from compared("owner", before.owner, now.owner, other_login, str)
    yield from compared("ship_by", before.ship_by, now.ship_by, sooner_or_later, date.isoformat)
    yield from compared("target.load", before.target.load, now.target.load, moved_volume, AS_WRITTEN)
    yield from compared("target.data", before.target.data, now.target.data, moved_volume, AS_WRITTEN)
    was, stands = before.rollback, now.rollback
    yield from compared("rollback.how", was.how, stands.how, other_way_back, str)
    yield from compared("rollback.within", was.within, stands.within, moved_time, AS_WRITTEN)
    infra, signoffs = dict(before.infra.entries), before.signoffs.by_group()
    for name, entry in now.infra.entries:
        yield from compared(f"infra.{name}", infra[name], entry, moved_entry, attrgetter("written"))
    for group, signer in now.signoffs.by_group().items():
        yield from compared(f"signoffs.{group}", signoffs.get(group), signer, other_login, str)


def compared(
    field: str,
    was: Located[T] | None,
    stands: Located[T] | None,
    kind_of: Callable[[T, T], MoveKind | None],
    text: Callable[[T], str],
) -> Iterator[Move]:
    """The move of a value, if it moved."""
    if was and stands and (kind := kind_of(was.value, stands.value)):
        yield at(stands, kind, field, text(was.value), text(stands.value))


def other_login(before: str, now: str) -> MoveKind | None:
    """Another person, who may be easier to convince."""
    return MoveKind.OTHER if before.lower() != now.lower() else None


def other_way_back(before: str, now: str) -> MoveKind | None:
    """Another way to turn it off."""
    return MoveKind.REPLACED if words(before) != words(now) else None


def sooner_or_later(before: date, now: date) -> MoveKind | None:
    """The direction in which a day moved."""
    return None if now == before else MoveKind.LATER if now > before else MoveKind.EARLIER


def moved_volume(before: Quantity, now: Quantity) -> MoveKind | None:
    """Less load, or less data, is an easier target."""
    if before.canonical_unit != now.canonical_unit:
        return MoveKind.OTHER
    return moved_time(now, before)


def moved_time(before: Quantity, now: Quantity) -> MoveKind | None:
    """More time to turn it off is easier to keep."""
    if before.canonical_value == now.canonical_value:
        return None
    return MoveKind.LOOSENED if now.canonical_value > before.canonical_value else MoveKind.TIGHTENED


def words(text: str) -> list[str]:
    """A sentence without the accidents of its writing."""
    return text.lower().rstrip(".").split()


def moved_names(before: Target, now: Target) -> Iterator[Move]:
    """Another environment or sign-in, also where one is new or left out."""
    place = now.environment or now.load or now.data or now.auth
    for name in ("environment", "measured_in", "auth"):
        was, stands = getattr(before, name), getattr(now, name)
        if place and (was and was.value) != (stands and stands.value):
            yield at(stands or place, MoveKind.OTHER, f"target.{name}",
                     was and was.value, stands and stands.value)  # fmt: skip


def moved_drill(before: Rollback, now: Rollback) -> Iterator[Move]:
    """A drill is a result: only taking one away moves anything."""
    place = now.within or now.how
    if before.drilled and not now.drilled and place:
        drill = before.drilled.value
        said = f"{drill.on.isoformat()} in {drill.took.text}"
        yield at(place, MoveKind.WITHDRAWN, "rollback.drilled", said, None)


def moved_entry(before: InfraEntry, now: InfraEntry) -> MoveKind | None:
    """What became of an entry of `infra`; naming the issue that it waits for moves nothing."""
    if THERE[now.kind] > THERE[before.kind]:
        return MoveKind.SUPPLIED
    if THERE[now.kind] < THERE[before.kind]:
        return MoveKind.WITHDRAWN
    reason = now.kind is InfraKind.NOT_APPLICABLE
    same = words(before.text) == words(now.text) if reason else before.material == now.material
    return None if same else MoveKind.REPLACED


def at(place: Located[T], kind: MoveKind, field: str, before: str | None, now: str | None) -> Move:
    """A move at a value of the new charter."""
    return Move(kind, field, field, before, now, place.line, place.column)


def moved_done(before: Charter, now: Charter) -> Iterator[Move]:
    """What happened to each threshold."""
    for was, stands in pair(before.done, now.done):
        if was and stands:
            yield from moved_line(was, stands)
        elif stands:
            text = bound_text(stands)
            yield Move(ADDED, "done", stands.metric, None, text, stands.line, stands.column, stands=stands)
        elif was:
            yield Move(MoveKind.DELETED, "done", was.metric, bound_text(was), None, now.done_line, was=was)


def moved_waivers(before: Charter, now: Charter) -> Iterator[Move]:
    """What may be missed now, or for longer, and what no longer may; another reason moves nothing."""
    was = {each.value.key.about: each.value.until for each in before.waived}
    stands = {each.value.key.about: each for each in now.waived}
    for key, waiver in stands.items():
        earlier, until = was.get(key), waiver.value.until
        if earlier != until:
            kind = MoveKind.TIGHTENED if earlier and until < earlier else MoveKind.WAIVED
            text, said = waiver.value.key.printed, waived_text(earlier) if earlier else None
            yield Move(kind, "waived", text, said, waived_text(until), waiver.line, waiver.column)
    for each in before.waived:
        if each.value.key.about not in stands:
            gone = each.value.key.printed, waived_text(each.value.until)
            yield Move(MoveKind.TIGHTENED, "waived", *gone, None, now.done_line)


def moved_groups(before: Charter, now: Charter) -> Iterator[Move]:
    """The groups that need not sign any more, and those that have to from now on."""
    was, stands = before.signoffs, now.signoffs
    said = {**stands.by_group(), **dict(stands.not_needed)}
    place = next(iter(said.values()), None)
    for group in Group:
        if (group in was.groups) != (group in stands.groups):
            at_ = said.get(group) or place
            gone = group in was.groups
            login = was.by_group().get(group) if gone else stands.by_group().get(group)
            written = login.value if login else "nobody"
            kind, texts = (MoveKind.WITHDRAWN, (written, None)) if gone else (ADDED, (None, written))
            field, spot = f"signoffs.{group}", (at_.line, at_.column) if at_ else (now.line, 1)
            yield Move(kind, field, field, texts[0], texts[1], *spot)


def waived_text(until: date) -> str:
    """A waiver's end."""
    return f"waived until {until.isoformat()}"


def moved_line(was: Threshold, stands: Threshold) -> Iterator[Move]:
    """What became of one line; its conditions are told where they changed too."""
    old, new = bound_of(was), bound_of(stands)
    kind = moved_threshold(old, new)
    text = bound_text if old.conditions == new.conditions else conditioned
    if kind:
        place = stands.line, stands.column
        yield Move(kind, "done", stands.metric, text(was), text(stands), *place, was, stands)


def moved_threshold(before: Bound, now: Bound) -> MoveKind | None:
    """What became of a threshold; a looser bound says more than the conditions beside it."""
    change = compare(before, now)
    if change is Change.LOOSER:
        return MoveKind.LOOSENED
    if before.conditions != now.conditions:
        return MoveKind.RECONDITIONED
    return {Change.TIGHTER: MoveKind.TIGHTENED, Change.OTHER: MoveKind.CHANGED}.get(change)


def bound_text(threshold: Threshold) -> str:
    """The bound alone: `>= 92 %`."""
    unit = f" {threshold.unit.text}" if threshold.unit.text else ""
    return f"{threshold.op} {threshold.value:f}{unit}"


def conditioned(threshold: Threshold) -> str:
    """The bound with its conditions."""
    return " ".join([bound_text(threshold), *map(clause_text, threshold.clauses.items())])
