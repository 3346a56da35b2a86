"""The pages for people: the portfolio, one POC, and the front page of who is not logged in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from urllib.parse import quote
from zoneinfo import ZoneInfo, available_timezones

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from service.packaged import packaged
from service.pages.asked import AskedError, asked_of
from service.pages.poc import PocView, poc_view
from service.pages.portfolio import PortfolioView, read_portfolio
from service.pages.record import in_json, in_markdown, record_of
from service.store.portfolio import NamedPoc, Portfolio
from service.web.badge import Badges
from service.web.data import poc_document, portfolio_csv, portfolio_document
from service.web.docs import docs_routes
from service.web.html import NOT_FOUND, PRIVATE, no_page, not_found, notice, page
from service.web.sessions import Access, CannotTellError, NotFromUsError, Visitor

STATIC = {"pages.css": "text/css", "icon.svg": "image/svg+xml"}
NOT_FROM_US = (
    "The form is from another session, or not from this service. Load the page again, and send it again."
)
CANNOT_TELL = (
    "GitHub doesn't say at the moment what you may see, so we show nothing.",
    "Try again in a minute.",
)
LOG_IN = "Log in at /login, or send a valid personal token as `Authorization: Bearer TOKEN`."
FAILED = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "60"}}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the pages say of the service itself."""

    web_url: str
    observe: bool | None
    evidence_level: str
    clock: Callable[[], datetime]


class Pages:
    """The routes."""

    def __init__(self, store: Portfolio, access: Access, shown: Shown, badges: Badges | None = None) -> None:
        self._store, self._access, self._shown, self._badges = store, access, shown, badges

    def routes(self) -> list[Route]:
        """All of them."""
        shown: list[Route] = [
            Route("/", telling(self.portfolio)),
            Route("/portfolio.csv", self.as_csv),
            Route("/portfolio.json", self.as_json),
            Route("/api/v1/pocs", self.as_json),
            Route("/api/v1/pocs/{owner}/{repo}", self.poc_as_json),
            Route("/pocs/{owner}/{repo}", telling(self.poc)),
            Route("/pocs/{owner}/{repo}/record.{form}", telling(self.record)),
            *docs_routes(),
            Route("/static/{name}", static),
        ]
        shown += [Route("/login", self.no_login)] if self._access.off else []
        return shown + ([self._badges.route] if self._badges else [])

    async def no_login(self, request: Request) -> Response:
        """Why nobody logs in here; where nobody has to, the portfolio."""
        if await self._access.visitor(request):
            return RedirectResponse("/", 303)
        return notice("Nobody can log in", [f"The pages are off: {self._access.off}"], status=403)

    async def portfolio(self, request: Request) -> Response:
        """The portfolio; the front page where nobody is logged in."""
        visitor = await self._access.visitor(request)
        if visitor is None:
            return page("front.html", why=self._access.off, to=_here(request))
        return keep(request, page("portfolio.html", view=await self._read(request, visitor), visitor=visitor))

    async def poc(self, request: Request) -> Response:
        """One POC; 404 with nothing in the page where it is none, or they may not see it."""
        visitor = await self._access.person(request)
        if visitor is None:
            return self._nobody(request)
        view = await self._one(request, visitor)
        if view is None:
            return not_found()
        badge = self._badges.markdown(view.full_name, view.repository_id) if self._badges else ""
        return keep(request, page("poc.html", view=view, visitor=visitor, badge=badge))

    async def _one(self, request: Request, visitor: Visitor) -> PocView | None:
        named = await self._readable(request, visitor)
        stored = await run_in_threadpool(self._store.one, *named) if named else None
        if stored is None:
            return None
        shown = self._shown
        # Each charter is judged: too long for the loop that receives deliveries.
        return await run_in_threadpool(
            poc_view,
            stored,
            shown.clock(),
            web_url=shown.web_url,
            observe=shown.observe,
            level=shown.evidence_level,
            zone=zone_of(request),
        )

    async def record(self, request: Request) -> Response:
        """All that was recorded of one POC, for audits; 404 as for its page."""
        form, visitor = request.path_params["form"], await self._access.person(request)
        if visitor is None:
            return self._nobody(request)
        named = await self._readable(request, visitor)
        if named is None or form not in ("md", "json"):
            return not_found()
        stored = await run_in_threadpool(self._store.record, named.poc_id)
        record = await run_in_threadpool(record_of, stored, self._shown.clock())
        if form == "json":
            return Response(in_json(record), media_type="application/json", headers=PRIVATE)
        return Response(in_markdown(record), media_type="text/markdown", headers=PRIVATE)

    def _nobody(self, request: Request) -> Response:
        """The same whatever the name: who is not logged in learns nothing of it."""
        return not_found() if self._access.off else RedirectResponse(f"/login?to={_here(request)}", 303)

    async def _readable(self, request: Request, visitor: Visitor) -> NamedPoc | None:
        """The POC that the address names, and its repository; None where this visitor may not see it."""
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        if "\0" in name:
            return None
        named = await run_in_threadpool(self._store.named, name)
        return named if named and await self._access.may_read(visitor, named.repository_id) else None

    async def as_json(self, request: Request) -> Response:
        """The rows of the same view."""
        return await self._listed(
            request, lambda view: JSONResponse(portfolio_document(view), headers=PRIVATE)
        )

    async def as_csv(self, request: Request) -> Response:
        """The same for a spreadsheet."""
        return await self._listed(request, portfolio_csv)

    async def poc_as_json(self, request: Request) -> Response:
        """One POC as its page shows it; 404 as there."""

        async def answer(visitor: Visitor) -> Response:
            view = await self._one(request, visitor)
            return (
                JSONResponse(poc_document(view), headers=PRIVATE)
                if view
                else failed(404, " ".join(NOT_FOUND))
            )

        return await self._data(request, self._access.person, answer)

    async def _listed(self, request: Request, answer: Callable[[PortfolioView], Response]) -> Response:
        async def listed(visitor: Visitor) -> Response:
            return answer(await self._read(request, visitor))

        return await self._data(request, self._access.visitor, listed)

    async def _data(
        self,
        request: Request,
        who: Callable[[Request], Awaitable[Visitor | None]],
        answer: Callable[[Visitor], Awaitable[Response]],
    ) -> Response:
        """An answer for machines, whose errors are JSON."""
        try:
            visitor = await who(request)
            if visitor is not None:
                return await answer(visitor)
        except AskedError as error:
            return failed(400, str(error))
        except CannotTellError:
            return failed(503, " ".join(CANNOT_TELL))
        off = self._access.off
        return failed(401, f"the pages are off: {off}" if off else LOG_IN)

    async def _read(self, request: Request, visitor: Visitor) -> PortfolioView:
        return await run_in_threadpool(
            read_portfolio,
            self._store,
            asked_of(request.query_params),
            self._shown.clock(),
            visible=visitor.visible,
            rows_only=visitor.rows_only,
            zone=zone_of(request),
        )


