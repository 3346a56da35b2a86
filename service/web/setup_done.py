"""/setup once there is an app: what whoever set it up sees when GitHub leads them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.store.app_credentials import SetupPasses
from service.web.html import PRIVATE, page
from service.web.setup import Around, known


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
