"""What is asked about the app itself: its ping, its reach, its teams, and its registration."""

from __future__ import annotations

import pytest

from service.github_client.app import App, Registered
from service.github_client.registration import take_over, version_of
from service.ports import GitHubError
from service.rules.values.github import Installation
from tests.unit.github_client.server import GRANTED, TOKEN, Server

ACME = Installation(7, "acme", GRANTED)
DELIVERIES = "GET /app/hook/deliveries?per_page=100"
AT = "2026-11-23T09:00:00Z"


def delivery(number: int, event: str, status: int) -> dict[str, object]:
    return {"id": number, "guid": event, "event": event, "delivered_at": AT, "status_code": status}


def test_the_newest_deliveries(app: App, server: Server) -> None:
    server.on(DELIVERIES, 200, [delivery(2, "ping", 200), delivery(1, "push", 0)])
    found = [(event, each.id, each.status_code, each.was_answered) for event, each in app.recent_deliveries()]
    assert found == [("ping", 2, 200, True), ("push", 1, 0, False)]


@pytest.mark.parametrize(("selection", "covers"), [("all", True), ("selected", False)])
def test_whether_it_covers_all_repositories(app: App, server: Server, selection: str, covers: bool) -> None:
    server.on("GET /app/installations/7", 200, {"id": 7, "repository_selection": selection})
    assert app.covers_all(7) is covers


def test_a_team_is_looked_up_with_a_token_for_that_alone(app: App, server: Server) -> None:
    server.on("GET /orgs/acme/teams/poc-owners", 200, {"id": 99, "slug": "poc-owners"})
    assert app.team_id(ACME, "poc-owners") == 99
    assert server.bodies(TOKEN) == [{"permissions": {"members": "read"}}]


def test_a_team_that_there_is_not(app: App) -> None:
    with pytest.raises(GitHubError, match="looking up team acme/nobody: GitHub says 404"):
        app.team_id(ACME, "nobody")


def test_the_app_itself(app: App, server: Server) -> None:
    page = "https://github.com/apps/governor"
    server.on("GET /app", 200, {"slug": "governor", "html_url": page, "client_id": "Iv1.id"})
    assert app.registered() == Registered("governor", page, "Iv1.id")


def test_the_exchange_of_a_code_needs_no_token(server: Server) -> None:
    converted = {
        "id": 4711,
        "slug": "governor",
        "html_url": "https://git.acme.dev/github-apps/governor",
        "client_id": "Iv1.id",
        "client_secret": "client-secret",
        "webhook_secret": "hook-secret",
        "pem": "-----BEGIN",
    }
    server.on("POST /app-manifests/a%2Fb/conversions", 201, converted)
    app = take_over(server.url, "https://git.acme.dev", "a/b")
    assert app.installing == "https://git.acme.dev/github-apps/governor/installations/new"
    assert (app.api_url, app.github_url) == (server.url, "https://git.acme.dev")
    assert "Authorization" not in server.requests[0][2]


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        pytest.param(404, {"message": "Not Found"}, "doesn't know the code", id="a code that was used"),
        pytest.param(422, {"message": "Invalid"}, "doesn't know the code", id="a code that is none"),
        pytest.param(503, {}, "GitHub says 503", id="GitHub is away"),
        pytest.param(201, b"<html>", "isn't GitHub's API", id="a page"),
        pytest.param(201, ["x"], "answer has no 'id'", id="a list"),
    ],
)
def test_an_exchange_that_fails_is_not_tried_again(
    server: Server, status: int, answer: object, says: str
) -> None:
    server.on("POST /app-manifests/a-code/conversions", status, answer)
    with pytest.raises(GitHubError, match=says):
        take_over(server.url, server.url, "a-code")
    assert len(server.requests) == 1


def test_an_app_without_a_webhook_secret_is_no_use(server: Server) -> None:
    whole = dict.fromkeys(("slug", "html_url", "client_id", "client_secret", "pem"), "x")
    server.on("POST /app-manifests/a-code/conversions", 201, whole | {"id": 1, "webhook_secret": None})
    with pytest.raises(GitHubError, match="GitHub made no webhook secret"):
        take_over(server.url, server.url, "a-code")


def test_nobody_answers() -> None:
    with pytest.raises(GitHubError, match=r"no answer from http://127.0.0.1:1 \(ConnectError\)"):
        take_over("http://127.0.0.1:1", "https://github.com", "a-code")


@pytest.mark.parametrize(
    ("status", "answer", "headers", "version"),
    [
        pytest.param(200, {"installed_version": "3.14.2"}, {}, (3, 14), id="in its answer"),
        pytest.param(
            401, {}, {"X_GitHub_Enterprise_Version": "enterprise-server@3.12.9"}, (3, 12), id="with a refusal"
        ),
        pytest.param(200, {"hooks": []}, {}, None, id="github.com"),
    ],
)
def test_the_version_of_a_server(
    server: Server, status: int, answer: object, headers: dict[str, str], version: tuple[int, int] | None
) -> None:
    server.on("GET /meta", status, answer, **headers)
    assert version_of(server.url) == version
