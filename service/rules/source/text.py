"""The file's bytes as text, or the one finding that says why there is none."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from enum import StrEnum

from service.rules.values.finding import Finding, Severity

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


UNREADABLE = "unreadable-charter"

NOT_A_FILE = {
    FileKind.DIRECTORY: "This is a directory: move it away and write the charter as a file of that name",
    FileKind.SYMLINK: "This is a link that leads to no file here: replace it with the charter itself",
    FileKind.SUBMODULE: "This is a submodule: remove it and write the charter as a file of that name",
    FileKind.TOO_LARGE: "The file is larger than 1 MiB: keep the charter and move the rest to another file",
}


def read_text(file: CharterFile) -> str | Finding:
    """The text without its byte order mark; a finding where the file holds no text."""
    if file.kind in NOT_A_FILE:
        return unreadable(NOT_A_FILE[file.kind])
    data = file.data or b""
    if len(data) > MAX_FILE_BYTES:
        return unreadable(NOT_A_FILE[FileKind.TOO_LARGE])
    return decoded(data)


def decoded(data: bytes, meant: str = "a charter in Markdown") -> str | Finding:
    """The text that bytes hold; a finding that asks for what was meant where they hold none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return unreadable("The file is encoded as UTF-16: save it as UTF-8")
    if b"\0" in data:
        return unreadable(f"The file is binary, not text: replace it with {meant}")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return unreadable(f"Line {line} is not UTF-8 (Latin-1, perhaps): save the file as UTF-8")


def unreadable(message: str) -> Finding:
    """The finding for a file that nobody could read as a charter."""
    return Finding(UNREADABLE, Severity.ERROR, message, line=1)
