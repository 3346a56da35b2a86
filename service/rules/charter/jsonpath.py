"""The restricted JSONPath of `evidence`: names, indexes, one filter on a key, `[*]`; a part of RFC 9535."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = r"\.[^\W\d]\w*"
QUOTED = r"""(?:'(?:[^'\\\x00-\x1f]|\\['\\/bfnrt])*'|"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*")"""
INDEX = r"\[\s*(?:0|-?[1-9][0-9]{0,8})\s*\]"
STEP = re.compile(
    rf"(?P<name>{NAME})|(?P<quoted>\[\s*{QUOTED}\s*\])|(?P<index>{INDEX})|(?P<all>\[\*\]|\.\*)"
    rf"|(?P<filter>\[\?\s*@(?:{NAME}|\[{QUOTED}\])\s*==\s*{QUOTED}\s*\])"
)
SHOWN_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class Path:
    """How far a text is a path, and what the path holds."""

    text: str
    wildcards: int = 0
    filters: int = 0

    @property
    def length(self) -> int:
        """How many characters of the text it takes."""
        return len(self.text)

    @property
    def short(self) -> str:
        """The path as a message shows it, still a path."""
        plain = self.text.isascii() and "`" not in self.text
        return self.text if len(self.text) <= SHOWN_CHARACTERS and plain else "$.scores[*]"


def read_path(text: str) -> tuple[Path, str]:
    """The path that a text begins with, and what follows it."""
    position, wildcards, filters = 1, 0, 0
    while step := STEP.match(text, position):
        position = step.end()
        wildcards += step.lastgroup == "all"
        filters += step.lastgroup == "filter"
    return Path(text[:position], wildcards, filters), text[position:]
