"""What stands at the charter's path of many repositories, and what is made of answers that aren't whole."""

from __future__ import annotations

from typing import Any

import pytest

from service.github_client.app import App, InstallationClient
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.github import Installation, RepositoryRef
from tests.harness.github import charter_file, named
from tests.harness.graphql import asked_about
from tests.unit.github_client.server import GRANTED, TOKEN, Server

GRAPHQL = "POST /graphql"
HERE = [RepositoryRef(1, "acme/triage")]
ABSENT = CharterFile(FileKind.ABSENT)
TEXT = "# Ticket triage\n"
MANY = [RepositoryRef(number, f"acme/tool-{number}") for number in range(1, 251)]


def shown(shows: Any, repository_id: int = 1) -> dict[str, Any]:
    return {"data": {"r0": {"databaseId": repository_id, "object": shows}}}


def blob(text: str | None, raw: bytes | None = None) -> dict[str, Any]:
    data = (text or "").encode() if raw is None else raw
    return {"oid": named(data), "byteSize": len(data), "text": text}


def refused(kind: str, *path: str | int) -> dict[str, Any]:
    return {"errors": [{"type": kind, "path": list(path), "message": "no"}]}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param(shown(None), {1: ABSENT}, id="nothing, or an empty repository"),
        pytest.param(shown(blob(TEXT)), {1: charter_file(TEXT)}, id="a file"),
        pytest.param(shown(blob("")), {1: charter_file("")}, id="an empty file"),
        pytest.param(shown(blob("docs/POC.md")), {1: charter_file("docs/POC.md")}, id="a link's blob"),
        pytest.param(shown(blob(None, b"\0\1")), {}, id="a binary file"),
        pytest.param(shown(blob("\ufffd", b"\xe9")), {}, id="a file that isn't UTF-8"),
        pytest.param(shown(blob("# Trun") | {"oid": named(b"# Truncated")}), {}, id="a part of a file"),
        pytest.param(shown(blob("x" * 70_000)), {}, id="a large file"),
        pytest.param(shown({"oid": "a" * 40}), {}, id="a directory, or a submodule"),
        pytest.param(shown(None, 2), {}, id="another repository of that name"),
        pytest.param({"data": {"r0": None}} | refused("NOT_FOUND", "r0"), {}, id="it isn't shown"),
        pytest.param({"data": {"r0": None}}, {}, id="it isn't shown, and not why"),
        pytest.param(shown(None) | refused("FORBIDDEN", "r0", "object"), {}, id="its files aren't shown"),
        pytest.param(shown(None) | refused("RESOURCE_LIMITS_EXCEEDED"), {}, id="an error about nothing"),
        pytest.param({"errors": [{"type": "RATE_LIMITED"}]}, {}, id="the limit of GraphQL"),
        pytest.param({"data": None} | refused("undefinedField", "query", "r0"), {}, id="another schema"),
        pytest.param(shown("what"), {}, id="an object that is none"),
        pytest.param(b"<html>", {}, id="no JSON"),
        pytest.param([], {}, id="a list"),
    ],
)
def test_an_answer(
    server: Server, client: InstallationClient, said: Any, found: dict[int, CharterFile]
) -> None:
    server.on(GRAPHQL, 200, said)
    assert client.charter_files(HERE) == found


def test_a_hundred_are_asked_for_at_a_time(server: Server, client: InstallationClient) -> None:
    for of in (MANY[:100], MANY[100:200], MANY[200:]):
        data = {f"r{at}": {"databaseId": each.id, "object": None} for at, each in enumerate(of)}
        server.on(GRAPHQL, 200, {"data": data})
    assert client.charter_files(MANY) == {each.id: ABSENT for each in MANY}
    assert sizes(server) == [100, 100, 50]


@pytest.mark.parametrize("status", [502, 504])
def test_half_as_many_are_asked_for_where_it_takes_too_long(
    server: Server, client: InstallationClient, status: int
) -> None:
    server.on(GRAPHQL, status, {"message": "Something went wrong"})
    for of in (MANY[:50], MANY[50:100]):
        data = {f"r{at}": {"databaseId": each.id, "object": None} for at, each in enumerate(of)}
        server.on(GRAPHQL, 200, {"data": data})
    assert len(client.charter_files(MANY[:100])) == 100
    assert sizes(server) == [100, 50, 50]


def test_what_is_too_much_for_github_in_portions_too_is_left_out(
    server: Server, client: InstallationClient
) -> None:
    server.on(GRAPHQL, 502, {"message": "Something went wrong"})
    assert client.charter_files(MANY) == {}
    assert sizes(server) == [100, 50, 25]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param(401, {}, id="a permission that lacks"),
        pytest.param(403, {}, id="not for this app"),
        pytest.param(403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "9"}, id="no points left"),
        pytest.param(403, {"Retry_After": "60"}, id="too many at once"),
    ],
)
def test_a_refusal_leaves_all_out_and_says_nothing_of_the_token(
    server: Server, app: App, status: int, headers: dict[str, str]
) -> None:
    server.on(GRAPHQL, status, {"message": "no"}, **headers)
    for _ in range(2):
        assert app.installation(Installation(7, "acme", GRANTED)).charter_files(HERE) == {}
    assert [line for line, _, _ in server.requests if line == TOKEN] == [TOKEN]


def test_a_server_without_graphql_is_asked_once(server: Server, app: App) -> None:
    for _ in range(2):
        assert app.installation(Installation(7, "acme", GRANTED)).charter_files(HERE) == {}
    assert server.asked() == [GRAPHQL]


def test_a_name_is_quoted(server: Server, client: InstallationClient) -> None:
    client.charter_files([RepositoryRef(1, 'acme/x") { id } }')])
    [body] = server.bodies(GRAPHQL)
    assert r'name: "x\") { id } }"' in body["query"]


def sizes(server: Server) -> list[int]:
    return [len(asked_about(body["query"])) for body in server.bodies(GRAPHQL)]
