"""An organisation on the emulator behind the stand-in, its POCs in a database, and browsers in which people
log in.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine
from starlette.applications import Starlette

from service.config.secret_key import SecretKeys
from service.demo.emulator import Emulator, SeedRepo
from service.github_client.app import App
from service.ports import GitHubApp
from service.store.database import Database
from service.store.installations import Installations
from service.store.portfolio import Portfolio
from service.web.login_parts import Registered, login_parts
from service.web.pages import Pages, Shown
from service.web.readers import Organisations
from tests.harness.portfolio import NAMES, NOW
from tests.harness.standin.app import StandIn, standing_in
from tests.harness.standin.oauth import log_in
from tests.harness.webhooks import PLAIN

PUBLIC_URL = "https://governor.acme.dev"
MEMBERS = ("jane-doe", "erin-x", "mallory-m", "nora-n", "olaf-o", "paula-p", "quinn-q")
"""They see every POC; each test takes one for itself."""
STRANGER, LEADER = "stranger", "leader-l"
"""Who is not in the organisation, and who is in one team of it, which was given no repository."""
OPEN_ONE = "smart-replies"
"""The one whose repository is public."""
SECRET = "poc-ticket-triage"
"""One whose repository is private."""
SECRET_KEY = "a key of at least thirty-two characters"


@dataclass
class GitHub:
    """The emulator, and what stands in front of it."""

    emulator: Emulator
    stand_in: StandIn
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, verify=PLAIN))

    def walk(self, address: str, login: str) -> str:
        """Be somebody on GitHub's pages, and return the address that they lead back to, without its host."""
        back = urlsplit(log_in(address, login, client=self.http).headers["Location"])
        return f"{back.path}?{back.query}"


@contextmanager
def github(*callbacks: str) -> Iterator[GitHub]:
    """A GitHub whose repositories have the ids of `tests.harness.portfolio`."""
    repos = [SeedRepo(f"poc-{name}", private=name != OPEN_ONE, auto_init=False) for name in NAMES]
    seeded = Emulator(users=MEMBERS, outsiders=[STRANGER, LEADER], repos=repos, callback_urls=callbacks)
    with seeded as emulator, standing_in(emulator) as stand_in:
        made = GitHub(emulator, stand_in)
        with emulator.person(MEMBERS[0]) as owner:
            owner.call("PATCH", "/orgs/acme", {"default_repository_permission": "none"})
            owner.call("POST", "/orgs/acme/teams", {"name": "leaders"})
            owner.call("PUT", f"/orgs/acme/teams/leaders/memberships/{LEADER}", {"role": "member"})
        yield made
        made.http.close()


class Service:
    """The pages with login, in this process, with a clock of their own."""

    def __init__(
        self,
        engine: Engine,
        github: GitHub,
        *,
        app: GitHubApp | None = None,
        patience: float = 30.0,
        public_url: str = PUBLIC_URL,
    ) -> None:
        self.now, self.github = NOW, github
        database = Database(engine)
        asked = app or App(github.emulator.app_id, github.emulator.private_key, github.stand_in.url)
        registered = Registered(
            client_id=github.emulator.client_id,
            client_secret=github.emulator.client_secret,
            keys=SecretKeys(SECRET_KEY),
            public_url=public_url,
            web_url=github.stand_in.url,
            api_url=github.stand_in.url,
        )
        self.parts = login_parts(
            registered,
            database,
            lambda: self.now,
            organisations=Organisations(Portfolio(database), Installations(database), lambda: asked),
            patience=patience,
        )
        shown = Shown("https://github.com", observe=False, evidence_level="measured", clock=lambda: self.now)
        pages = Pages(Portfolio(database), self.parts.access, shown)
        self.app = Starlette(routes=pages.routes() + self.parts.routes, lifespan=self._while_it_runs)

    @asynccontextmanager
    async def _while_it_runs(self, _app: Starlette) -> AsyncIterator[None]:
        """Over HTTP; tests that call the application itself close what it asks with."""
        yield
        await self.parts.visibility.close()

    async def close(self) -> None:
        """Stop asking GitHub."""
        await self.parts.visibility.close()

    def passes(self, time: timedelta) -> datetime:
        """Let time pass."""
        self.now += time
        return self.now

    def browser(self) -> Browser:
        """A browser in which nobody is logged in."""
        return Browser(self)


class Browser:
    """Keeps cookies, and follows no redirect by itself."""

    def __init__(self, service: Service) -> None:
        self._service = service
        transport = httpx.ASGITransport(service.app)
        self.http = httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL)

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.http.post(path, data=fields)

    async def leave(self, to: str = "") -> str:
        """Begin to log in; returns GitHub's address."""
        answer = await self.get(f"/login{to and f'?to={to}'}")
        assert answer.status_code == 302
        return answer.headers["Location"]

    async def log_in(self, login: str, to: str = "") -> httpx.Response:
        """Log in as somebody; returns the answer to their coming back."""
        return await self.get(self._service.github.walk(await self.leave(to), login))

    async def shown(self) -> set[str]:
        """The POCs that somebody sees, in all tabs."""
        found = set[str]()
        for tab in ("open", "shipped", "stopped"):
            answer = await self.get(f"/portfolio.json?tab={tab}")
            assert answer.status_code == 200, answer.text
            found |= {each["repository"] for each in answer.json()["pocs"]}
        return found

    async def csrf(self, path: str = "/") -> str:
        """What a page of ours puts into its forms."""
        page = await self.get(path)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, page.text
        return found[1]
