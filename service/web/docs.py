"""GET /docs/…: the documents of this version, so that a finding can link to its explanation."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from service.web.html import not_found, page

PUBLIC = {"Cache-Control": "public, max-age=300"}
LINK = re.compile(r"([a-z-]+)\.md(#.*)?")
OUTSIDE = ("https://", "http://", "#")


def docs(request: Request) -> Response:
    """One of them; 404 where there is none of that name."""
    name = request.path_params["name"]
    file = files().get(name)
    if file is None:
        return not_found()
    title, body = rendered(file)
    return page("docs.html", headers=PUBLIC, title=title, body=Markup(body), names=sorted(files()))  # noqa: S704 - our own documents


@cache
def files() -> dict[str, Path]:
    """The documents by name: beside the package in a checkout and an image, inside it in a wheel."""
    package = Path(__file__).parents[1]
    folder = next((each for each in (package.parent / "docs", package / "docs") if each.is_dir()), None)
    return {path.stem: path for path in folder.glob("*.md")} if folder else {}


@cache
def rendered(file: Path) -> tuple[str, str]:
    """Its title, and its text as HTML; links to what is not served are plain text."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(file.read_text(encoding="utf-8"))
    title = ""
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[at + 1].content
            title = title or words
            token.attrSet("id", anchor(words))
        for child in token.children or ():
            _lead(child)
    html = markdown.renderer.render(tokens, markdown.options, {})
    # The corner of a table with headings on two sides is no heading.
    return title, html.replace("<th></th>", "<td></td>")


def anchor(heading: str) -> str:
    """What leads to a heading; how bad a finding is, in brackets after its code, is no part of it."""
    words = re.sub(r"\s*\(.*\)$", "", heading.lower())
    return re.sub(r"[^\w-]", "", words.replace(" ", "-"))


def _lead(token: Token) -> None:
    href = str(token.attrGet("href") or "")
    if token.type != "link_open" or href.startswith(OUTSIDE):
        return
    match = LINK.fullmatch(href)
    if match and match[1] in files():
        token.attrSet("href", f"/docs/{match[1]}{match[2] or ''}")
    else:
        token.attrs.pop("href", None)
