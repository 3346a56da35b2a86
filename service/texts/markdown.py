"""What strangers wrote, made harmless for Markdown, titles and Slack; numbers and dates in words; our part of
an issue's body, between two markers: what people write around it is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from service.rules.charter.values import parse_login
from service.rules.source.text import in_words, printable
from service.rules.values.actions import STALL_MARKER, stall_opening


def plain(value: str) -> str:
    """Text of a stranger's, for Markdown prose: it shows as written, and does nothing."""
    return _ACTIVE.sub(lambda match: match[0] + WORD_JOINER, _MARKUP.sub(r"\\\1", _shown(value)))


def inert(value: str) -> str:
    """Text of a stranger's, for a title, where there is no Markdown: nothing in it is a mention or a link."""
    return _ACTIVE.sub(lambda match: match[0] + WORD_JOINER, _shown(value))


def mention(login: str) -> str:
    """A person or a team who is to hear of it; what only looks like one stays code."""
    organisation, slash, team = login.partition("/")
    known = parse_login(organisation) and (not slash or _TEAM.fullmatch(team))
    return f"@{login}" if known else code(login)


def code(value: str) -> str:
    """Text of a stranger's, as code in a sentence."""
    return _code(_shown(value))


def cell(value: str) -> str:
    """Text of a stranger's, as code in a table's cell."""
    return _in_cell(code(value))


def cell_line(value: str) -> str:
    """A line to write, as code in a table's cell: its indentation is part of it."""
    text = _shown(value)
    return _in_cell(_code(" " * (len(value) - len(value.lstrip(" "))) + text)) if text else ""


def fenced(value: str, language: str) -> str:
    """Lines to write, as a block of code: nothing in it ends it."""
    lines = list(map(printable, value.split("\n")))
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0))
    return "\n".join([f"{fence}{language}", *lines, fence])


def prose(message: str) -> str:
    """A sentence of ours for a table's cell: what it quotes is code, and the rest is `plain`."""
    return _sentence(message, cell)


def sentence(message: str) -> str:
    """The same outside a table."""
    return _sentence(message, code)


def _sentence(message: str, quoted: Callable[[str], str]) -> str:
    parts = _CODE_SPAN.split(message)
    return "".join(quoted(part) if at % 2 else _spaced(part) for at, part in enumerate(parts))


def _spaced(text: str) -> str:
    """`plain`, with the spaces that stand between it and its neighbours."""
    inner = plain(text)
    return f"{' ' if text[:1].isspace() else ''}{inner}{' ' if inner and text[-1:].isspace() else ''}"


def _shown(value: str) -> str:
    """One line of what can be seen: no control characters, nothing that turns the direction of writing."""
    return printable(" ".join(value.split()))


def _code(text: str) -> str:
    if "`" not in text:
        return f"`{text}`" if text else ""
    fence = "`" * (max(map(len, re.findall(r"`+", text))) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _in_cell(text: str) -> str:
    # Renderers disagree about a pipe after a backslash: is the backslash escaped, or the pipe?
    return text.replace("\\|", f"\\{WORD_JOINER}|").replace("|", "\\|")


def slack(value: str) -> str:
    """Text of a stranger's for Slack: it mentions nobody and links nowhere."""
    return _shown(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plural(count: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


WORD_JOINER = "\u2060"
"""Invisible; keeps GitHub from reading a mention, a reference, an address or a comment's start."""


_ACTIVE = re.compile(r"@(?=[\w-])|#(?=\d)|GH-(?=\d)|\w(?=://)|www(?=\.)", re.IGNORECASE)


_MARKUP = re.compile(r"([\\`|*_\[\]<>~&!$])")


_TEAM = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}", re.IGNORECASE)


_CODE_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


FILTERS = (plain, mention, code, cell, cell_line, fenced, prose, sentence, slack, in_words, plural)
"""What templates may pass a value through."""


STALL_END = "<!-- /poc-governor:stall -->"


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
