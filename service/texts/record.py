"""The record of one POC, as it is read: in Markdown by people, in JSON by whoever checks the hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry tells of."""

    CHARTER = "charter"
    GOALPOST = "goalpost"
    SIGNATURE = "signature"
    WITHDRAWN = "withdrawn"
    NUMBER = "number"
    COMMAND = "command"
    GATE = "gate"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: when by GitHub's clock, who did it, and all that is stored of it."""

    at: datetime
    kind: EntryKind
    by: str
    says: str
    data: Mapping[str, object]
    hash: str = ""
    """SHA-256 of the hash before and of this entry as JSON with sorted keys, without its sentence."""


@dataclass(frozen=True, slots=True)
class Record:
    """Its entries, oldest first, as of a moment."""

    repository: str
    as_of: datetime
    entries: tuple[Entry, ...]

    @property
    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "repository": self.repository,
            "as_of": moment(self.as_of),
            "entries": [
                {
                    "at": moment(each.at),
                    "kind": each.kind.value,
                    "by": each.by,
                    "says": each.says,
                    "data": dict(each.data),
                    "hash": each.hash,
                }
                for each in self.entries
            ],
        }


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
