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

    `code` is a stable kebab-case word, `message` ends in the remedy, `line` and `column` count from 1.
    `fix` is the line that was meant, word for word; `example` is one that would be right, and only its
    author knows which. `insert_after` is the line below which it goes, where it replaces none.
    """

    code: str
    severity: Severity
    message: str
    line: int
    column: int = 1
    end_line: int | None = None
    fix: str | None = None
    example: str | None = None
    insert_after: int | None = None

    @property
    def proposal(self) -> tuple[str, str] | None:
        """The line to write, or one like it, behind what says which of the two it is.

        An example that the message brings already is not told twice.
        """
        if self.fix is None and self.insert_after is None and self.example:
            told = self.example.strip().removeprefix("- ")
            if f"`{told}`" in self.message:
                return None
        label = "Write" if self.fix is not None else "For example"
        if self.insert_after is not None:
            label = f"Add below line {self.insert_after}{'' if self.fix is not None else ', for example'}"
        line = self.example if self.fix is None else self.fix
        return None if line is None else (label, line)

    def told(self, between: str) -> str:
        """The message, and then the line to write."""
        proposal = f"{between}{self.proposal[0]}:\n{self.proposal[1]}" if self.proposal else ""
        return f"{self.message}{proposal}"

    def __post_init__(self) -> None:
        if self.line < 1 or self.column < 1:
            raise ValueError(f"{self.code}: lines and columns count from 1, got {self.line}:{self.column}")
