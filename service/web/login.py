"""GET /login and /login/callback, POST /logout: who somebody is, as GitHub says."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import assert_never

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.store.people import People, Person
from service.web.html import PRIVATE, notice
from service.web.oauth import (
    AwayError,
    GitHubOAuth,
    PersonApi,
    RefusedError,
    SetUpWronglyError,
    Tokens,
    UserTokens,
)
from service.web.pages import telling
from service.web.sessions import LASTS, Cookies, hashed, new_session, written

log = structlog.get_logger(__name__)

ATTEMPT = timedelta(minutes=10)
"""How long somebody may take on GitHub's pages; a code is good for as long."""
NAME = r"[^/?#\\]+"
OURS = re.compile(
    rf"/(?:pocs/{NAME}/{NAME}(?:/record\.(?:md|json))?|deliveries|settings/tokens|docs/{NAME}|portfolio\.(?:csv|json))?(?:\?.*)?"
)
"""The addresses that a login may lead back to."""
CALLBACK = "/login/callback"
LONGEST_RETURN = 1000
SIDE_BY_SIDE = 4
"""Codes that GitHub is asked about at a time: anybody may come with one, and each holds a thread."""
LONGEST_QUEUE = 20
"""Codes that wait for their turn; whoever comes then is better off coming again."""
AGAIN = {"href": "/login", "link": "Log in again"}


class BusyError(Exception):
    """Too many people log in at the same time."""


class Login:
    """The routes; an attempt to log in is kept in the browser, encrypted, and nowhere else."""

    def __init__(
        self,
        *,
        people: People,
        tokens: UserTokens,
        oauth: GitHubOAuth,
        api: PersonApi,
        cookies: Cookies,
        cipher: Fernet | MultiFernet,
        clock: Callable[[], datetime],
    ) -> None:
        self._people, self._tokens, self._oauth, self._api = people, tokens, oauth, api
        self._cookies, self._cipher, self._clock = cookies, cipher, clock
        self._exchanging, self._waiting = asyncio.Semaphore(SIDE_BY_SIDE), 0

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/login", self.begin),
            Route(CALLBACK, self.come_back),
            Route("/logout", telling(self.log_out), methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Send somebody to GitHub, to say who they are."""
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        attempt = {
            "state": state,
            "verifier": verifier,
            "to": safe_return(request.query_params.get("to", "/")),
        }
        answer = RedirectResponse(self._oauth.address(state, verifier), 302, headers=PRIVATE)
        sealed = self._cipher.encrypt(json.dumps(attempt).encode()).decode()
        self._cookies.set(answer, "login", sealed, ATTEMPT)
        return answer

    async def come_back(self, request: Request) -> Response:
        """GitHub sends somebody back: with a code, or with a refusal."""
        answer = await self._come_back(request)
        self._cookies.clear(answer, "login")
        return answer

    async def _come_back(self, request: Request) -> Response:
        asked, attempt = request.query_params, self._attempt(request)
        if attempt is None or not hmac.compare_digest(
            asked.get("state", "").encode(), attempt["state"].encode()
        ):
            says = [
                "This login wasn't started in this browser in the last ten minutes, or it's already over."
            ]
            return notice("This login doesn't count", says, status=400, **AGAIN)
        if asked.get("error") == "access_denied":
            says = ["You did not let GitHub tell us who you are. Without it we can't know what you may see."]
            return notice("You aren't logged in", says, status=403, **AGAIN)
        try:
            return await self._logged_in(asked.get("code", ""), attempt)
        except (RefusedError, BusyError, AwayError, SetUpWronglyError) as error:
            return not_logged_in(error)

    async def _logged_in(self, code: str, attempt: Mapping[str, str]) -> Response:
        if not code:
            raise RefusedError("GitHub didn't send a code")
        given = await self._exchanged(code, attempt["verifier"])
        person = Person(*await self._api.who(given.access))
        session = new_session()
        await run_in_threadpool(
            self._people.log_in,
            person,
            self._tokens.sealed(given),
            hashed(session),
            now=self._clock(),
            lasts=LASTS,
        )
        answer = RedirectResponse(safe_return(attempt["to"]), 303, headers=PRIVATE)
        self._cookies.set(answer, "session", session, LASTS)
        return answer

    async def _exchanged(self, code: str, verifier: str) -> Tokens:
        if self._waiting >= LONGEST_QUEUE:
            raise BusyError
        self._waiting += 1
        try:
            await self._exchanging.acquire()
        finally:
            self._waiting -= 1
        try:
            return await run_in_threadpool(self._oauth.exchange, code, verifier)
        finally:
            self._exchanging.release()

    def _attempt(self, request: Request) -> Mapping[str, str] | None:
        try:
            opened = self._cipher.decrypt(self._cookies.read(request, "login"), int(ATTEMPT.total_seconds()))
        except (InvalidToken, ValueError):  # the latter where it is not ASCII
            return None
        found: Mapping[str, str] = json.loads(opened)
        return found

    async def log_out(self, request: Request) -> Response:
        """End this session."""
        session = self._cookies.read(request, "session")
        person = await run_in_threadpool(self._people.logged_in, hashed(session), self._clock())
        # Of a session that is over nothing is left to end, and no form is read.
        if person or not session:
            await written(request, session, self._cookies.public_url)
            await run_in_threadpool(self._people.log_out, hashed(session), self._clock())
        answer = RedirectResponse("/", 303, headers=PRIVATE)
        self._cookies.clear(answer, "session")
        return answer


def not_logged_in(error: RefusedError | BusyError | AwayError | SetUpWronglyError) -> Response:
    """What somebody is told whose login came to nothing."""
    match error:
        case RefusedError():
            says = [
                "GitHub doesn't accept the code that you came back with: it has expired, or was used before."
            ]
            return notice("This login doesn't count", says, status=400, **AGAIN)
        case BusyError():
            says = ["Many people log in at the moment. Try again in a minute."]
            return notice("Too many logins at once", says, status=503, **AGAIN)
        case AwayError():
            log.warning("nobody can log in", error=str(error))
            says = ["GitHub doesn't answer at the moment. Try again in a minute."]
            return notice("GitHub doesn't answer", says, status=503, **AGAIN)
        case SetUpWronglyError():
            log.error("nobody can log in", error=str(error))
            says = [
                "GitHub doesn't accept the `GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET` of this service.",
                "Its operator finds the reason in its log.",
            ]
            return notice("Nobody can log in", says, status=503, **AGAIN)
        case _:
            assert_never(error)


def safe_return(to: str) -> str:
    """Where to go on after logging in: an address of ours, or else the first page."""
    is_ours = len(to) <= LONGEST_RETURN and to.isascii() and to.isprintable() and OURS.fullmatch(to)
    return to if is_ours else "/"
