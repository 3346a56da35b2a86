"""Our part of an issue's body, between two markers; what people write around it is theirs."""

from __future__ import annotations

from service.rules.values.actions import STALL_MARKER, stall_opening

STALL_END = "<!-- /poc-governor:stall -->"
WORD_JOINER = "\u2060"
"""Invisible; inside a comment's opening it makes text of it."""


def enclosed(poc_id: int, text: str) -> str:
    """A text between our markers."""
    inner = unmarked(text).strip("\n")
    return f"{stall_opening(poc_id)}\n{inner}\n\n{STALL_END}\n"


def unmarked(text: str) -> str:
    """A text in which nothing can pass for a marker of ours, not even where it is quoted as code."""
    return text.replace("<!--", f"<{WORD_JOINER}!--")


def replace_block(present_body: str, our_block: str) -> str:
    """A body with our block as it should be now.

    Where there is none, or its markers do not pair any more, the block goes in front.
    """
    block, place = our_block.rstrip("\n"), _find(present_body)
    if place is None:
        return f"{block}\n\n{present_body}" if present_body.strip() else f"{block}\n"
    start, end = place
    return f"{present_body[:start]}{block}{present_body[end:]}"


def _find(body: str) -> tuple[int, int] | None:
    """Where the first pair is: the first end that has a beginning, and the beginning nearest to it."""
    first = body.find(STALL_MARKER)
    end = body.find(STALL_END, first) if first >= 0 else -1
    if end < 0:
        return None
    return body.rfind(STALL_MARKER, first, end), end + len(STALL_END)
