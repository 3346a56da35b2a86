"""/setup: the app is registered from a browser, by whoever can read the service's own files.

Once there is an app, whoever set it up sees here what `doctor` says.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.config.app_credentials import AppCredentials
from service.store.app_credentials import Pass, SetupPasses
from service.web.html import PRIVATE, notice, page
from service.web.pages import Answer
from service.web.sessions import HERE, Cookies, NotFromUsError, form_of

GOOD_FOR = timedelta(hours=1)
LARGEST_FORM = 64 * 1024
COOKIE = "setup"
FIELDS = ("app_id", "private_key", "webhook_secret", "client_secret")
NOT_FROM_HERE = ("cross-site", "same-site")


class RegistrarError(Exception):
    """Why an app was not taken over, in a sentence for the person in front of the browser."""


class Registrar(Protocol):
    """What registers: GitHub, and where credentials are kept. Every method may raise `RegistrarError`."""

    def form(self, org: str, state: str) -> tuple[str, Mapping[str, Any]]:
        """Where the browser posts the manifest to, and the manifest."""
        ...

    def take_over(self, code: str) -> AppCredentials:
        """Exchange the code for the app's credentials, and keep them."""
        ...

    def adopt(self, given: Mapping[str, str]) -> AppCredentials:
        """Keep the credentials of an app that exists, if GitHub accepts its key."""
        ...


@dataclass(frozen=True, slots=True)
class Around:
    """What the pages need to know of the service."""

    public_url: str
    clock: Callable[[], datetime]
    done: Callable[[], None]
    """Called once an app is kept."""
    closed: str = ""
    """Why nobody sets up anything at this address; empty where they can."""

    @property
    def cookies(self) -> Cookies:
        """One of them is that by which a browser is known."""
        return Cookies(self.public_url)


class SetupPages:
    """The routes, as long as there is no app."""

    def __init__(self, passes: SetupPasses, registrar: Registrar, around: Around) -> None:
        self._passes, self._registrar, self._around = passes, registrar, around

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/setup", self._in_private(self.ask), methods=["GET"]),
            Route("/setup", self._in_private(self.begin), methods=["POST"]),
            Route("/setup/registered", self._in_private(self.registered), methods=["GET"]),
            Route("/setup/existing", self._in_private(self.existing), methods=["POST"]),
        ]

    def _in_private(self, answer: Answer) -> Answer:
        """The same, unless somebody on the way can read along."""

        async def answered(request: Request) -> Response:
            why = self._around.closed or over_http(request, self._around.public_url)
            return closed(why) if why else await answer(request)

        return answered

    async def ask(self, request: Request) -> Response:
        """Ask for the token, and for the organisation."""
        return page("setup.html", known=await self._is_known(request), org="", wrong="")

    async def begin(self, request: Request) -> Response:
        """Let somebody in who has the token, and show the form for GitHub."""
        given = await _form(request, self._around.public_url)
        if given is None:
            return _refused("The form wasn't sent from this page.")
        visitor = "" if await self._is_known(request) else secrets.token_urlsafe(32)
        if visitor and not await run_in_threadpool(self._let_in, given.get("token", "").strip(), visitor):
            wrong = "This isn't the token, or it was used, or an hour has passed: read the file again."
            return page("setup.html", 403, known=False, org=given.get("org", ""), wrong=wrong)
        if given.get("app") == "existing":
            return self._seen(page("setup_existing.html", wrong="", given={}), visitor)
        state = secrets.token_urlsafe(32)
        try:
            action, manifest = await run_in_threadpool(
                self._registrar.form, given.get("org", "").strip(), state
            )
        except RegistrarError as error:
            answer = page("setup.html", 400, known=True, org=given.get("org", ""), wrong=str(error))
            return self._seen(answer, visitor)
        holder = visitor or self._around.cookies.read(request, COOKIE)
        ends_at = self._around.clock() + GOOD_FOR
        await run_in_threadpool(self._passes.issue, f"{holder}:{state}", Pass.STATE, ends_at)
        shown = {"action": action, "manifest": json.dumps(manifest), "name": manifest["name"]}
        return self._seen(page("setup_register.html", org=given["org"].strip(), **shown), visitor)

    async def registered(self, request: Request) -> Response:
        """Take the app over: the state has to be one that this browser was given, and is used up by that."""
        holder, now = self._around.cookies.read(request, COOKIE), self._around.clock()
        code, state = request.query_params.get("code", ""), request.query_params.get("state", "")
        if not code or not await run_in_threadpool(self._passes.use_up, f"{holder}:{state}", Pass.STATE, now):
            return _refused(
                "This registration wasn't started in this browser, or is more than an hour old, or is over."
            )
        return await self._kept(lambda: self._registrar.take_over(code))

    async def existing(self, request: Request) -> Response:
        """Take over an app that exists already, by its four fields."""
        given = await _form(request, self._around.public_url)
        if given is None or not await self._is_known(request):
            return _refused("The form wasn't sent from this page, or an hour has passed.")
        wanted = {name: given.get(name, "").strip() for name in FIELDS}
        try:
            return await self._take(lambda: self._registrar.adopt(wanted))
        except RegistrarError as error:
            return page("setup_existing.html", 400, wrong=str(error), given=wanted)

    async def _kept(self, take: Callable[[], AppCredentials]) -> Response:
        try:
            return await self._take(take)
        except RegistrarError as error:
            return _refused(str(error))

    async def _take(self, take: Callable[[], AppCredentials]) -> Response:
        app = await run_in_threadpool(take)
        self._around.done()
        return RedirectResponse(app.installing, 303, {"Cache-Control": "no-store"})

    def _let_in(self, token: str, visitor: str) -> bool:
        now = self._around.clock()
        if not self._passes.use_up(token, Pass.TOKEN, now):
            return False
        self._passes.issue(visitor, Pass.BROWSER, now + GOOD_FOR)
        return True

    async def _is_known(self, request: Request) -> bool:
        return await known(request, self._passes, self._around)

    def _seen(self, answer: Response, visitor: str) -> Response:
        """The answer, by which a browser that was let in is known again when GitHub leads it back."""
        if visitor:
            self._around.cookies.set(answer, COOKIE, visitor, GOOD_FOR)
        return answer


