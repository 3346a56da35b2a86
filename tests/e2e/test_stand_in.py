"""The stand-in in front of the emulator answers as GitHub describes it, from the emulator's state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from service.demo.emulator import Emulator, SeedRepo, token_of
from service.packaged import app_manifest
from service.rules.setup.manifest import Registration, manifest
from tests.harness.github_description import wrong_in, wrong_in_request, wrong_in_schema
from tests.harness.places import ROOT
from tests.harness.standin.app import StandIn, standing_in
from tests.harness.standin.emulated import Emulated
from tests.harness.standin.oauth import log_in
from tests.harness.webhooks import PLAIN

BACK = "http://localhost:8080/login/callback"
VERIFIER, CHALLENGE = "v" * 64, "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM"


@dataclass
class GitHub:
    emulator: Emulator
    stand_in: StandIn
    http: httpx.Client

    def get(self, path: str, login: str) -> httpx.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {token_of(login)}"})

    def code(self, login: str, **more: str) -> str:
        asked = {"client_id": self.emulator.client_id, "redirect_uri": BACK, "state": "abc", **more}
        url = f"{self.stand_in.url}/login/oauth/authorize?{urlencode(asked)}"
        back = urlsplit(log_in(url, login, client=self.http).headers["Location"])
        return parse_qs(back.query)["code"][0]

    def exchange(self, **fields: str) -> dict[str, str]:
        known = {"client_id": self.emulator.client_id, "client_secret": self.emulator.client_secret}
        answer = self.http.post(
            "/login/oauth/access_token", data=known | fields, headers={"Accept": "application/json"}
        )
        assert answer.status_code == 200
        found: dict[str, str] = answer.json()
        return found

    def as_app(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {Emulated(self.emulator, self.stand_in.url).as_app()}"}

    def user(self, token: str) -> int:
        return self.http.get("/user", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    repos = (SeedRepo("poc-triage", private=True), SeedRepo("poc-open"))
    emulator = Emulator(users=["jane-doe"], outsiders=["stranger"], repos=repos, callback_urls=[BACK])
    with (
        emulator,
        standing_in(emulator) as stand_in,
        httpx.Client(base_url=stand_in.url, trust_env=False, verify=PLAIN) as http,
    ):
        yield GitHub(emulator, stand_in, http)


def test_the_installations_of_a_person_are_as_github_describes_them(github: GitHub) -> None:
    found = github.get("/user/installations", "jane-doe").json()
    assert wrong_in("/user/installations", found) == []
    assert [each["id"] for each in found["installations"]] == [github.emulator.installation_id]
    assert github.get("/user/installations", "stranger").json()["installations"] == []
    assert github.http.get("/user/installations").status_code == 401


def test_the_repositories_of_a_person_in_an_installation_are_as_github_describes_them(
    github: GitHub,
) -> None:
    path = f"/user/installations/{github.emulator.installation_id}/repositories"
    found = github.get(path, "jane-doe").json()
    assert wrong_in("/user/installations/{installation_id}/repositories", found) == []
    assert [each["name"] for each in found["repositories"]] == ["poc-triage", "poc-open"]
    first = github.get(f"{path}?per_page=1", "jane-doe")
    second = github.http.get(
        first.links["next"]["url"], headers={"Authorization": f"Bearer {token_of('jane-doe')}"}
    )
    names = [each["name"] for page in (first, second) for each in page.json()["repositories"]]
    assert names == ["poc-triage", "poc-open"]
    assert "next" not in second.links
    assert github.get(path, "stranger").json()["repositories"] == []


def test_a_hundred_repositories_are_asked_about_at_once(github: GitHub) -> None:
    query = (
        '{ r0: repository(owner: "acme", name: "poc-triage") { databaseId }\n'
        'r1: repository(owner: "acme", name: "poc-open") { databaseId } }'
    )
    id_of = {
        name: github.get(f"/repos/acme/{name}", "jane-doe").json()["id"]
        for name in ("poc-triage", "poc-open")
    }

    def asked(login: str) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {token_of(login)}"}
        found: dict[str, object] = github.http.post("/graphql", json={"query": query}, headers=headers).json()
        return found

    both = {"r0": {"databaseId": id_of["poc-triage"]}, "r1": {"databaseId": id_of["poc-open"]}}
    assert asked("jane-doe") == {"data": both}
    says = "Could not resolve to a Repository with the name 'acme/poc-triage'."
    assert asked("stranger") == {
        "data": both | {"r0": None},
        "errors": [{"type": "NOT_FOUND", "path": ["r0"], "message": says}],
    }


def test_a_code_is_good_once_and_only_with_what_it_was_asked_for(github: GitHub) -> None:
    proof = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    assert github.exchange(code=github.code("jane-doe", **proof))["error"] == "bad_verification_code"
    code = github.code("jane-doe", **proof)
    given = github.exchange(code=code, code_verifier=VERIFIER)
    assert github.user(given["access_token"]) == 200
    assert github.exchange(code=code, code_verifier=VERIFIER)["error"] == "bad_verification_code"


def test_tokens_expire_are_refreshed_once_and_can_be_taken_back(github: GitHub) -> None:
    first = github.exchange(code=github.code("jane-doe"))
    second = github.exchange(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert github.user(first["access_token"]) == 401
    assert github.user(second["access_token"]) == 200
    again = github.exchange(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again["error"] == "bad_refresh_token"
    github.stand_in.grants.expire("jane-doe")
    assert github.user(second["access_token"]) == 401
    third = github.exchange(grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert github.user(third["access_token"]) == 200
    github.stand_in.grants.revoke("jane-doe")
    assert github.user(third["access_token"]) == 401


def test_everything_else_comes_from_the_emulator(github: GitHub) -> None:
    repo = github.get("/repos/acme/poc-open", "jane-doe").json()
    assert repo["url"] == f"{github.stand_in.url}/repos/acme/poc-open"
    assert (
        wrong_in("/repos/{owner}/{repo}/topics", github.get("/repos/acme/poc-open/topics", "jane-doe").json())
        == []
    )


@pytest.fixture
def without_app(github: GitHub) -> Iterator[GitHub]:
    """The same GitHub before the app was registered."""
    with (
        standing_in(github.emulator, from_nothing=True) as stand_in,
        httpx.Client(base_url=stand_in.url, trust_env=False, verify=PLAIN) as http,
    ):
        yield GitHub(github.emulator, stand_in, http)


def test_an_app_is_registered_and_installed_as_github_describes_it(without_app: GitHub) -> None:
    github = without_app
    known, http = github.stand_in.registered, github.http
    asked = Registration("acme", "http://localhost:1", "http://localhost:1/registered")
    made = {"manifest": json.dumps(manifest(app_manifest(), asked))}
    page = http.post("/organizations/acme/settings/apps/new?state=abc", data=made)
    assert page.status_code == 200, page.text
    assert http.get("/installation/repositories", headers=github.as_app()).status_code == 200
    assert http.get("/app/installations", headers=github.as_app()).json() == []
    sent = made | {"state": "abc", "name": "POC Governor acme"}
    back = urlsplit(http.post("/organizations/acme/settings/apps", data=sent).headers["Location"])
    returned = parse_qs(back.query)
    assert returned["state"] == ["abc"]
    conversion = f"/app-manifests/{returned['code'][0]}/conversions"
    answer = http.post(conversion)
    described = "/app-manifests/{code}/conversions"
    assert wrong_in(described, answer.json(), method="post", status=201) == []
    assert http.post(conversion).status_code == 404
    http.post("/apps/poc-governor/installations/new")
    for path in ("/app/hook/deliveries", "/app/hook/config", "/installation/repositories"):
        found = http.get(path, headers=github.as_app())
        assert found.status_code == 200
        assert wrong_in(path, found.json()) == [], path
    [installation] = http.get("/app/installations", headers=github.as_app()).json()
    # The description of the list wants an account to be a user and an enterprise at once.
    assert wrong_in("/app/installations/{installation_id}", installation) == []
    assert [each["event"] for each in known.attempts] == ["installation", "ping"]
    assert [each["status_code"] for each in known.attempts] == [0, 0]  # nobody serves there


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"default_events": ["installation"]}, "not supported", id="an event that all apps get"),
        pytest.param({"name": "x" * 35}, "too long", id="a long name"),
        pytest.param({"permissions": {}}, "unknown keys", id="a key that is none"),
        pytest.param({"setup_url": ""}, "not an address", id="no address"),
    ],
)
def test_a_manifest_that_github_refuses(github: GitHub, changes: dict[str, object], says: str) -> None:
    made = manifest(app_manifest(), Registration("acme", "http://localhost:1")) | changes
    page = github.http.post(
        "/organizations/acme/settings/apps/new?state=abc", data={"manifest": json.dumps(made)}
    )
    assert page.status_code == 422
    assert says in page.text


def test_the_ruleset_that_is_printed_is_one_that_github_takes(github: GitHub) -> None:
    printed = json.loads((ROOT / "tests" / "unit" / "rules" / "golden" / "ruleset.json").read_text())
    assert wrong_in_request("/orgs/{org}/rulesets", printed) == []
    assert github.http.post("/orgs/acme/rulesets", json=printed).status_code == 201
    found = github.get("/repos/acme/poc-triage/rules/branches/main", "jane-doe").json()
    assert wrong_in("/repos/{owner}/{repo}/rules/branches/{branch}", found) == []
    assert [each["type"] for each in found] == ["required_status_checks", "pull_request"]
    assert github.get("/repos/acme/poc-triage/rules/branches/other", "jane-doe").json() == []


def test_the_manifest_asks_for_permissions_that_github_knows() -> None:
    assert wrong_in_schema("app-permissions", app_manifest()["default_permissions"]) == []
