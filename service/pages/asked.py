"""What somebody asks a portfolio for, in the address of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from service.rules.stall.time_spent import GROUPS
from service.rules.stall.waiting_on import CHARTER, ISSUE, OWNER, REVIEW
from service.store.portfolio import Asked, Sort, Tab

E = TypeVar("E", bound=StrEnum)
PARTIES = (*GROUPS, REVIEW, ISSUE, OWNER, CHARTER)
"""Whom a list can be narrowed to."""
LONGEST_FIND, LAST_PAGE = 100, 100_000


class AskedError(ValueError):
    """A part of the address that says nothing, and what may stand there."""


def asked_of(query: Mapping[str, str]) -> Asked:
    """Read the address; raises `AskedError`, and ignores what it does not know."""
    tab = _one_of(Tab, query, "tab", Tab.OPEN)
    waits_for = query.get("waits_for", "")
    if waits_for and waits_for not in PARTIES:
        raise AskedError(_no("waits_for", PARTIES))
    find = query.get("find", "").strip()
    if len(find) > LONGEST_FIND:
        raise AskedError(f"`find` has at most {LONGEST_FIND} characters.")
    page = number(query.get("page", "1"), LAST_PAGE)
    if not page:
        raise AskedError(f"`page` is a number from 1 to {LAST_PAGE}.")
    return Asked(
        tab=tab,
        # NUL cannot stand in a text of PostgreSQL, and finds nothing.
        find=find.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        waits_for=waits_for if tab is Tab.OPEN else "",
        sort=_one_of(Sort, query, "sort", usual_sort(tab)),
        page=page,
    )


def usual_sort(tab: Tab) -> Sort:
    """In which order a tab comes if nobody asks for another."""
    return Sort.WAITING if tab is Tab.OPEN else Sort.RECENT


def number(written: str, last: int) -> int | None:
    """The number, from 0 to the last one there can be; None for anything else, however long it is."""
    if not (written.isascii() and written.isdecimal() and len(written) <= len(str(last))):
        return None
    found = int(written)
    return found if found <= last else None


def address(asked: Asked, path: str = "/", **changes: object) -> str:
    """The address of the same page with some things changed; a change goes back to its first page."""
    wanted = replace(asked, **{"page": 1, **changes})  # type: ignore[arg-type] # named by callers in this folder
    values = {
        "tab": wanted.tab if wanted.tab is not Tab.OPEN else "",
        "find": wanted.find,
        "waits_for": wanted.waits_for,
        "sort": wanted.sort if wanted.sort is not usual_sort(wanted.tab) else "",
        "page": wanted.page if wanted.page > 1 else "",
    }
    query = urlencode({name: str(value) for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def _one_of(kind: type[E], query: Mapping[str, str], name: str, usual: E) -> E:
    try:
        return kind(query.get(name) or usual)
    except ValueError as error:
        raise AskedError(_no(name, list(kind))) from error


def _no(name: str, values: object) -> str:
    assert isinstance(values, (list, tuple))
    return f"`{name}` is one of: {', '.join(map(str, values))}."
