"""/setup over HTTP: who is let in, which return is taken, and that nothing partial is stored."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock, Mock
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service import first_start
from service.cli.register import Asked, Console, SetupError
from service.cli.setup import into_database, into_file
from service.config.app_credentials import AppCredentials
from service.config.secret_key import FILE
from service.config.settings import ServiceSettings, Settings
from service.configured import UnreadableSettingsError, complete, keep_app, with_stored_app
from service.first_start import TOKEN_FILE, FirstStart, Registering
from service.github_client.app import Registered
from service.store.app_credentials import Pass, SetupPasses
from service.store.database import Database, connect
from service.web.app import create_setup_app
from service.web.setup import Around, Line, SetupDone, SetupPages
from tests.harness.settings import PEM

pytestmark = pytest.mark.asyncio

URL = "https://governor.acme.dev"
TOKEN = "the-token-of-the-file"
CONVERSION = "https://api.github.com/app-manifests/a-code/conversions"
CONVERTED = {
    "id": 4711,
    "slug": "governor",
    "html_url": "https://github.com/apps/governor",
    "client_id": "Iv1.id",
    "client_secret": "client-secret",
    "webhook_secret": "hook-secret",
    "pem": PEM,
}
INSTALL = "https://github.com/apps/governor/installations/new"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = connect(database_url, pool_size=4)
    yield made
    made.dispose()


@dataclass
class Service:
    """A service that has no app yet."""

    engine: Engine
    settings: ServiceSettings
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    done: int = 0

    def __post_init__(self) -> None:
        self.passes = SetupPasses(Database(self.engine))
        self.passes.issue(TOKEN, Pass.TOKEN, self.now + timedelta(hours=1))
        around = Around(URL, lambda: self.now, self._kept)
        self.pages = SetupPages(self.passes, Registering(self.settings, self.engine), around)

    def _kept(self) -> None:
        self.done += 1

    def app(self) -> AppCredentials | None:
        found = with_stored_app({"PUBLIC_URL": URL}, self.settings, self.engine)
        return (
            AppCredentials(found.github_app_id, "", "", "", "", webhook_secret=found.github_webhook_secret)
            if found
            else None
        )

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(Starlette(routes=self.pages.routes()))
        async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
            yield http


@pytest.fixture
def service(engine: Engine, tmp_path: Path) -> Service:
    return Service(engine, ServiceSettings(public_url=URL, data_dir=tmp_path))


@pytest.fixture
def github() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.post(CONVERSION).respond(201, json=CONVERTED)


def form_of(page: str) -> tuple[str, Mapping[str, Any]]:
    action, value = re.search(r'action="([^"]*)"', page), re.search(r'name="manifest" value="([^"]*)"', page)
    assert action is not None
    assert value is not None
    return html.unescape(action[1]), json.loads(html.unescape(value[1]))


async def begun(http: httpx.AsyncClient, token: str = TOKEN) -> str:
    """Show the token, and return the state that goes to GitHub."""
    answer = await http.post("/setup", data={"token": token, "org": "acme"})
    assert answer.status_code == 200, answer.text
    action, manifest = form_of(answer.text)
    assert action.startswith("https://github.com/organizations/acme/settings/apps/new?state=")
    assert manifest["redirect_url"] == f"{URL}/setup/registered"
    return parse_qs(urlsplit(action).query)["state"][0]


async def test_with_the_token_an_app_is_registered_and_stored(service: Service, github: respx.Route) -> None:
    async with service.browser() as http:
        page = await http.get("/setup")
        assert 'name="token"' in page.text
        state = await begun(http)
        back = await http.get("/setup/registered", params={"code": "a-code", "state": state})
    assert back.status_code == 303
    assert back.headers["location"] == INSTALL
    assert service.done == github.call_count == 1
    stored = service.app()
    assert stored is not None
    assert (stored.app_id, stored.webhook_secret) == (4711, "hook-secret")
    found = with_stored_app({"PUBLIC_URL": URL}, service.settings, service.engine)
    assert found is not None
    assert found.github_app_id == 4711
    with service.engine.connect() as connection:
        rows = connection.execute(text("SELECT sealed FROM app_credentials")).scalars().all()
    assert not any(b"hook-secret" in row for row in rows)
    assert (service.settings.data_dir / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("token", "later"),
    [
        pytest.param("another", 0, id="another"),
        pytest.param("", 0, id="none"),
        pytest.param(TOKEN, 60, id="an hour later"),
    ],
)
async def test_without_the_token_nobody_is_let_in(service: Service, token: str, later: int) -> None:
    service.now += timedelta(minutes=later)
    async with service.browser() as http:
        answer = await http.post("/setup", data={"token": token, "org": "acme"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        existing = await http.post("/setup/existing", data={"app_id": "1"})
        assert existing.status_code == 400
    assert service.app() is None


async def test_the_token_is_good_once(service: Service) -> None:
    async with service.browser() as first, service.browser() as second:
        await begun(first)
        assert (await second.post("/setup", data={"token": TOKEN, "org": "acme"})).status_code == 403
        assert 'name="token"' not in (await first.get("/setup")).text
        await begun(first, token="")  # it is known by its cookie


async def test_the_cookie_is_for_this_host_and_no_script(service: Service) -> None:
    async with service.browser() as http:
        answer = await http.post("/setup", data={"token": TOKEN, "org": "acme"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-poc-governor-setup=")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=3600"))
    assert answer.headers["cache-control"].startswith("private")


@pytest.mark.parametrize(
    ("returned", "later"),
    [
        pytest.param({"code": "a-code", "state": "foreign"}, 0, id="a foreign state"),
        pytest.param({"code": "a-code"}, 0, id="no state"),
        pytest.param({"state": None}, 0, id="no code"),
        pytest.param({"code": "a-code", "state": None}, 60, id="a state that has expired"),
    ],
)
async def test_a_wrong_return_stores_nothing(
    service: Service, github: respx.Route, returned: dict[str, str | None], later: int
) -> None:
    async with service.browser() as http:
        state = await begun(http)
        service.now += timedelta(minutes=later)
        params = {name: state if value is None else value for name, value in returned.items()}
        answer = await http.get("/setup/registered", params=params)
    assert answer.status_code == 400
    assert "Nothing was stored" in answer.text
    assert not github.called
    assert service.app() is None


async def test_another_browser_can_not_use_a_state(service: Service, github: respx.Route) -> None:
    async with service.browser() as owner, service.browser() as stranger:
        state = await begun(owner)
        there = {"code": "a-code", "state": state}
        assert (await stranger.get("/setup/registered", params=there)).status_code == 400
        assert not github.called
        assert (await owner.get("/setup/registered", params=there)).status_code == 303
        assert (await owner.get("/setup/registered", params=there)).status_code == 400  # a second time
    assert github.call_count == 1


async def test_a_code_that_github_does_not_know_can_be_begun_again(
    service: Service, github: respx.Route
) -> None:
    github.respond(404, json={"message": "Not Found"})
    async with service.browser() as http:
        params = {"code": "a-code", "state": await begun(http)}
        answer = await http.get("/setup/registered", params=params)
        assert answer.status_code == 400
        assert "doesn&#39;t know the code" in answer.text
        assert service.app() is None
        github.respond(201, json=CONVERTED)
        params = {"code": "a-code", "state": await begun(http, token="")}
        assert (await http.get("/setup/registered", params=params)).status_code == 303
    assert service.app() is not None


async def test_an_app_that_is_stored_is_not_replaced(service: Service, github: respx.Route) -> None:
    async with service.browser() as http:
        params = {"code": "a-code", "state": await begun(http)}
        first = AppCredentials(1, "first", "https://github.com/apps/first", "https://github.com", "")
        assert keep_app(service.settings, service.engine, first)
        answer = await http.get("/setup/registered", params=params)
    assert answer.status_code == 400
    assert "already has an app" in answer.text
    assert github.call_count == 1
    with service.engine.connect() as connection:
        assert connection.execute(text("SELECT app_id FROM app_credentials")).scalar_one() == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="by what the browser says"),
        pytest.param({"Origin": "https://evil.example.com"}, id="by its origin"),
    ],
)
async def test_another_site_can_not_send_the_form(service: Service, headers: dict[str, str]) -> None:
    async with service.browser() as http:
        answer = await http.post("/setup", data={"token": TOKEN, "org": "acme"}, headers=headers)
        assert answer.status_code == 400
        assert (await http.post("/setup", content=b"x" * 100_000)).status_code == 400
        await begun(http)  # the token was not used up


@pytest.mark.parametrize(
    ("public_url", "asked_at", "says"),
    [
        pytest.param(URL, URL, "", id="over https"),
        pytest.param("http://localhost:8080", "http://localhost:8080", "", id="on this machine"),
        pytest.param("http://127.0.0.1", "http://127.0.0.1", "", id="on this machine, by number"),
        pytest.param("http://[::1]:8080", "http://[::1]:8080", "", id="on this machine, by IPv6"),
        pytest.param("http://poc.acme.dev", "http://poc.acme.dev", "begins with http://", id="without TLS"),
        pytest.param("http://poc.acme.dev", "http://localhost", "begins with http://", id="back without TLS"),
        pytest.param(URL, "http://governor.acme.dev", "X-Forwarded-Proto", id="beside TLS"),
        pytest.param(URL, "http://10.0.0.5:8080", "X-Forwarded-Proto", id="past the proxy"),
    ],
)
async def test_the_token_goes_over_https_or_stays_on_this_machine(
    engine: Engine, tmp_path: Path, public_url: str, asked_at: str, says: str
) -> None:
    start = FirstStart({}, ServiceSettings(public_url=public_url, data_dir=tmp_path), engine)
    start._look_once()
    token = tmp_path / TOKEN_FILE
    assert token.exists() is not says.startswith("begins"), "no token where nobody can use it"
    given = {"token": token.read_text().strip() if token.exists() else "", "org": "acme"}
    transport = httpx.ASGITransport(Starlette(routes=start.pages.routes()))
    async with httpx.AsyncClient(transport=transport, base_url=asked_at) as http:
        answers = [
            await http.get("/setup"),
            await http.post("/setup", data=given),
            await http.get("/setup/registered?code=a&state=b"),
            await http.post("/setup/existing", data={"app_id": "1"}),
        ]
    if says:
        assert {answer.status_code for answer in answers} == {403}
        assert all("over https only" in answer.text for answer in answers)
        assert all(says in re.sub(r"</?code>", "", answer.text) for answer in answers)
    else:
        assert [answer.status_code for answer in answers] == [200, 200, 400, 400]


@pytest.mark.parametrize(
    ("proxy", "proto", "status"),
    [
        pytest.param("10.0.0.9", "https", 200, id="a proxy of ours"),
        pytest.param("10.0.0.9", "http", 403, id="a proxy of ours, asked over http"),
        pytest.param("192.0.2.9", "https", 403, id="somebody else"),
    ],
)
async def test_a_trusted_proxy_says_what_it_was_asked_over(
    service: Service, proxy: str, proto: str, status: int
) -> None:
    app: Any = ProxyHeadersMiddleware(cast("Any", Starlette(routes=service.pages.routes())), "10.0.0.0/8")
    transport = httpx.ASGITransport(app, client=(proxy, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://governor.acme.dev") as http:
        answer = await http.get("/setup", headers={"X-Forwarded-Proto": proto})
    assert answer.status_code == status


async def test_only_a_cookie_for_this_very_host_counts(service: Service) -> None:
    visitor = "somebody who was let in"
    service.passes.issue(visitor, Pass.BROWSER, service.now + timedelta(hours=1))
    async with service.browser() as http:
        for name, status in (("poc-governor-setup", 403), ("__Host-poc-governor-setup", 200)):
            headers = {"Cookie": f'{name}="{visitor}"'}
            answer = await http.post("/setup", data={"org": "acme"}, headers=headers)
            assert answer.status_code == status


async def test_an_organisation_that_is_none(service: Service) -> None:
    async with service.browser() as http:
        answer = await http.post("/setup", data={"token": TOKEN, "org": "acme/<script>"})
        assert answer.status_code == 400
        assert "<script>" not in answer.text
        await begun(http, token="")


FIELDS = {"app_id": "4711", "private_key": PEM, "webhook_secret": "hook-secret", "client_secret": ""}


async def adopting(http: httpx.AsyncClient, **changes: str) -> httpx.Response:
    shown = await http.post("/setup", data={"token": TOKEN, "app": "existing"})
    assert 'name="private_key"' in shown.text
    return await http.post("/setup/existing", data=FIELDS | changes)


async def test_an_app_that_exists(service: Service) -> None:
    with respx.mock:
        respx.route(host="api.github.com").mock(side_effect=AssertionError)  # PyGithub asks, not httpx
        async with service.browser() as http:
            answer = await adopting(http, private_key="not a key")
    assert answer.status_code == 400
    assert "is not a PEM private key" in answer.text
    assert "not a key" not in answer.text
    assert service.app() is None


async def test_an_app_that_exists_is_taken_over(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers:
        def __init__(self, *_: object) -> None: ...

        def registered(self) -> Registered:
            return Registered("governor", "https://github.com/apps/governor", "Iv1.id")

    monkeypatch.setattr(first_start, "App", Answers)
    async with service.browser() as http:
        answer = await adopting(http)
    assert answer.headers["location"] == INSTALL
    found = with_stored_app({"PUBLIC_URL": URL}, service.settings, service.engine)
    assert found is not None
    assert (found.github_app_id, found.github_client_id, found.github_client_secret) == (4711, "", "")


async def test_another_key_can_not_read_the_app(
    service: Service, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    app = AppCredentials(1, "g", "", "https://github.com", "https://api.github.com", private_key=PEM)
    keep_app(service.settings, engine, app)
    elsewhere = service.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with pytest.raises(UnreadableSettingsError, match="encrypted with another SECRET_KEY"):
        complete({"PUBLIC_URL": URL}, elsewhere, database_url, wait=False)


async def test_the_token_is_in_a_file_and_in_no_log(
    engine: Engine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    start = FirstStart({"PUBLIC_URL": URL}, ServiceSettings(public_url=URL, data_dir=tmp_path), engine)
    start._look_once()
    file = tmp_path / TOKEN_FILE
    token = file.read_text().strip()
    assert len(token) > 40
    assert file.stat().st_mode & 0o777 == 0o600
    out, error = capfd.readouterr()
    assert "setup-token" in error + out
    assert token not in error + out
    start._look_once()
    assert file.read_text().strip() == token
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT setup_pass::text FROM setup_pass")).scalars().all()
    assert not any(token in row for row in kept)
    start.over()
    assert not file.exists()


def looked(start: FirstStart) -> Settings | None:
    start._look_once()
    return start.found


async def test_an_app_that_another_process_stored_is_found(
    service: Service, engine: Engine, database_url: str
) -> None:
    environment = {"PUBLIC_URL": URL}
    start = FirstStart(environment, service.settings, engine)
    assert looked(start) is None
    waits = asyncio.create_task(
        asyncio.to_thread(complete, environment, service.settings, database_url, wait=True)
    )
    assert keep_app(service.settings, engine, STORED)
    found = await waits
    assert looked(start) == found
    assert found is not None
    assert found.github_app_id == STORED.app_id


STORED = AppCredentials(
    4711,
    "governor",
    "https://github.com/apps/governor",
    "https://github.com",
    "https://api.github.com",
    private_key=PEM,
    webhook_secret="hook-secret",
)
NOBODY = Console(lambda _: None, lambda _: "", lambda _: False)
ASKED = Asked("acme", URL)


@pytest.mark.parametrize(
    ("changes", "stored", "says"),
    [
        pytest.param(
            {"GITHUB_APP_ID": "1"}, False, "configured in the environment", id="an app in the environment"
        ),
        pytest.param({}, True, "is stored in this database already", id="an app in the database"),
        pytest.param(
            {"DATABASE_URL": "postgresql://127.0.0.1:1/x"},
            False,
            "PostgreSQL at 127.0.0.1/x isn't reachable",
            id="no database",
        ),
        pytest.param({"SECRET_KEY": "short"}, False, "SECRET_KEY: needs at least 32", id="a short key"),
    ],
)
async def test_nothing_is_registered_that_can_not_be_stored(
    service: Service, database_url: str, changes: dict[str, str], stored: bool, says: str
) -> None:
    if stored:
        keep_app(service.settings, service.engine, STORED)
    environment = {"DATABASE_URL": database_url, "DATA_DIR": str(service.settings.data_dir)} | changes
    with respx.mock, pytest.raises(SetupError, match=says):
        into_database(ASKED, environment, headless=True, console=NOBODY)


async def test_a_file_that_may_hold_a_key_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GITHUB_APP_PRIVATE_KEY=precious")
    with respx.mock, pytest.raises(SetupError, match="may hold a key"):
        into_file(tmp_path / ".env", NOBODY)(ASKED, {}, headless=True)
    with respx.mock, pytest.raises(SetupError, match="No such file"):
        into_file(tmp_path / "nowhere" / ".env", NOBODY)(ASKED, {}, headless=True)


async def test_a_database_that_went_away_is_said_on_a_page(service: Service) -> None:
    gone = Service(service.engine, service.settings)
    gone.passes._database = Database(connect("postgresql://127.0.0.1:1/x", pool_size=1))
    app = create_setup_app(gone.pages.routes(), AsyncMock(return_value="away"), Mock())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        answer = await http.post("/setup", data={"token": TOKEN, "org": "acme"})
        assert answer.status_code == 503
        assert "The database doesn&#39;t answer" in answer.text
        assert (await http.get("/readyz")).json() == {"ready": False, "app": None, "reason": "away"}
        hook = await http.post("/webhooks/github", content=b"{}")
        assert (hook.status_code, hook.headers["retry-after"]) == (503, "60")
        assert (await http.get("/healthz")).status_code == 200
        assert 'href="/setup"' in (await http.get("/")).text


@dataclass
class Said:
    mark: str
    what: str
    says: str


@pytest.mark.parametrize(
    ("mark", "what", "refresh"),
    [
        pytest.param("ok", "worker", False, id="all is well"),
        pytest.param("wrong", "worker", True, id="something is wrong"),
        pytest.param("note", "ping", True, id="something is about to come"),
        pytest.param("note", "digest", False, id="something that may stay so"),
    ],
)
async def test_who_set_it_up_sees_what_doctor_says(
    service: Service, mark: str, what: str, refresh: bool
) -> None:
    asked: list[int] = []

    def examine() -> list[Line]:
        asked.append(1)
        return [Said(mark, what, "<b>2 running</b>")]

    around = Around(URL, lambda: service.now, lambda: None)
    done = SetupDone(service.passes, around, examine)
    transport = httpx.ASGITransport(Starlette(routes=done.routes()))
    async with service.browser() as http:
        await begun(http)
        cookies = http.cookies
    async with httpx.AsyncClient(transport=transport, base_url=URL) as stranger:
        answer = await stranger.get("/setup?installation_id=7&setup_action=install")
        assert "POC Governor is installed" in answer.text
        assert "running" not in answer.text
    assert not asked
    async with httpx.AsyncClient(transport=transport, base_url=URL, cookies=cookies) as http:
        answer = await http.get("/setup")
    assert "&lt;b&gt;2 running" in answer.text
    assert ("refresh" in answer.headers) is refresh
