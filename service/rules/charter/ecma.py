"""Our regular expressions as JSON Schema writes them: ECMA 262, without flags or named groups."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\(\?P<\w+>|\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)
NAMED_GROUP = "(?P<"
# Letters beyond ASCII: `\w` means them in Python, and means them not in ECMA 262.
BEYOND_ASCII = "\\u0080-\\uffff"
WORD = f"A-Za-z0-9_{BEYOND_ASCII}"

SPELT = {
    "\\w": f"[{WORD}]",
    # What `re.escape` escapes, and ECMA 262 forbids to.
    **{f"\\{char}": char for char in "-#&~ "},
}


def ecma(pattern: re.Pattern[str] | str) -> str:
    """The pattern, without anchors, flags spelt out; it may let more pass than ours, never less."""
    compiled = re.compile(pattern) if isinstance(pattern, str) else pattern
    return "".join(token(each[0], compiled.flags) for each in TOKEN.finditer(compiled.pattern))


def token(text: str, flags: int) -> str:
    """One token of a pattern."""
    if text.startswith("["):
        return text.replace("\\w", WORD)
    if text.isalpha() and flags & re.IGNORECASE:
        return f"[{text.upper()}{text.lower()}]"
    if text == "." and flags & re.DOTALL:
        return "[\\s\\S]"
    return "(?:" if text.startswith(NAMED_GROUP) else SPELT.get(text, text)


def whole(*alternatives: str) -> str:
    """A pattern for a whole value, spaces around it aside."""
    return f"^\\s*(?:{'|'.join(alternatives)})\\s*$"
