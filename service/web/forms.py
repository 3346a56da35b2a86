"""Who sends a form, and what is in it."""

from __future__ import annotations

from starlette.requests import Request

from service.web.sessions import Cookies, NotFromUsError, written
from service.web.visitors import Access, Visitor


async def sent_by(request: Request, access: Access, cookies: Cookies) -> tuple[Visitor, dict[str, str]]:
    """Who sends a form of ours, and its fields; raises `NotFromUsError`.

    Whoever has no session, as with a personal token, writes nothing, and their body is not even read.
    """
    visitor = await access.person(request)
    if visitor is None or not visitor.csrf:
        raise NotFromUsError
    return visitor, await written(request, cookies.read(request, "session"), cookies.public_url)
