"""GET /docs and /docs/…: the documents of this version, so that a finding can link to its explanation."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markdown_it.token import Token
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from service.web.docs_files import INDEX, MARKDOWN, anchor, files, parsed, pictures
from service.web.docs_search import find
from service.web.html import no_page, page

PUBLIC = {"Cache-Control": "public, max-age=300"}
LINK = re.compile(r"([\w-]+)\.md(#.*)?")
OUTSIDE = ("https://", "http://", "#")


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
