"""Registering from the operator's machine: the listener, the page for elsewhere, and every wrong return."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx

from service.cli import register as module
from service.cli.register import Asked, Console, SetupError, checked, printed_manifest, register, settings_of
from service.config.app_credentials import AppCredentials
from tests.harness.settings import PEM

ASKED = Asked("acme", "https://governor.acme.dev/")
CONVERTED = {
    "id": 4711,
    "slug": "poc-governor-acme",
    "html_url": "https://github.com/apps/poc-governor-acme",
    "client_id": "Iv1.id",
    "client_secret": "client-secret",
    "webhook_secret": "hook-secret",
    "pem": PEM,
}
CONVERSION = "https://api.github.com/app-manifests/a-code/conversions"


@pytest.fixture
def github() -> Iterator[respx.Route]:
    """GitHub's exchange of a code; this machine is reached as ever."""
    with respx.mock(assert_all_called=False) as router:
        router.route(host="localhost").pass_through()
        yield router.post(CONVERSION).respond(201, json=CONVERTED)


class Operator:
    """Registers in a thread, as the command does, while the test is the browser."""

    def __init__(self, keep: Callable[[AppCredentials], None] | None = None) -> None:
        self.kept: list[AppCredentials] = []
        self.opened: SimpleQueue[str] = SimpleQueue()
        self.said: list[str] = []
        self._keep = keep or self.kept.append
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.page = self.opened.get(timeout=10)

    def _run(self) -> None:
        register(ASKED, self._keep, Console(self.said.append, input, self._browse))

    def _browse(self, url: str) -> bool:
        self.opened.put(url)
        return True

    def is_done(self) -> bool:
        self._thread.join(10)
        return not self._thread.is_alive()

    def get(self, address: str, **headers: str) -> httpx.Response:
        return httpx.get(address, headers=headers, trust_env=False)

    def returns(self, **parameters: str) -> httpx.Response:
        """GitHub leads the browser back."""
        base = urlsplit(self.page)
        return httpx.get(f"http://{base.netloc}/registered", params=parameters, trust_env=False)


def form_of(page: str) -> tuple[str, Mapping[str, Any]]:
    """Where the page's form leads to, and the manifest that it carries."""
    action, value = re.search(r'action="([^"]*)"', page), re.search(r'name="manifest" value="([^"]*)"', page)
    assert action is not None
    assert value is not None
    return html.unescape(action[1]), json.loads(html.unescape(value[1]))


def state_of(page: str) -> str:
    return parse_qs(urlsplit(form_of(page)[0]).query)["state"][0]


def test_a_button_and_the_way_back(github: respx.Route) -> None:
    operator = Operator()
    page = operator.get(operator.page)
    action, manifest = form_of(page.text)
    base = urlsplit(operator.page)
    assert action.startswith("https://github.com/organizations/acme/settings/apps/new?state=")
    assert manifest["redirect_url"] == f"http://{base.netloc}/registered"
    assert "form-action https://github.com 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    back = operator.returns(code="a-code", state=state_of(page.text))
    assert back.status_code == 303
    assert back.headers["location"] == "https://github.com/apps/poc-governor-acme/installations/new"
    assert operator.is_done()
    assert [app.webhook_secret for app in operator.kept] == ["hook-secret"]
    assert github.call_count == 1


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        pytest.param({"code": "a-code", "state": "foreign"}, "the one that we sent", id="a foreign state"),
        pytest.param({"code": "a-code"}, "no code and state", id="no state"),
        pytest.param({}, "no code and state", id="nothing"),
    ],
)
def test_a_wrong_return_changes_nothing(github: respx.Route, returned: dict[str, str], says: str) -> None:
    operator = Operator()
    page = operator.get(operator.page).text
    answer = operator.returns(**returned)
    assert answer.status_code == 400
    assert says in answer.text
    assert not operator.kept
    assert not github.called
    assert operator.returns(code="a-code", state=state_of(page)).status_code == 303
    assert operator.is_done()


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        pytest.param(404, {"message": "Not Found"}, "doesn&#39;t know the code", id="a code that was used"),
        pytest.param(500, {"message": "Oops"}, "GitHub says 500", id="GitHub fails"),
        pytest.param(201, {"id": 1}, "answer has no", id="half an answer"),
    ],
)
def test_a_code_is_exchanged_once(
    github: respx.Route, status: int, answer: dict[str, Any], says: str
) -> None:
    github.respond(status, json=answer)
    operator = Operator()
    state = state_of(operator.get(operator.page).text)
    refused = operator.returns(code="a-code", state=state)
    assert refused.status_code == 400
    assert says in refused.text
    again = operator.returns(code="a-code", state=state)
    assert "is over" in again.text
    assert github.call_count == 1
    assert not operator.kept


