"""A finding: one thing that is wrong at one place, with its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs: only an error fails a check."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One located statement about a charter.

    `code` is a stable kebab-case word, `message` ends in the remedy, `line` and `column` count from 1,
    and `fix`, where there is one, is the exact line to write instead.
    """

    code: str
    severity: Severity
    message: str
    line: int
    column: int = 1
    end_line: int | None = None
    fix: str | None = None

    def __post_init__(self) -> None:
        if self.line < 1 or self.column < 1:
            raise ValueError(f"{self.code}: lines and columns count from 1, got {self.line}:{self.column}")