def failed(status: int, says: str) -> Response:
    """What a machine is told that gets nothing."""
    return JSONResponse({"error": says}, status, headers=PRIVATE | FAILED.get(status, {}))


Answer = Callable[[Request], Awaitable[Response]]


def telling(answer: Answer) -> Answer:
    """The same, with a page where the address is wrong, a form isn't ours, or GitHub can't tell for now."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except AskedError as error:
            return notice("This address asks for something that doesn't exist", [str(error)], status=400)
        except NotFromUsError:
            return notice("Nothing was changed", [NOT_FROM_US], status=403)
        except CannotTellError:
            return notice(
                "GitHub doesn't answer", CANNOT_TELL, status=503, href="", link="Load this page again"
            )

    return answered


def _here(request: Request) -> str:
    """The address that was asked for, to come back to."""
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(f"{request.url.path}{query}")


def static(request: Request) -> Response:
    """The style and the icon, which are files of ours."""
    name = request.path_params["name"]
    if name not in STATIC:
        return no_page()
    file = packaged("templates") / "pages" / name
    return FileResponse(file, media_type=STATIC[name], headers={"Cache-Control": "public, max-age=300"})


NAME = "tz"
A_YEAR = 365 * 24 * 3600


@cache
def zones() -> set[str]:
    """All that are known here; they are read from many files."""
    return available_timezones()


def zone_of(request: Request) -> ZoneInfo | None:
    """The zone that was asked for, now or before; None for the organisation's. Raises `AskedError`."""
    asked = request.query_params.get(NAME)
    if asked is not None and asked and asked not in zones():
        raise AskedError(
            "`tz` is a time zone such as `Europe/Berlin` or `UTC`; empty, it is the organisation's."
        )
    wanted = request.cookies.get(NAME, "") if asked is None else asked
    return ZoneInfo(wanted) if wanted in zones() else None


def keep(request: Request, answer: Response) -> Response:
    """The answer, with what was asked for in its cookie."""
    asked = request.query_params.get(NAME)
    if asked is not None:
        age, secure = A_YEAR if asked else 0, request.url.scheme == "https"
        answer.set_cookie(NAME, asked, max_age=age, secure=secure, httponly=True, samesite="lax")
    return answer