@pytest.mark.usefixtures("github")
def test_what_can_not_be_kept_is_said_in_the_browser() -> None:
    def full(_app: AppCredentials) -> None:
        raise SetupError(".env couldn't be written: No space left on device")

    operator = Operator(full)
    answer = operator.returns(code="a-code", state=state_of(operator.get(operator.page).text))
    assert answer.status_code == 400
    assert "No space left on device" in answer.text


@pytest.mark.usefixtures("github")
def test_only_who_has_the_address_sees_the_form() -> None:
    operator = Operator()
    base = urlsplit(operator.page)
    assert operator.get(f"http://{base.netloc}/").status_code == 404
    assert operator.get(operator.page, Host=f"evil.example.com:{base.port}").status_code == 403


@pytest.mark.usefixtures("github")
def test_without_a_browser_the_address_is_pasted_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", tmp_path / "setup.html")
    said: list[str] = []
    kept: list[AppCredentials] = []
    tries = iter(["a-code", "http://localhost/x?code=a-code&state=foreign", None])

    def ask(_prompt: str) -> str:
        page = (tmp_path / "setup.html").read_text()
        return next(tries) or f"http://localhost/x?code=a-code&state={state_of(page)}"

    app = register(ASKED, kept.append, Console(said.append, ask, lambda _: False), headless=True)
    assert kept == [app]
    assert [line[:40] for line in said[1:]] == [
        "This address has no code and state: past",
        "The state isn't the one that we sent to ",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_there_already_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", tmp_path / "setup.html")
    (tmp_path / "setup.html").write_text("mine")
    with pytest.raises(SetupError, match="is there already"):
        register(ASKED, lambda _: None, Console(print, input, lambda _: False), headless=True)
    assert (tmp_path / "setup.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        pytest.param(
            Asked("acme/team", "https://g.acme.dev"), "--org acme/team: write the login", id="a team"
        ),
        pytest.param(Asked("", "https://g.acme.dev"), "--org : write the login", id="no organisation"),
        pytest.param(Asked("acme", "governor"), "--url governor: write an address", id="no address"),
        pytest.param(Asked("acme", "https://g.acme.dev?x=1"), "--url", id="an address with a question"),
        pytest.param(Asked("acme", "http://localhost:8080"), "GitHub can't reach this", id="this machine"),
        pytest.param(
            Asked("acme", "https://g.acme.dev", "github.com"), "--github-url github.com", id="a bare name"
        ),
        pytest.param(
            Asked("acme", "https://g.acme.dev", name="x" * 35), "34 characters at most", id="a long name"
        ),
    ],
)
def test_what_github_would_refuse_is_refused_before(asked: Asked, says: str) -> None:
    with pytest.raises(SetupError, match=re.escape(says)):
        checked(asked)


def test_this_machine_will_do_where_github_is_an_emulator_on_it() -> None:
    checked(Asked("acme", "http://localhost:8080", "http://localhost:4000"))


@pytest.mark.parametrize(
    ("meta", "lacks"),
    [
        pytest.param({"installed_version": "3.12.2"}, {"organization_custom_properties"}, id="an old server"),
        pytest.param({"installed_version": "3.19.0"}, set(), id="a new server"),
        pytest.param({}, set(), id="one that does not tell"),
    ],
)
def test_the_manifest_for_a_server(meta: dict[str, str], lacks: set[str]) -> None:
    with respx.mock:
        respx.get("https://git.acme.dev/api/v3/meta").respond(json=meta)
        printed = json.loads(printed_manifest(Asked("acme", "https://g.acme.dev", "https://git.acme.dev")))
    everything = json.loads(printed_manifest(ASKED))["default_permissions"].keys()
    assert everything - printed["default_permissions"].keys() == lacks


def test_the_settings_of_the_service() -> None:
    app = AppCredentials(1, "g", "https://github.com/apps/g", "https://github.com", "https://api.github.com")
    assert settings_of(ASKED, app, "") == {
        "GITHUB_APP_ID": "1",
        "PUBLIC_URL": "https://governor.acme.dev",
    }
    public = Asked("acme", "https://g.acme.dev", "https://git.acme.dev", public=True)
    theirs = AppCredentials(1, "g", "", "https://git.acme.dev", "https://git.acme.dev/api/v3")
    assert settings_of(public, theirs, "globex") == {
        "GITHUB_APP_ID": "1",
        "GITHUB_URL": "https://git.acme.dev",
        "GITHUB_API_URL": "https://git.acme.dev/api/v3",
        "PUBLIC_URL": "https://g.acme.dev",
        "ALLOWED_ACCOUNTS": "acme,globex",
    }
