"""Where a person finds the app installed: `/user/installations` and the repositories in one."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.harness.standin.emulated import Emulated, emulated, paged, refusal
from tests.harness.standin.oauth import acting

SIMPLE_USER = {
    "gravatar_id": "",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
}
"""What an account has in an installation, and the emulator does not say of an organisation."""


async def installations(request: Request) -> Response:
    """Those that a person has explicit access to: as a member, or by a repository."""
    token = acting(request)
    if not token:
        return refusal(401, "Requires authentication")
    here = emulated(request)
    found = []
    async for each in here.listed("/app/installations", here.as_app()):
        account = each["account"]["login"]
        if await _is_member(here, account, token) or await _repositories(here, account, token):
            found.append(await _described(here, each, token))
    return paged(request, "installations", found)


async def repositories(request: Request) -> Response:
    """The repositories of one installation that a person has explicit access to."""
    token = acting(request)
    if not token:
        return refusal(401, "Requires authentication")
    here = emulated(request)
    known = await here.get(f"/app/installations/{request.path_params['installation']}", here.as_app())
    if known is None:
        return refusal(404, "Not Found")
    found = await _repositories(here, known["account"]["login"], token)
    return paged(request, "repositories", found, repository_selection=known["repository_selection"])


async def _is_member(here: Emulated, account: str, token: str) -> bool:
    person = (await here.get("/user", token))["login"]
    return await here.get(f"/orgs/{account}/memberships/{person}", token) is not None


async def _repositories(here: Emulated, account: str, token: str) -> list[Any]:
    """All of an account for its members; for others those that they collaborate on."""
    path, query = "/user/repos", {}
    if await _is_member(here, account, token):
        path, query = "/search/repositories", {"q": f"org:{account}"}
    found = [each async for each in here.listed(path, token, **query) if each["owner"]["login"] == account]
    whole = [each | {"owner": _whole(here, each["owner"])} for each in found]
    return sorted(whole, key=itemgetter("id"))


async def _described(here: Emulated, installation: dict[str, Any], token: str) -> dict[str, Any]:
    login = installation["account"]["login"]
    account = await here.get(f"/orgs/{login}", token) or await here.get(f"/users/{login}", token)
    return installation | {"account": _whole(here, account), "target_id": account["id"]}


def _whole(here: Emulated, account: dict[str, Any]) -> dict[str, Any]:
    page = f"{here.url}/users/{account['login']}"
    more = {name: f"{page}{end}" if name.endswith("_url") else end for name, end in SIMPLE_USER.items()}
    return more | account


ROUTES = [
    Route("/user/installations", installations),
    Route("/user/installations/{installation:int}/repositories", repositories),
]
