"""What another policy would change, from stored facts alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.rules.charter.file import CharterFile
from service.rules.facts import Repository
from service.rules.policy.model import Policy
from service.rules.stall import StallFacts


@dataclass(frozen=True, slots=True)
class PocFacts:
    """A repository as it is stored: enough to say what a policy makes of it."""

    full_name: str
    repository: Repository
    declares_charter: bool
    charter: CharterFile | None = None
    """The default branch's, as last read; None where it was never read."""
    stall: StallFacts | None = None
    """As its last look would weigh it now; `policy`, `observe` and `is_poc` are replaced here."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A POC that would fare otherwise, and why in a few words."""

    full_name: str
    why: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would change, each list in the order of the names."""

    weighed: int = 0
    """Repositories that were looked at."""
    failing: tuple[Changed, ...] = ()
    passing: tuple[Changed, ...] = ()
    pocs: tuple[Changed, ...] = ()
    """Repositories that would become POCs."""
    no_pocs: tuple[Changed, ...] = ()
    """POCs that would be none any more."""
    opening: tuple[Changed, ...] = ()
    """POCs whose stall issue would open."""
    closing: tuple[Changed, ...] = ()


def what_if(facts: tuple[PocFacts, ...], before: Policy, after: Policy, now: datetime) -> WhatIf:
    """Compare what two policies make of the same facts."""
    raise NotImplementedError
