"""Access of people who log in with GitHub: what GitHub says that they see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from service.store.people import People
from service.store.personal_tokens import PersonalTokens
from service.web.oauth import AwayError
from service.web.sessions import PREFIX, Cookies, csrf_token, hashed
from service.web.user_tokens import LoggedOutError
from service.web.visibility import Visibility
from service.web.visitors import CannotTellError, Visitor


class LoggedIn:
    """Who has a session or sends a personal token, and what GitHub lets them see."""

    off = ""

    def __init__(
        self,
        people: People,
        tokens: PersonalTokens,
        visibility: Visibility,
        *,
        cookies: Cookies,
        clock: Callable[[], datetime],
    ) -> None:
        self._people, self._tokens, self._visibility = people, tokens, visibility
        self._cookies, self._clock = cookies, clock

    async def person(self, request: Request) -> Visitor | None:
        """Whose session it is; or whose token, with which nobody can write."""
        if "authorization" in request.headers:
            return await self._by_token(request.headers["authorization"])
        session = self._cookies.read(request, "session")
        if not session:
            return None
        found = await run_in_threadpool(self._people.logged_in, hashed(session), self._clock())
        return Visitor(found.login, (), id=found.id, csrf=csrf_token(session)) if found else None

    async def _by_token(self, authorization: str) -> Visitor | None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(PREFIX):
            return None
        found = await run_in_threadpool(self._tokens.whose, hashed(token.strip()), self._clock())
        return Visitor(found.login, (), id=found.id) if found else None

    async def visitor(self, request: Request) -> Visitor | None:
        """The same, with the POCs that they see."""
        found = await self.person(request)
        if found is None:
            return None
        try:
            seen = await self._visibility.of(found.id)
        except LoggedOutError:
            return None
        except AwayError as error:
            raise CannotTellError from error
        return Visitor(
            found.login, seen.visible, seen.rows_only, id=found.id, csrf=found.csrf, whole=seen.whole
        )

    async def may_read(self, visitor: Visitor, repository_id: int) -> bool:
        """Whether they see all of one POC, asked now."""
        try:
            return await self._visibility.may_read(visitor.id, repository_id)
        except LoggedOutError:
            return False
        except AwayError as error:
            raise CannotTellError from error
