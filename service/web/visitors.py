"""Who looks at the pages, what they may see, and who sends a form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from service.web.sessions import Cookies, NotFromUsError, written

HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks, and the repositories that they may see; None for all."""

    login: str
    visible: Collection[int] | None
    rows_only: Collection[int] = ()
    """Those of which they may see rows without texts."""
    open: bool = False
    """Whether nobody logs in, on this machine."""
    id: int = 0
    """Of their account."""
    csrf: str = ""
    """What proves that a form is from a page of theirs; empty where they can't write."""
    whole: bool = True
    """Whether GitHub has said of all POCs by now whether they see them."""


class CannotTellError(Exception):
    """GitHub can't say for now what somebody may see."""


class Access(Protocol):
    """Who a request comes from, and what they may see."""

    off: str
    """Why somebody sees nothing here; empty where they only have to log in."""

    async def person(self, request: Request) -> Visitor | None:
        """Who it is, and nothing of what they may see; None where nobody is logged in."""

    async def visitor(self, request: Request) -> Visitor | None:
        """Who it is, with what they may see; None where nobody is logged in."""

    async def may_read(self, visitor: Visitor, repository_id: int) -> bool:
        """Whether they may see all of one POC, asked now."""


class Closed:
    """No pages: what is missing is said on the front page."""

    def __init__(self, off: str) -> None:
        self.off = off

    async def person(self, _request: Request) -> Visitor | None:
        """Nobody."""
        return None

    visitor = person

    async def may_read(self, _visitor: Visitor, _repository_id: int) -> bool:
        """Nothing."""
        return False


class OpenHere:
    """Everything to everybody on this machine, whose GitHub is an emulator."""

    off = "nobody can log in, so they are open to this machine alone. Open them on it, at `localhost`."

    async def person(self, request: Request) -> Visitor | None:
        """Somebody at this machine."""
        return await self.visitor(request)

    async def visitor(self, request: Request) -> Visitor | None:
        """Somebody at this machine: no other site's name leads a browser here."""
        return Visitor("", None, open=True) if request.url.hostname in HERE else None

    async def may_read(self, _visitor: Visitor, _repository_id: int) -> bool:
        """Everything."""
        return True


async def sent_by(request: Request, access: Access, cookies: Cookies) -> tuple[Visitor, dict[str, str]]:
    """Who sends a form of ours, and its fields; raises `NotFromUsError`.

    Whoever has no session, as with a personal token, writes nothing, and their body is not even read.
    """
    visitor = await access.person(request)
    if visitor is None or not visitor.csrf:
        raise NotFromUsError
    return visitor, await written(request, cookies.read(request, "session"), cookies.public_url)
