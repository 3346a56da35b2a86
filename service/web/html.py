"""The pages as HTML: templates that escape every value."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from service.packaged import packaged

PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
NOT_FOUND = ("There's no such POC, or GitHub doesn't let you see its repository.",)
CODE = re.compile(r"`([^`]+)`")


@cache
def environment() -> Environment:
    """The templates, compiled once in a process."""
    made = Environment(
        loader=FileSystemLoader(packaged("templates")),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(day=day, moment=moment, text=text, ours=ours)
    return made


def render(template: str, **values: object) -> str:
    """A page."""
    return environment().get_template(f"pages/{template}").render(values)


def page(
    template: str, status: int = 200, *, headers: Mapping[str, str] | None = None, **values: object
) -> Response:
    """A page; without other headers no shared cache keeps it."""
    return HTMLResponse(render(template, **values), status, headers or PRIVATE)


def notice(
    title: str, says: Collection[str], *, status: int, href: str = "/", link: str = "To the portfolio"
) -> Response:
    """A page that says what is wrong, and leads on."""
    return page("notice.html", status, title=title, says=says, href=href, link=link)


def not_found() -> Response:
    """The same whether there is no such POC or somebody may not see it."""
    return notice("No such POC here", NOT_FOUND, status=404)


def no_page() -> Response:
    """What an address gets that leads nowhere."""
    says = ["Follow a link from the portfolio, or look for it in the documents."]
    return notice("There's no such page", says, status=404, href="/docs", link="All documents")


def day(value: date, today: date) -> Markup:
    """`19 Oct`; with its year where that is another than today's."""
    year = "" if value.year == today.year else f" {value.year}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), f"{value.day} {value:%b}{year}")


def moment(value: str, today: date) -> Markup:
    """The day of a moment that is stored as text."""
    return day(datetime.fromisoformat(value).date(), today)


def text(value: str | None) -> str:
    """What a stranger wrote, on one line: no control characters, nothing that turns the writing around."""
    return "".join(
        char if char.isprintable() else "\N{MIDDLE DOT}" for char in " ".join((value or "").split())
    )


def ours(value: str) -> Markup:
    """A sentence of ours: what stands in backticks is code."""
    parts = CODE.split(text(value))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )
