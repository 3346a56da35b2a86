"""What GitHub's answers to a person's questions mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import httpx2
import pytest

from service.web.oauth import AwayError, NoGraphQLError, PersonApi, RefusedError

API = "https://api.github.com"
BOTH = [(1, "acme/poc-triage"), (2, 'acme/poc-"quoted"')]


def api(answer: Callable[[httpx2.Request], httpx2.Response], url: str = API) -> PersonApi:
    return PersonApi(url, httpx2.MockTransport(answer))


def says(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> PersonApi:
    return api(lambda _: httpx2.Response(status, json=body, headers=headers))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("api_url", "graphql"),
    [
        (API, "https://api.github.com/graphql"),
        ("https://ghe.example.com/api/v3", "https://ghe.example.com/api/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
    ],
)
async def test_a_hundred_repositories_are_one_question(api_url: str, graphql: str) -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"data": {"r0": {"databaseId": 1}, "r1": {"databaseId": 2}}})

    assert await api(answer, api_url).visible("ghu_1", BOTH) == {1, 2}
    (request,) = asked
    assert str(request.url) == graphql
    assert request.headers["Authorization"] == "Bearer ghu_1"
    query = json.loads(request.content)["query"]
    assert query == (
        '{ r0: repository(owner: "acme", name: "poc-triage") { databaseId } '
        'r1: repository(owner: "acme", name: "poc-\\"quoted\\"") { databaseId } }'
    )


@pytest.mark.asyncio
async def test_what_is_not_shown_or_is_another_repository_is_not_visible() -> None:
    errors = [{"type": "NOT_FOUND", "path": ["r0"], "message": "Could not resolve"}]
    hidden = says(200, {"data": {"r0": None, "r1": {"databaseId": 77}}, "errors": errors})
    assert await hidden.visible("ghu_1", BOTH) == set()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        pytest.param(
            200, {"errors": [{"type": "RATE_LIMITED"}]}, {}, id="GraphQL's own limit comes with 200"
        ),
        pytest.param(
            200,
            {"data": {"r0": None}, "errors": [{"message": "Something went wrong", "path": ["r0"]}]},
            {},
            id="one of the answers failed",
        ),
        pytest.param(
            200, {"data": None, "errors": [{"type": "NOT_FOUND", "path": ["r0"]}]}, {}, id="no data"
        ),
        pytest.param(502, None, {}, id="GitHub has trouble"),
        pytest.param(429, None, {}, id="too many questions"),
        pytest.param(403, {}, {"x-ratelimit-remaining": "0"}, id="the limit of the hour"),
        pytest.param(403, {}, {"Retry-After": "60"}, id="the second limit"),
        pytest.param(403, {"message": "Forbidden"}, {}, id="not this, whoever asks"),
    ],
)
async def test_trouble_is_not_a_refusal(status: int, body: object, headers: dict[str, str]) -> None:
    with pytest.raises(AwayError):
        await says(status, body, headers).visible("ghu_1", BOTH)


@pytest.mark.asyncio
async def test_silence_is_not_a_refusal() -> None:
    def hang_up(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(AwayError, match="refused"):
        await api(hang_up).may_read("ghu_1", 1)


@pytest.mark.asyncio
async def test_a_token_that_is_refused_is_told_from_a_repository_that_is() -> None:
    with pytest.raises(RefusedError):
        await says(401).may_read("ghu_1", 1)
    for status in (403, 404, 451):
        assert not await says(status, {}).may_read("ghu_1", 1)
    assert await says(200, {}).may_read("ghu_1", 1)
    for limited in (says(403, {}, {"Retry-After": "60"}), says(429), says(500)):
        with pytest.raises(AwayError):
            await limited.may_read("ghu_1", 1)


@pytest.mark.asyncio
async def test_without_graphql_the_lists_of_installations_tell() -> None:
    with pytest.raises(NoGraphQLError):
        await says(404, {}).visible("ghu_1", BOTH)

    def answer(request: httpx2.Request) -> httpx2.Response:
        number = int(request.url.params["page"])
        if request.url.path == "/user/installations":
            return httpx2.Response(200, json={"installations": [{"id": 7}]})
        assert request.url.path == "/user/installations/7/repositories"
        ids = range(100 * (number - 1), min(100 * number, 250))
        return httpx2.Response(200, json={"repositories": [{"id": each} for each in ids]})

    assert await api(answer).listed("ghu_1") == set(range(250))
