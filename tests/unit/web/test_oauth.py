"""What GitHub's answers to a code or a refresh token mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from authlib.integrations.httpx_client import OAuth2Client

from service.web.oauth import AwayError, GitHubOAuth, RefusedError, SetUpWronglyError

OAUTH = GitHubOAuth("Iv23", "secret", "https://github.com", "https://governor.acme.dev/login/callback")
WHOLE = {
    "access_token": "ghu_1",
    "expires_in": 28_800,
    "refresh_token": "ghr_1",
    "refresh_token_expires_in": 15_811_200,
    "token_type": "bearer",
    "scope": "",
}


class Answering:
    """GitHub's token endpoint with one answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: int, body: object) -> None:
        self.asked: list[Mapping[str, list[str]]] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            assert str(request.url) == "https://github.com/login/oauth/access_token"
            self.asked.append(parse_qs(request.content.decode()))
            return httpx2.Response(status, json=body) if body is not None else httpx2.Response(status)

        def client(oauth: GitHubOAuth) -> OAuth2Client:
            made = make(oauth)
            made._transport = httpx2.MockTransport(answer)
            made._mounts = {}
            return made

        make = GitHubOAuth._client
        monkeypatch.setattr(GitHubOAuth, "_client", client)


def test_github_is_asked_with_a_state_and_a_challenge(monkeypatch: pytest.MonkeyPatch) -> None:
    # A client reads all certificates, which takes longer than a page, and anybody may ask.
    monkeypatch.delattr(GitHubOAuth, "_client")
    parts = urlsplit(OAUTH.address("a state", "v" * 64))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://github.com/login/oauth/authorize"
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (
        asked.items()
        >= {
            "client_id": "Iv23",
            "redirect_uri": OAUTH.callback,
            "state": "a state",
            "code_challenge": "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM",
            "code_challenge_method": "S256",
        }.items()
    )
    assert "secret" not in parts.query


def test_a_code_is_exchanged_with_its_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    github = Answering(monkeypatch, 200, WHOLE)
    found = OAUTH.exchange("a code", "v" * 64)
    assert (found.access, found.refresh) == ("ghu_1", "ghr_1")
    assert found.access_ends
    assert found.refresh_ends
    now = datetime.now(UTC)
    assert timedelta(hours=7) < found.access_ends - now <= timedelta(hours=8)
    assert timedelta(days=182) < found.refresh_ends - now <= timedelta(days=183)
    [asked] = github.asked
    assert asked["code"] == ["a code"]
    assert asked["code_verifier"] == ["v" * 64]
    assert asked["client_secret"] == ["secret"]
    assert asked["redirect_uri"] == [OAUTH.callback]
    assert "ghu_1" not in repr(found)


def test_a_token_without_an_end_holds_until_it_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    Answering(monkeypatch, 200, {"access_token": "ghu_1", "token_type": "bearer"})
    found = OAUTH.exchange("a code", "v")
    assert (found.access_ends, found.refresh, found.refresh_ends) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(200, {"error": "bad_verification_code"}, RefusedError, id="a code that ended, with 200"),
        pytest.param(200, {"error": "incorrect_client_credentials"}, SetUpWronglyError, id="a wrong secret"),
        pytest.param(200, {"error": "redirect_uri_mismatch"}, SetUpWronglyError, id="another address"),
        pytest.param(404, {"error": "Not Found"}, SetUpWronglyError, id="no such client"),
        pytest.param(502, None, AwayError, id="trouble"),
        pytest.param(429, None, AwayError, id="too many questions"),
        pytest.param(200, None, AwayError, id="no JSON"),
        pytest.param(200, [], AwayError, id="no object"),
        pytest.param(200, {"token_type": "bearer"}, AwayError, id="no token"),
    ],
)
def test_what_is_no_token(
    monkeypatch: pytest.MonkeyPatch, status: int, body: object, error: type[Exception]
) -> None:
    Answering(monkeypatch, status, body)
    with pytest.raises(error):
        OAUTH.exchange("a code", "v")


def test_a_refresh_token_that_was_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    github = Answering(monkeypatch, 200, {"error": "bad_refresh_token"})
    with pytest.raises(RefusedError, match="bad_refresh_token"):
        OAUTH.refresh("ghr_0")
    assert github.asked[0]["grant_type"] == ["refresh_token"]
