"""A charter as values. What is missing in a charter, or can't be read, is None here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from service.rules.charter.evidence import Source
from service.rules.charter.line_keys import Key, Waiver
from service.rules.charter.quantity import Quantity
from service.rules.charter.threshold import Threshold
from service.rules.charter.values import Drill, InfraEntry, InfraKind, Pause, Stop
from service.rules.values.groups import FOUR, Group

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Located(Generic[T_co]):
    """A value and where it stands; two are equal where their values are."""

    value: T_co
    line: int = field(compare=False)
    column: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Target:
    """Where it will run, and under what."""

    environment: Located[str] | None = None
    measured_in: Located[str] | None = None
    load: Located[Quantity] | None = None
    data: Located[Quantity] | None = None
    auth: Located[str] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the measured value of a metric is found."""

    metric: Located[str]
    source: Located[str]
    key: Key
    """The metric as read, with the clauses that tell its lines apart."""
    reading: Source
    """The source as read."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """How to turn it off."""

    how: Located[str] | None = None
    within: Located[Quantity] | None = None
    drilled: Located[Drill] | None = None


@dataclass(frozen=True, slots=True)
class Infra:
    """The four things that must exist before anything ships."""

    feature_store: Located[InfraEntry] | None = None
    model_registry: Located[InfraEntry] | None = None
    eval_pipeline: Located[InfraEntry] | None = None
    deploy_process: Located[InfraEntry] | None = None

    @property
    def entries(self) -> tuple[tuple[str, Located[InfraEntry] | None], ...]:
        """The four by name; None for an entry that the charter does not have."""
        return tuple((name, getattr(self, name)) for name in self.__slots__)

    @property
    def missing(self) -> dict[str, Located[InfraEntry]]:
        """Those that are `missing`, by name."""
        missing = InfraKind.MISSING
        return {name: entry for name, entry in self.entries if entry and entry.value.kind is missing}


@dataclass(frozen=True, slots=True)
class Signoffs:
    """The groups that sign, each by one person."""

    data_science: Located[str] | None = None
    platform: Located[str] | None = None
    product: Located[str] | None = None
    security: Located[str] | None = None
    legal: Located[str] | None = None
    privacy: Located[str] | None = None
    works_council: Located[str] | None = None
    not_needed: tuple[tuple[Group, Located[str]], ...] = ()
    """The groups that the firm does not have, or that need not sign here, each with the reason."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """Those that sign, in order: the four without those that are not needed, and whoever is named."""
        without = {group for group, _ in self.not_needed}
        return tuple(
            group for group in Group if getattr(self, group) or (group in FOUR and group not in without)
        )

    def by_group(self) -> dict[Group, Located[str]]:
        """Those that are named, in the order of the groups."""
        signers = ((group, getattr(self, group)) for group in Group)
        return {group: signer for group, signer in signers if signer}

    @property
    def all(self) -> tuple[Located[str], ...]:
        """Those that are named, in the order of the groups."""
        return tuple(self.by_group().values())

    @property
    def people(self) -> frozenset[str]:
        """The distinct people, in small letters: GitHub's logins do not differ by case."""
        return frozenset(signer.value.lower() for signer in self.all)


@dataclass(frozen=True, slots=True)
class Charter:
    """What a `POC.md` says."""

    line: int = field(compare=False)
    """The line on which the charter's block begins."""
    poc: Located[str] | None = None
    owner: Located[str] | None = None
    ship_by: Located[date] | None = None
    target: Target = Target()
    done: tuple[Threshold, ...] = ()
    """The lines of `done` that parse."""
    evidence: tuple[Evidence, ...] = ()
    rollback: Rollback = Rollback()
    infra: Infra = Infra()
    signoffs: Signoffs = Signoffs()
    waived: tuple[Located[Waiver], ...] = ()
    paused: Located[Pause] | None = None
    stopped: Located[Stop] | None = None
    budget: Located[Quantity] | None = None
    stop_if: tuple[Threshold, ...] = ()
    title: str | None = None
    """The first heading of the Markdown around the block."""
    summary: str | None = None
    """The first paragraph of the Markdown around the block."""
    last_line: int = field(default=1, compare=False)
    """The line on which the charter's block ends."""
    done_line: int = field(default=1, compare=False)
    """Where `done` stands: what was deleted from it is shown there."""

    @property
    def owner_login(self) -> str | None:
        """The owner, without the place."""
        return self.owner.value if self.owner else None
