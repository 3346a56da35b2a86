"""What stands at the charter's path, as whoever read it found it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CHARTER_PATH = "POC.md"
MAX_FILE_BYTES = 1 << 20


class FileKind(StrEnum):
    """What kind of thing stands at the path."""

    FILE = "file"
    ABSENT = "absent"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    """A link that leads nowhere, or that could not be followed."""
    SUBMODULE = "submodule"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class CharterFile:
    """The charter's file: its kind, and its bytes where it has any."""

    kind: FileKind
    data: bytes | None = None
    blob_sha: str | None = None
    size: int | None = None
