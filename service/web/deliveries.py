"""/deliveries: what came in from GitHub, for the owners of an organisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.pages.asked import number
from service.pages.deliveries import own, read_deliveries
from service.ports import GitHubApp, GitHubError
from service.store.deliveries import LAST_ID, Deliveries
from service.web.html import PRIVATE, notice, page
from service.web.oauth import AwayError, LoggedOutError
from service.web.pages import telling
from service.web.readers import Owners
from service.web.sessions import Access, CannotTellError, Cookies, Visitor, sent_by
from service.web.visibility import Visibility

PATH = "/deliveries"
KEPT = timedelta(days=3)
"""How long GitHub keeps a delivery."""
MOST_ATTEMPTS = 500
"""The newest, in five calls: after a long outage there may be any number."""
BACK = {"href": PATH, "link": "To the deliveries"}


@dataclass(frozen=True, slots=True)
class DeliveryPages:
    """The routes."""

    store: Deliveries
    access: Access
    visibility: Visibility
    owners: Owners
    app: Callable[[], GitHubApp]
    cookies: Cookies

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route(PATH, telling(self.show)),
            Route(f"{PATH}/{{delivery}}/look", telling(self.look_again), methods=["POST"]),
            Route(f"{PATH}/missed/{{attempt}}/again", telling(self.ask_again), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """What came in, what followed, and what GitHub could not hand over."""
        visitor = await self.access.person(request)
        if visitor is None or not visitor.csrf:
            return RedirectResponse(f"/login?to={PATH}", 303, headers=PRIVATE)
        asked = request.query_params.get("before", "")
        before = number(asked, LAST_ID)
        if asked and before is None:
            says = ["`before` has to be the number of a delivery."]
            return notice("This address asks for something that doesn't exist", says, status=400, **BACK)
        accounts = await self._owned(visitor)
        if not accounts:
            return for_owners()
        view = await run_in_threadpool(
            self._read,
            accounts,
            before,
            request.query_params.get("show") == "failed",
        )
        return page("deliveries.html", view=view, visitor=visitor)

    async def look_again(self, request: Request) -> Response:
        """Reconcile what a delivery is about, whatever came of it before."""
        accounts = await self._writing(request)
        delivery = number(request.path_params["delivery"], LAST_ID)
        if delivery is None or not await run_in_threadpool(self.store.look_again, delivery, accounts):
            return for_owners()
        says = ["We'll check what the delivery is about again, in its turn. That takes seconds."]
        return notice("Marked", says, status=200, **BACK)

    async def ask_again(self, request: Request) -> Response:
        """Let GitHub send once more what it could not hand over."""
        accounts = await self._writing(request)
        attempt = number(request.path_params["attempt"], LAST_ID)
        try:
            if attempt is None or not await run_in_threadpool(self._redelivered, attempt, accounts):
                return for_owners()
        except GitHubError as error:
            says = [f"GitHub won't send it again: {error.failure.message}."]
            return notice("Not asked", says, status=502, **BACK)
        return notice(
            "Asked", ["GitHub sends it again. It shows up here once it arrives."], status=200, **BACK
        )

    def _read(self, accounts: Mapping[int, str], before: int | None, failed_only: bool) -> object:
        try:
            attempts = list(islice(self.app().failed_deliveries(datetime.now(UTC) - KEPT), MOST_ATTEMPTS))
        except GitHubError:
            attempts = None
        return read_deliveries(self.store, accounts, attempts, before=before, failed_only=failed_only)

    def _redelivered(self, attempt: int, accounts: Mapping[int, str]) -> bool:
        """Only what is theirs: the number in the address may be anybody's."""
        failed = islice(self.app().failed_deliveries(datetime.now(UTC) - KEPT), MOST_ATTEMPTS)
        if attempt not in {each.id for each in own(failed, accounts)}:
            return False
        self.app().redeliver(attempt)
        return True

    async def _writing(self, request: Request) -> Mapping[int, str]:
        """The accounts of whoever sends a form of ours."""
        visitor, _ = await sent_by(request, self.access, self.cookies)
        return await self._owned(visitor)

    async def _owned(self, visitor: Visitor) -> Mapping[int, str]:
        """The accounts that somebody owns, by the login that they have now."""
        try:
            login = await self.visibility.login_of(visitor.id)
        except LoggedOutError:
            return {}
        except AwayError as error:
            raise CannotTellError from error
        return await self.owners.accounts_of(visitor.id, login)


def for_owners() -> Response:
    """What everybody else is told."""
    says = ["Only owners of an organisation that has the app installed see deliveries."]
    return notice("Deliveries are for owners", says, status=404)
