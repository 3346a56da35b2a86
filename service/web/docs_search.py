"""Searching the documents: their sections that contain every word of a query, but for the small ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it.token import Token

from service.web.docs_files import INDEX, anchor, files, parsed

MOST = 30
"""Sections that an answer lists at most."""
EXCERPT = 180
"""Characters of a section's text that are shown."""
LONGEST = 200
"""Characters of a query that are read."""
SMALL_WORDS = (
    "a an and are be can do does for has have how i in is it its my of on or our that the this to was we "
    "what when where which who why will with you your"
)
SMALL = frozenset(SMALL_WORDS.split())
"""Words that a question has and its answer needn't."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of a document with the text up to the next one."""

    name: str
    document: str
    heading: str
    text: str

    @property
    def href(self) -> str:
        """Where it is."""
        return f"/docs/{self.name}#{anchor(self.heading)}"

    def excerpt(self, word: str) -> str:
        """Its text around a word, or its beginning."""
        start = max(self.text.casefold().find(word) - EXCERPT // 3, 0)
        cut = self.text[start : start + EXCERPT].strip()
        before, after = "… " * (start > 0), " …" * (start + EXCERPT < len(self.text))
        return f"{before}{cut}{after}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that answers a query."""

    section: Section
    excerpt: str


def find(query: str) -> list[Hit]:
    """The sections with every word of the query, those with the words in their heading first.

    Small words only count if there are no others.
    """
    written = [word.rstrip("?.,!") for word in query[:LONGEST].casefold().split()]
    words = [word for word in written if word and word not in SMALL] or [word for word in written if word]
    if not words:
        return []
    found = [each for each in _sections() if all(word in _all_of(each) for word in words)]
    found.sort(key=lambda each: -sum(word in each.heading.casefold() for word in words))
    return [Hit(each, each.excerpt(words[0])) for each in found[:MOST]]


def _all_of(section: Section) -> str:
    return f"{section.document}\n{section.heading}\n{section.text}".casefold()


@cache
def _sections() -> tuple[Section, ...]:
    names = sorted(files().keys() - {INDEX})
    return tuple(each for name in names for each in _of(name, files()[name]))


def _of(name: str, file: Path) -> Iterator[Section]:
    tokens = parsed(file)
    at = [i for i, token in enumerate(tokens) if token.type == "heading_open"]
    document = tokens[at[0] + 1].content
    for begin, end in zip(at, [*at[1:], len(tokens)], strict=True):
        yield Section(name, document, tokens[begin + 1].content, " ".join(_words(tokens[begin + 3 : end])))


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    """The text without its marks."""
    for token in tokens:
        if token.children:
            yield "".join(each.content or " " for each in token.children)
        elif token.type in {"fence", "code_block"}:
            yield " ".join(token.content.split())
