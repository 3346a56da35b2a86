"""GET /docs and /docs/…: the documents of this version, so that a finding can link to its explanation.

Searching finds their sections that contain every word of a query, but for the small ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from service.packaged import packaged
from service.web.html import no_page, page

PUBLIC = {"Cache-Control": "public, max-age=300"}
LINK = re.compile(r"([\w-]+)\.md(#.*)?")
OUTSIDE = ("https://", "http://", "#")
INDEX = "README"
"""The list of the documents, for each kind of reader."""
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def docs_routes() -> list[Route]:
    """The list of the documents with a search over them, each document, and their pictures."""
    return [
        Route("/docs", index),
        Route("/docs/{name}", document),
        Route("/docs/images/{name}", picture),
    ]


def index(request: Request) -> Response:
    """The list of the documents; with `?q=` the sections that contain every word of it."""
    query = request.query_params.get("q", "").strip()
    if query:
        return page("docs_found.html", headers=PUBLIC, query=query, hits=find(query))
    return _shown(INDEX)


def document(request: Request) -> Response:
    """One of them; 404 where there is none of that name."""
    return _shown(request.path_params["name"])


def picture(request: Request) -> Response:
    """A picture of a document."""
    file = pictures().get(request.path_params["name"])
    return FileResponse(file, headers=PUBLIC) if file else no_page()


def _shown(name: str) -> Response:
    file = files().get(name)
    if file is None:
        return no_page()
    title, body = rendered(file)
    return page("docs.html", headers=PUBLIC, title=title, body=Markup(body))  # noqa: S704 - our own documents


@cache
def rendered(file: Path) -> tuple[str, str]:
    """Its title, and its text as HTML; links to what is not served are plain text."""
    tokens = parsed(file)
    title = ""
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[at + 1].content
            title = title or words
            token.attrSet("id", anchor(words))
        for child in token.children or ():
            _lead(child)
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    # The corner of a table with headings on two sides isn't a heading.
    return title, html.replace("<th></th>", "<td></td>")


def _lead(token: Token) -> None:
    href = str(token.attrGet("href") or "")
    if token.type != "link_open" or href.startswith(OUTSIDE):
        return
    match = LINK.fullmatch(href)
    if match and match[1] in files():
        token.attrSet("href", f"/docs/{match[1]}{match[2] or ''}")
    else:
        token.attrs.pop("href", None)


@cache
def files() -> dict[str, Path]:
    """The documents by name."""
    return {path.stem: path for path in sorted(packaged("docs").glob("*.md"))}


@cache
def pictures() -> dict[str, Path]:
    """Their pictures by file name."""
    return {path.name: path for path in sorted(packaged("docs").glob("images/*.png"))}


def parsed(file: Path) -> list[Token]:
    """A document's Markdown; comments, which mark what is generated, are left out."""
    return MARKDOWN.parse(re.sub(r"^<!--.*?-->\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE))


def anchor(heading: str) -> str:
    """What leads to a heading; how bad a finding is, in brackets after its code, isn't part of it."""
    words = re.sub(r"\s*\(.*\)$", "", heading.lower())
    return re.sub(r"[^\w-]", "", words.replace(" ", "-"))


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