async def known(request: Request, passes: SetupPasses, around: Around) -> bool:
    """Whether this browser was let in by the token, less than an hour ago."""
    visitor = around.cookies.read(request, COOKIE)
    return visitor != "" and await run_in_threadpool(passes.is_good, visitor, Pass.BROWSER, around.clock())


def over_http(request: Request, public_url: str) -> str:
    """What to do where the request came over plain http from another machine; empty where it did not."""
    if request.url.scheme == "https" or request.url.hostname in HERE:
        return ""
    return (
        f"this page was asked for over `http://`. Open `{public_url}/setup`. If you did, the proxy in front "
        "of the service has to send `X-Forwarded-Proto`, and `TRUSTED_PROXIES` has to name it."
    )


def closed(why: str) -> Response:
    """What is said where the token and the credentials could be read on the way."""
    says = [f"An app is set up over https only, and {why}"]
    return notice("Nobody can set it up here", says, status=403, link="To the front page")


def _refused(says: str) -> Response:
    return notice(
        "The app wasn't stored",
        [says, "Nothing was stored."],
        status=400,
        href="/setup",
        link="Start again",
    )


async def _form(request: Request, public_url: str) -> Mapping[str, str] | None:
    """The fields of a form that was sent from a page of ours; None for any other."""
    origin = urlsplit(request.headers.get("origin", "")).netloc
    ours = {"", request.headers.get("host", ""), urlsplit(public_url).netloc}
    if request.headers.get("sec-fetch-site") in NOT_FROM_HERE or origin not in ours:
        return None
    try:
        raw = await form_of(request, LARGEST_FORM)
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=20))
    except (ValueError, TimeoutError, ClientDisconnect, NotFromUsError):
        return None


class Line(Protocol):
    """A line of `doctor`."""

    @property
    def mark(self) -> str:
        """`ok`, `note` or `wrong`."""
        ...

    @property
    def what(self) -> str:
        """What was looked at."""
        ...

    @property
    def says(self) -> str:
        """How it is."""
        ...


Examine = Callable[[], Iterable[Line]]
NOTE, WRONG = "note", "wrong"
COMING = ("installations", "ping", "deliveries")
"""What is not there yet right after an app was set up."""


class SetupDone:
    """/setup once there is an app: where GitHub leads to after an installation."""

    def __init__(self, passes: SetupPasses, around: Around, examine: Examine | None) -> None:
        self._passes, self._around, self._examine = passes, around, examine

    def routes(self) -> list[Route]:
        """All of them."""
        return [Route("/setup", self.done, methods=["GET"])]

    async def done(self, request: Request) -> Response:
        """What `doctor` says, to the browser that set it up; to others that there is an app."""
        lines: list[Line] = []
        if self._examine and await known(request, self._passes, self._around):
            lines = await run_in_threadpool(lambda: list(self._examine() if self._examine else ()))
        title = (
            "POC Governor is installed"
            if "installation_id" in request.query_params
            else "POC Governor has its app"
        )
        again = any(line.mark == WRONG or (line.mark == NOTE and line.what in COMING) for line in lines)
        headers = PRIVATE | ({"Refresh": "10"} if again else {})
        return page("setup_done.html", headers=headers, title=title, lines=lines, again=again)
