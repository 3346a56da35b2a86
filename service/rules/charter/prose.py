"""The Markdown around the block: its title, its first paragraph, its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.rules.charter.block import Fence, fence_of

HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<title>[^\n]*?)[ \t#]*")
COMMENT, COMMENT_END = "<!--", "-->"
MOST_LINES = 400
MOST_CHARACTERS = 1000


def prose_lines(lines: tuple[str, ...], opening: int, last: int) -> Iterator[tuple[int, str]]:
    """The first lines outside of the block, with their numbers; code and comments count as empty."""
    opened: Fence | None = None
    commented = False
    for number, line in enumerate(lines[: last + 1 + MOST_LINES], start=1):
        if opening <= number <= last + 1:
            opened, commented = None, False
            text = ""
        elif opened:
            fence, text = fence_of(line, number), ""
            opened = None if fence and fence.closes(opened) else opened
        elif commented or line.lstrip().startswith(COMMENT):
            commented, text = COMMENT_END not in line, ""
        elif (fence := fence_of(line, number)) and fence.can_open:
            opened, text = fence, ""
        else:
            text = line[:MOST_CHARACTERS]
        yield number, text


def read_prose(lines: tuple[str, ...], opening: int, last: int) -> tuple[str | None, str | None]:
    """The first heading and the first paragraph."""
    title: str | None = None
    paragraph: list[str] = []
    for _, line in prose_lines(lines, opening, last):
        heading = HEADING.fullmatch(line)
        if heading and title is None:
            title = heading["title"].strip() or None
        elif line.strip() and not heading:
            paragraph.append(line.strip())
        elif paragraph:
            break
    return title, " ".join(paragraph) or None
