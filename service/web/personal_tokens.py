"""/settings/tokens: personal tokens, with which machines read what their person sees."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.pages.asked import number
from service.store.deliveries import LAST_ID
from service.store.people import PersonalTokens
from service.web.html import PRIVATE, page
from service.web.pages import telling
from service.web.sessions import PREFIX, Access, Cookies, Visitor, hashed, sent_by

PATH = "/settings/tokens"
DAYS = (7, 30, 90, 365)
MOST = 20
LONGEST_NAME = 80
NOT_KEPT = {"Cache-Control": "no-store"}


class TokenPages:
    """The routes."""

    def __init__(
        self, tokens: PersonalTokens, access: Access, cookies: Cookies, clock: Callable[[], datetime]
    ) -> None:
        self._tokens, self._access, self._cookies, self._clock = tokens, access, cookies, clock

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route(PATH, telling(self.show)),
            Route(PATH, telling(self.make), methods=["POST"]),
            Route(f"{PATH}/{{token}}/revoke", telling(self.revoke), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Those that somebody has, and a form for another."""
        visitor = await self._access.person(request)
        if visitor is None or not visitor.csrf:
            return RedirectResponse(f"/login?to={PATH}", 303, headers=PRIVATE)
        return await self._page(visitor)

    async def make(self, request: Request) -> Response:
        """Make one, and show it this once."""
        visitor, fields = await sent_by(request, self._access, self._cookies)
        name, days = fields.get("name", "").strip(), fields.get("days", "")
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            wrong = f"Write a name of at most {LONGEST_NAME} characters: what the token is for."
            return await self._page(visitor, wrong=wrong, status=400)
        if days not in map(str, DAYS):
            return await self._page(visitor, wrong="Choose how long it should be valid.", status=400)
        made, now = f"{PREFIX}{secrets.token_urlsafe(32)}", self._clock()
        ends = now + timedelta(days=int(days))
        if not await run_in_threadpool(self._tokens.make, visitor.id, name, hashed(made), now, ends, MOST):
            wrong = f"You have {MOST} valid tokens. Revoke one first."
            return await self._page(visitor, wrong=wrong, status=400)
        return await self._page(visitor, made=made)

    async def revoke(self, request: Request) -> Response:
        """End one of somebody's own."""
        visitor, _ = await sent_by(request, self._access, self._cookies)
        if token := number(request.path_params["token"], LAST_ID):
            await run_in_threadpool(self._tokens.revoke, visitor.id, token)
        return RedirectResponse(PATH, 303, headers=PRIVATE)

    async def _page(
        self, visitor: Visitor, *, made: str = "", wrong: str = "", status: int = 200
    ) -> Response:
        now = self._clock()
        listed = await run_in_threadpool(self._tokens.of, visitor.id, now)
        return page(
            "tokens.html",
            status,
            headers=PRIVATE | NOT_KEPT,
            visitor=visitor,
            tokens=listed,
            today=now.date(),
            days=DAYS,
            longest=LONGEST_NAME,
            path=PATH,
            made=made,
            wrong=wrong,
        )
