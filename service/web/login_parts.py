"""What belongs together where people log in with GitHub, and what GitHub says that they see.

Nothing connects here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from service.config.secret_key import SecretKeys
from service.store.database import Database
from service.store.deliveries import Deliveries
from service.store.people import People, PersonalTokens
from service.web.deliveries import DeliveryPages
from service.web.login import CALLBACK, Login
from service.web.oauth import AwayError, GitHubOAuth, LoggedOutError, PersonApi, UserTokens
from service.web.personal_tokens import TokenPages
from service.web.readers import Organisations, Owners, TeamReaders
from service.web.sessions import PREFIX, CannotTellError, Cookies, Visitor, csrf_token, hashed
from service.web.visibility import PATIENCE, Visibility


@dataclass(frozen=True, slots=True)
class Registered:
    """The app as GitHub knows it, and where this service and GitHub are."""

    client_id: str
    client_secret: str = field(repr=False)
    keys: SecretKeys
    public_url: str
    web_url: str
    api_url: str


@dataclass(frozen=True, slots=True)
class LoginParts:
    """Who somebody is, what they see, and the pages on which they say so."""

    access: LoggedIn
    visibility: Visibility
    routes: list[Route]


def login_parts(
    app: Registered,
    database: Database,
    clock: Callable[[], datetime],
    *,
    organisations: Organisations,
    patience: float = PATIENCE,
) -> LoginParts:
    """Put the parts together; the keywords are what tests set."""
    people, cookies = People(database), Cookies(app.public_url)
    oauth = GitHubOAuth(app.client_id, app.client_secret, app.web_url, f"{app.public_url}{CALLBACK}")
    api, tokens = PersonApi(app.api_url), UserTokens(people, oauth, app.keys.cipher("user tokens"))
    readers = TeamReaders(organisations)
    visibility = Visibility(people, tokens, api, readers, clock=clock, patience=patience)
    login = Login(
        people=people,
        tokens=tokens,
        oauth=oauth,
        api=api,
        cookies=cookies,
        cipher=app.keys.cipher("login attempts"),
        clock=clock,
    )
    personal = PersonalTokens(database)
    access = LoggedIn(people, personal, visibility, cookies=cookies, clock=clock)
    tokens_of = TokenPages(personal, access, cookies, clock)
    deliveries = DeliveryPages(
        Deliveries(database), access, visibility, Owners(organisations, clock), organisations.app, cookies
    )
    routes = login.routes() + tokens_of.routes() + deliveries.routes()
    return LoginParts(access, visibility, routes)


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
