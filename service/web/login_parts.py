"""What belongs together where people log in with GitHub. Nothing connects here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from starlette.routing import Route

from service.secret_key import SecretKeys
from service.store.database import Database
from service.store.deliveries import Deliveries
from service.store.people import People
from service.store.personal_tokens import PersonalTokens
from service.web.access import LoggedIn
from service.web.deliveries import DeliveryPages
from service.web.login import CALLBACK, Login
from service.web.oauth import GitHubOAuth
from service.web.person_api import PersonApi
from service.web.personal_tokens import TokenPages
from service.web.readers import Organisations, Owners, TeamReaders
from service.web.sessions import Cookies
from service.web.user_tokens import UserTokens
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
