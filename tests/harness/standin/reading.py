"""An organisation whose base permission is `none`: a member reads the repositories that they were given.

The emulator lets every member read all, whatever `default_repository_permission` says.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.harness.standin.emulated import Emulated, emulated, refusal
from tests.harness.standin.oauth import acting, grants


async def sees(here: Emulated, path: str, token: str) -> Any:
    """A repository as somebody sees it; None where they don't."""
    found = await here.get(path, token)
    if not found or not found["private"] or found["owner"]["type"] != "Organization":
        return found
    org = found["owner"]["login"]
    if (await here.get(f"/orgs/{org}", token))["default_repository_permission"] != "none":
        return found
    person = (await here.get("/user", token))["login"]
    membership = await here.get(f"/orgs/{org}/memberships/{person}", token)
    given = [each["full_name"] async for each in here.listed("/user/repos", token)]
    return found if (membership or {}).get("role") == "admin" or found["full_name"] in given else None


async def repository(request: Request) -> Response:
    """One repository, for a person who logged in; for everybody else what the emulator says."""
    token = acting(request)
    theirs = token in grants(request).owners
    if theirs and await sees(emulated(request), request.url.path, token) is None:
        return refusal(404, "Not Found")
    return await emulated(request).forward(request, token=token)


ROUTES = [Route("/repositories/{id:int}", repository), Route("/repos/{owner}/{name}", repository)]
