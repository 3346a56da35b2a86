"""GET /badge/{owner}/{repo}.svg: where a POC stands, for a README; a private one's link is signed."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.config.secret_key import SecretKeys
from service.pages.words import badge_of
from service.store.portfolio import Portfolio, Standing
from service.web.html import environment, not_found

PURPOSE = "badge"
FRESH = {"Cache-Control": "public, max-age=300"}
"""GitHub's proxy for pictures asks again after that."""
ABOUT = "POC"
WIDTH_OF_A_CHARACTER, MARGIN = 6.6, 12
"""In 11 px Verdana, about; `textLength` makes it fit."""


@dataclass(frozen=True, slots=True)
class Badges:
    """Draws badges, and signs their addresses."""

    store: Portfolio
    public_url: str
    keys: SecretKeys

    @property
    def route(self) -> Route:
        """Where they are."""
        return Route("/badge/{owner}/{repo}.svg", self.badge)

    async def badge(self, request: Request) -> Response:
        """The picture; 404 where there is no POC, or it is private and the link is not signed."""
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        found = await run_in_threadpool(self.store.standing, name) if "\0" not in name else None
        if found is None or not (found.public or self._signed(found, request.query_params.get("key", ""))):
            return not_found()
        return Response(_drawn(found), media_type="image/svg+xml", headers=FRESH)

    def markdown(self, full_name: str, repository_id: int) -> str:
        """The line for a README; its link is signed, so that it also works in a private repository."""
        key = self.keys.sealed(PURPOSE, str(repository_id))
        picture = f"{self.public_url}/badge/{full_name}.svg?key={key}"
        return f"[![{ABOUT}]({picture})]({self.public_url}/pocs/{full_name})"

    def _signed(self, found: Standing, key: str) -> bool:
        return self.keys.is_sealed(PURPOSE, str(found.repository_id), key)


def _drawn(found: Standing) -> str:
    says, colour = badge_of(found)
    return (
        environment()
        .get_template("pages/badge.svg")
        .render(
            about=ABOUT,
            says=says,
            colour=colour,
            left=_width(ABOUT),
            right=_width(says),
        )
    )


def _width(text: str) -> int:
    return round(len(text) * WIDTH_OF_A_CHARACTER) + MARGIN
