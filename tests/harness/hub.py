"""GitHub as one person asks it what they see, within this process."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

import httpx2

from service.store.people import Person

ERIN = Person(5, "erin-x")
API = "https://api.github.com"
ASKED = re.compile(r'(r\d+): repository\(owner: "acme", name: "poc-(\d+)"\)')


class Hub:
    """GitHub as one person sees it; what it answers can be held back, or be trouble."""

    def __init__(self, repositories: int, *, latency: float = 0) -> None:
        self._repositories, self._latency = repositories, latency
        self.hidden: set[int] = set()
        self.calls: list[str] = []
        self.trouble = 0
        self.has_graphql = True
        self.hold: Callable[[int], bool] = lambda _number: False
        """Whether the question of that number is never answered."""

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(request.url.path)
        await asyncio.sleep(self._latency)
        if self.trouble:
            return httpx2.Response(self.trouble)
        if self.hold(self.calls.count("/graphql")) and request.url.path == "/graphql":
            await asyncio.Event().wait()
        if request.url.path == "/user":
            return httpx2.Response(200, json={"id": ERIN.id, "login": ERIN.login})
        if request.url.path == "/graphql":
            return self._graphql(json.loads(request.content)["query"])
        if request.url.path == "/user/installations":
            return httpx2.Response(200, json={"installations": [{"id": 7}]})
        if request.url.path.startswith("/user/installations/7/"):
            first = 100 * (int(request.url.params["page"]) - 1)
            ids = [each for each in range(self._repositories) if each not in self.hidden][first : first + 100]
            return httpx2.Response(200, json={"repositories": [{"id": each} for each in ids]})
        number = int(request.url.path.rpartition("/")[2])
        return httpx2.Response(404 if number in self.hidden else 200, json={})

    def _graphql(self, query: str) -> httpx2.Response:
        if not self.has_graphql:
            return httpx2.Response(404)
        found = {alias: int(number) for alias, number in ASKED.findall(query)}
        data = {
            alias: None if number in self.hidden else {"databaseId": number}
            for alias, number in found.items()
        }
        errors = [{"type": "NOT_FOUND", "path": [alias]} for alias, shown in data.items() if shown is None]
        return httpx2.Response(200, json={"data": data, "errors": errors})


class Nobody:
    async def installations_of(self, _login: str) -> set[int]:
        return set()
