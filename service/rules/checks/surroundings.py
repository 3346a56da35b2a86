"""What a charter names outside itself: its owner's access, environments, paths; and when to ask again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service.rules.charter.evidence import FILE, SOURCE
from service.rules.charter.model import Charter, Located
from service.rules.charter.values import InfraEntry, InfraKind, parse_login
from service.rules.values.github import is_bot

FRESH_IN_PART = timedelta(minutes=10)
"""How long facts are taken as they were found where GitHub did not answer every question."""
ONE_PRESS = timedelta(seconds=5)
"""GitHub tells of each check run when several are asked for again at once: they share the answers."""
MOST_PATHS = 25
"""A tree that is too large for one answer costs a call for each."""
MAY_WRITE = frozenset({"admin", "maintain", "write"})


class Access(StrEnum):
    """What a person may do in the repository."""

    WRITE = "write"
    NONE = "none"
    UNKNOWN = "unknown"
    """GitHub doesn't know them."""
    SUSPENDED = "suspended"
    """They might write, but their account is suspended, or gone."""


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """Facts about the world that a charter names; None is what is not known."""

    owner_access: Access | None = None
    environments: frozenset[str] | None = None
    missing_paths: frozenset[str] | None = None
    strangers: frozenset[str] | None = None
    """Signers' logins, in small letters, that are another account than when a charter named them first."""

    @property
    def holds_up(self) -> bool:
        """Whether something is wrong that is an error for the person who writes it."""
        return bool(self.missing_paths or self.strangers) or self.owner_access not in (None, Access.WRITE)


NOT_KNOWN = RepositoryFacts()


@dataclass(frozen=True, slots=True)
class Questions:
    """What a charter asks to be known."""

    owner: str | None = None
    paths: tuple[str, ...] = ()
    environments: bool = False
    signers: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether no question is left."""
        return self.owner is None and not (self.paths or self.environments or self.signers)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts as they were found: when, at which commit or branch, and whether every question was answered."""

    outside: RepositoryFacts
    ref: str
    at: datetime
    complete: bool = True

    @property
    def stands_until(self) -> datetime | None:
        """When to ask again where not every question was answered."""
        return None if self.complete else self.at + FRESH_IN_PART


def questions_of(charter: Charter | None) -> Questions:
    """The questions of a charter; one that was ended, or cannot be read, has none."""
    if charter is None or charter.stopped is not None:
        return Questions()
    owner = None if is_bot(charter.owner_login or "") else charter.owner_login
    paths = tuple(dict.fromkeys(_paths(charter)))[:MOST_PATHS]
    signers = sorted(login for login in charter.signoffs.people if parse_login(login) and not is_bot(login))
    has_environments = bool(charter.target.environment or charter.target.measured_in)
    return Questions(owner, paths, has_environments, tuple(signers))


def access_of(permission: str | None) -> Access:
    """GitHub's word for a permission as access; None is its word for a person that it does not know."""
    if permission is None:
        return Access.UNKNOWN
    return Access.WRITE if permission in MAY_WRITE else Access.NONE


def is_due(
    known: Gathered | None,
    *,
    ref: str,
    written: bool,
    asked_again_at: datetime | None,
    now: datetime,
    since: datetime,
) -> bool:
    """Whether to ask: once a day for one text of a charter, and when what holds a change up may be fixed.

    `written` says whether the change brings this text; then a new commit may bring what was missing too.
    `since` is when the day of these questions began.
    """
    if known is None or (asked_again_at is not None and known.at < asked_again_at - ONE_PRESS):
        return True
    if written and known.outside.holds_up and known.ref != ref:
        return True
    in_part = known.stands_until
    return known.at < since or (in_part is not None and in_part <= now)


def infra_path(entry: Located[InfraEntry]) -> str | None:
    """The path that an entry of `infra` names, if it names one."""
    return entry.value.text if entry.value.kind is InfraKind.PATH else None


def evidence_path(source: str) -> str | None:
    """The file that a line of `evidence` begins with, if it can be a path."""
    written = SOURCE.fullmatch(source.strip())
    first = written["file"] if written else (source.split() or [""])[0]
    return first if FILE.fullmatch(first) else None


def _paths(charter: Charter) -> Iterator[str]:
    yield from filter(None, (infra_path(entry) for _, entry in charter.infra.entries if entry))
    yield from filter(None, (evidence_path(evidence.source.value) for evidence in charter.evidence))
