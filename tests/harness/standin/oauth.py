"""Login: the emulator's, with PKCE, tokens that expire and are refreshed once, and with revoking.

As GitHub documents it under "Generating a user access token for a GitHub App" and "Refreshing user access
tokens"; its OpenAPI description does not hold these pages.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.harness.standin.emulated import bearer, emulated, form

ACCESS, REFRESH = 28_800, 15_811_200
"""Seconds for which the two tokens of a person hold."""
PREFIX = "ghu_"
WRONG_CODE = {
    "error": "bad_verification_code",
    "error_description": "The code passed is incorrect or expired.",
}
WRONG_REFRESH = {
    "error": "bad_refresh_token",
    "error_description": "The refresh token passed is incorrect or expired.",
}


@dataclass
class Grants:
    """What people granted: the emulator's token behind each of ours, and whose it is."""

    challenges: dict[str, str] = field(default_factory=dict)
    """What the code of a state, and then the code itself, has to be proved with."""
    access: dict[str, str] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """The login behind a token of the emulator."""
    refreshed: int = 0

    def token(self, theirs: str) -> dict[str, object]:
        """A new pair of tokens; whatever held before for this one of the emulator's holds no longer."""
        self.forget(theirs)
        access, refresh = f"{PREFIX}{secrets.token_hex(18)}", f"ghr_{secrets.token_hex(38)}"
        self.access[access], self.refresh[refresh] = theirs, theirs
        return {
            "access_token": access,
            "expires_in": ACCESS,
            "refresh_token": refresh,
            "refresh_token_expires_in": REFRESH,
            "token_type": "bearer",
            "scope": "",
        }

    def forget(self, theirs: str) -> None:
        """End the tokens that stand for one of the emulator's."""
        for pairs in (self.access, self.refresh):
            for token in [token for token, other in pairs.items() if other == theirs]:
                del pairs[token]

    def expire(self, login: str) -> None:
        """Let the access tokens of somebody run out, as after eight hours."""
        for token in [token for token, theirs in self.access.items() if self.owners[theirs] == login]:
            del self.access[token]

    def revoke(self, login: str) -> None:
        """Let somebody take back what they granted, in their settings."""
        for theirs in [theirs for theirs, owner in self.owners.items() if owner == login]:
            self.forget(theirs)


def grants(request: Request) -> Grants:
    """What people granted so far."""
    found = request.app.state.grants
    assert isinstance(found, Grants)
    return found


def acting(request: Request) -> str:
    """The emulator's token of whoever asks; empty where there is none, or it holds no longer."""
    token = bearer(request)
    return grants(request).access.get(token, "") if token.startswith(PREFIX) else token


async def authorize(request: Request) -> Response:
    """The page where somebody says who they are, which the emulator draws."""
    asked = request.query_params
    if "code_challenge" in asked:
        if asked.get("code_challenge_method") != "S256":
            return Response("code_challenge_method must be S256", 400)
        grants(request).challenges[asked.get("state", "")] = asked["code_challenge"]
    return await emulated(request).forward(request)


async def chosen(request: Request) -> Response:
    """Somebody said who they are: the emulator leads them back with a code."""
    said = await form(request)
    answer = await emulated(request).forward(request)
    code = parse_qs(urlsplit(answer.headers.get("location", "")).query).get("code", [""])[0]
    if challenge := grants(request).challenges.pop(said.get("state", ""), ""):
        grants(request).challenges[code] = challenge
    return answer


async def access_token(request: Request) -> Response:
    """A code, or a refresh token, against a new pair of tokens."""
    given, known, here = await form(request), grants(request), emulated(request)
    if given.get("grant_type") == "refresh_token":
        theirs = known.refresh.get(given.get("refresh_token", ""), "")
        if theirs:
            known.refreshed += 1
        return JSONResponse(known.token(theirs) if theirs else WRONG_REFRESH)
    challenge = known.challenges.pop(given.get("code", ""), "")
    if challenge and challenge != _proved(given.get("code_verifier", "")):
        return JSONResponse(WRONG_CODE)
    answer = await here.forward(request)
    said = json.loads(bytes(answer.body))
    if "access_token" not in said:
        return answer
    theirs = said["access_token"]
    known.owners[theirs] = (await here.get("/user", theirs))["login"]
    return JSONResponse(known.token(theirs))


def _proved(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def log_in(url: str, login: str, *, client: httpx.Client) -> httpx.Response:
    """Walk through GitHub's pages from an address of `authorize` as somebody, back to where it leads."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    page = client.get(url)
    assert page.status_code == 200, page.text
    fields = {name: asked.get(name, "") for name in ("redirect_uri", "scope", "state", "client_id")}
    root = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    answer = client.post(f"{root}/login/oauth/callback", data=fields | {"login": login})
    assert answer.status_code == 302, answer.text
    return answer


ROUTES = [
    Route("/login/oauth/authorize", authorize),
    Route("/login/oauth/callback", chosen, methods=["POST"]),
    Route("/login/oauth/access_token", access_token, methods=["POST"]),
]
