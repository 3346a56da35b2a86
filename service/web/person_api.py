"""GitHub asked with a person's own token: who they are, and which repositories they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from service.graphql import AT_ONCE, about, endpoint, is_unseen
from service.web.oauth import TIMEOUT, AwayError, RefusedError

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER_ERROR = 401, 403, 404, 429, 500
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class NoGraphQLError(Exception):
    """GitHub answers no GraphQL here."""


class PersonApi:
    """Raises `RefusedError` where the token is refused, `AwayError` where GitHub can't tell for now."""

    def __init__(self, api_url: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._url, self._transport = api_url, transport
        self._client: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()

    async def who(self, token: str) -> tuple[int, str]:
        """The account's id and its present login."""
        said = _found(await self._ask("GET", "/user", token))
        return int(said["id"]), str(said["login"])

    async def may_read(self, token: str, repository_id: int) -> bool:
        """Whether they see one repository, whatever it is called."""
        answer = await self._ask("GET", f"/repositories/{repository_id}", token)
        return answer.is_success

    async def visible(self, token: str, repositories: Sequence[tuple[int, str]]) -> set[int]:
        """Those of at most a hundred repositories that they see, in one call.

        They are asked for by name, and count where the name is that of the repository that we know.
        """
        query = about([(name, "databaseId") for _, name in repositories])
        answer = await self._ask("POST", endpoint(self._url), token, {"query": query})
        if answer.status_code == NOT_FOUND:
            raise NoGraphQLError
        said = _found(answer)
        if not isinstance(said.get("data"), dict) or not all(map(is_unseen, said.get("errors") or ())):
            raise AwayError(f"GraphQL: {str(said.get('errors'))[:200]}")
        ids = {name: found["databaseId"] for name, found in said["data"].items() if found}
        return {each[0] for at, each in enumerate(repositories) if ids.get(f"r{at}") == each[0]}

    async def listed(self, token: str) -> set[int]:
        """All repositories that they see through an installation, a hundred a call."""
        found: set[int] = set()
        for installation in await self._pages("/user/installations", "installations", token):
            path = f"/user/installations/{installation['id']}/repositories"
            found |= {int(each["id"]) for each in await self._pages(path, "repositories", token)}
        return found

    async def _pages(self, path: str, name: str, token: str) -> list[Any]:
        found: list[Any] = []
        number = 0
        while True:
            number += 1
            page = _found(await self._ask("GET", f"{path}?per_page={AT_ONCE}&page={number}", token))[name]
            found += page
            if len(page) < AT_ONCE:
                return found

    async def _ask(
        self, method: str, path: str, token: str, body: Mapping[str, object] | None = None
    ) -> httpx2.Response:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT, headers=HEADERS, transport=self._transport)
        url = path if path.startswith("http") else f"{self._url}{path}"
        bearer = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.request(method, url, headers=bearer, json=body)
        except httpx2.HTTPError as error:
            raise AwayError(f"GitHub doesn't answer: {str(error) or type(error).__name__}") from error
        if answer.status_code == UNAUTHORIZED:
            raise RefusedError("GitHub refuses the token")
        if _is_later(answer):
            raise AwayError(f"GitHub answers {answer.status_code}")
        return answer


def _is_later(answer: httpx2.Response) -> bool:
    """Whether GitHub wants to be asked later: a limit of calls, or trouble of its own."""
    if answer.status_code == FORBIDDEN:
        return answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status_code == TOO_MANY or answer.status_code >= SERVER_ERROR


def _found(answer: httpx2.Response) -> Any:  # noqa: ANN401 (JSON)
    try:
        return answer.raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        raise AwayError(f"GitHub answers {answer.status_code}") from error
