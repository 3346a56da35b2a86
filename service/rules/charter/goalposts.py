"""What a change does to the goalposts: each move with its direction, its place, and who signs again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from service.rules.charter.bounds import Bound, Change, bound_of, compare, pair
from service.rules.charter.model import (
    Charter,
    Infra,
    InfraEntry,
    InfraKind,
    Located,
    Rollback,
    Signoffs,
    Target,
)
from service.rules.charter.quantity import Quantity
from service.rules.charter.threshold import Threshold, clause_text
from service.rules.values.groups import Group

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
WELCOME = frozenset({MoveKind.TIGHTENED, ADDED, MoveKind.EARLIER, MoveKind.SUPPLIED, MoveKind.REPLACED})
REOPENS = {
    "done": (Group.DATA_SCIENCE, Group.PRODUCT),
    "ship_by": (Group.PRODUCT,),
    "owner": (Group.PRODUCT,),
    "target": (Group.PLATFORM,),
    "target.data": (Group.PLATFORM, Group.SECURITY),
    "target.auth": (Group.PLATFORM, Group.SECURITY),
    "infra": (Group.PLATFORM,),
    "rollback": (Group.PLATFORM,),
    "rollback.drilled": (),
    "signoffs": (Group.PRODUCT,),
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
    """The threshold as it stands now."""

    @property
    def eases(self) -> bool:
        """Whether it may make the POC easier to pass, and so deserves a warning."""
        return self.kind not in WELCOME

    @property
    def reopens(self) -> tuple[Group, ...]:
        """The groups that sign again (design section 7)."""
        asked = REOPENS.get(self.field)
        return REOPENS[self.field.partition(".")[0]] if asked is None else asked


def moved(before: Charter, now: Charter) -> tuple[Move, ...]:
    """What the change does to the goalposts, in the order of the file; a POC that has ended has none."""
    if now.stopped or before.stopped:
        return ()
    moves = (
        *moved_header(before, now),
        *moved_target(before.target, now.target),
        *moved_done(before, now),
        *moved_rollback(before.rollback, now.rollback),
        *moved_infra(before.infra, now.infra),
        *moved_signoffs(before.signoffs, now.signoffs),
    )
    return tuple(sorted(moves, key=lambda move: (move.line, move.column)))


def reopened(moves: Sequence[Move]) -> tuple[Group, ...]:
    """The groups that sign again after these moves, in the order of the charter."""
    asked = {group for move in moves for group in move.reopens}
    return tuple(group for group in Group if group in asked)


def moved_header(before: Charter, now: Charter) -> Iterator[Move]:
    """Another owner, another ship date."""
    if before.owner and now.owner and before.owner.value.lower() != now.owner.value.lower():
        yield at(now.owner, MoveKind.OTHER, "owner", before.owner.value, now.owner.value)
    if before.ship_by and now.ship_by and before.ship_by.value != now.ship_by.value:
        yield at(now.ship_by, sooner_or_later(before.ship_by.value, now.ship_by.value), "ship_by",
                 before.ship_by.value.isoformat(), now.ship_by.value.isoformat())  # fmt: skip


def sooner_or_later(before: date, now: date) -> MoveKind:
    """The direction in which a day moved."""
    return MoveKind.LATER if now > before else MoveKind.EARLIER


def moved_target(before: Target, now: Target) -> Iterator[Move]:
    """Another environment or sign-in; another load, or volume of data."""
    place = now.environment or now.load or now.data or now.auth
    for name in ("environment", "measured_in", "auth"):
        was, stands = getattr(before, name), getattr(now, name)
        if place and (was and was.value) != (stands and stands.value):
            yield at(stands or place, MoveKind.OTHER, f"target.{name}",
                     was and was.value, stands and stands.value)  # fmt: skip
    for name, old, new in (("load", before.load, now.load), ("data", before.data, now.data)):
        kind = moved_volume(old.value, new.value) if old and new else None
        if old and new and kind:
            yield at(new, kind, f"target.{name}", old.value.text, new.value.text)


def moved_volume(before: Quantity, now: Quantity) -> MoveKind | None:
    """Less load, or less data, is an easier target."""
    if before.canonical_unit != now.canonical_unit:
        return MoveKind.OTHER
    if before.canonical_value == now.canonical_value:
        return None
    return MoveKind.LOOSENED if now.canonical_value < before.canonical_value else MoveKind.TIGHTENED


def moved_rollback(before: Rollback, now: Rollback) -> Iterator[Move]:
    """Another way back, or more time for it. A drill is a result: only taking one away moves anything."""
    if before.how and now.how and words(before.how.value) != words(now.how.value):
        yield at(now.how, MoveKind.REPLACED, "rollback.how", before.how.value, now.how.value)
    if before.within and now.within:
        was, stands = before.within.value, now.within.value
        if was.canonical_value != stands.canonical_value:
            longer = stands.canonical_value > was.canonical_value
            kind = MoveKind.LOOSENED if longer else MoveKind.TIGHTENED
            yield at(now.within, kind, "rollback.within", was.text, stands.text)
    place = now.within or now.how
    if before.drilled and not now.drilled and place:
        drill = before.drilled.value
        said = f"{drill.on.isoformat()} in {drill.took.text}"
        yield at(place, MoveKind.WITHDRAWN, "rollback.drilled", said, None)


def words(text: str) -> list[str]:
    """A sentence without the accidents of its writing."""
    return text.lower().rstrip(".").split()


def moved_infra(before: Infra, now: Infra) -> Iterator[Move]:
    """What it runs on: there now, not there any more, or elsewhere."""
    earlier = dict(before.entries)
    for name, stands in now.entries:
        was = earlier[name]
        if was and stands and (kind := moved_entry(was.value, stands.value)):
            yield at(stands, kind, f"infra.{name}", was.value.written, stands.value.written)


def moved_signoffs(before: Signoffs, now: Signoffs) -> Iterator[Move]:
    """Who signs: another person may be easier to convince."""
    earlier = before.by_group()
    for group, stands in now.by_group().items():
        was = earlier.get(group)
        if was and was.value.lower() != stands.value.lower():
            yield at(stands, MoveKind.OTHER, f"signoffs.{group}", was.value, stands.value)


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
