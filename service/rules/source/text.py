"""The file's bytes as text, or the one finding that says why there is none; how a message shows a text."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from service.rules.values.finding import Finding, Severity

CHARTER_PATH = "POC.md"
MAX_FILE_BYTES = 1 << 20
UNREADABLE = "unreadable-charter"
SHOWN_CHARACTERS = 28
MOST_CHOICES = 2


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


def clip(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """One printable line of at most `limit` characters."""
    flat = " ".join(text[: limit * 4].split())
    clean = printable(flat)
    return clean if len(clean) <= limit and len(text) <= limit * 4 else clean[: limit - 1] + "…"


def printable(text: str) -> str:
    """The text with a dot for whatever can't be seen."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "·" for char in text)


def shown(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """The text as inline code, so that it can mention nobody."""
    return f"`{clip(text, limit).replace('`', chr(39))}`"


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def choice(names: Sequence[str], limit: int) -> str:
    """The first names to choose from, and how many more there are."""
    first = [shown(name, limit) for name in names[:MOST_CHOICES]]
    more = len(names) - len(first)
    return f"{', '.join(first)} or {more} more" if more else " or ".join(first)


def in_words(day: date) -> str:
    """A date as people read it: 26 February 2027."""
    return f"{day.day} {day:%B} {day.year}"
