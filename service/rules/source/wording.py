"""How a message shows what somebody wrote: short, printable, and inert in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN_CHARACTERS = 28
MOST_CHOICES = 2


def clip(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """One printable line of at most `limit` characters."""
    flat = " ".join(text[: limit * 4].split())
    clean = "".join(char if char.isprintable() else "·" for char in flat)
    return clean if len(clean) <= limit and len(text) <= limit * 4 else clean[: limit - 1] + "…"


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
