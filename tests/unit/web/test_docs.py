"""The documents as the service shows them: the list, the search, the pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from service.web.docs import INDEX, MOST, docs_routes, files, find, pictures, rendered


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=[*docs_routes()]))


def test_the_list_names_each_document_for_some_reader(client: TestClient) -> None:
    shown = client.get("/docs").text
    assert {name for name in files().keys() - {INDEX} if f'href="/docs/{name}"' not in shown} == set()


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("waivers", "/docs/shipping#waivers"),
        ("WAIVERS", "/docs/shipping#waivers"),
        ("ship-date", "/docs/charter#ship-date"),
        ("how many connections", "#how-many-connections"),
        ("poc snooze 60 days", "/docs/commands#snooze"),
        ("How do I restore a backup?", "/docs/backup#restore-a-backup"),
        ("why is my check red", "/docs/first-poc#your-first-poc-from-a-red-check-to-production"),
    ],
)
def test_a_section_is_found_by_its_words(query: str, first: str) -> None:
    assert find(query)[0].section.href.endswith(first)


def test_every_word_has_to_be_there() -> None:
    assert find("waivers") != []
    assert find("waivers zeppelin") == []


@pytest.mark.parametrize("query", ["", "   "])
def test_an_empty_query_leads_to_the_list(client: TestClient, query: str) -> None:
    assert "<h1 id=" in client.get("/docs", params={"q": query}).text


def test_an_answer_is_not_endless() -> None:
    assert len(find("the")) == MOST


@pytest.mark.parametrize(
    "query", ["<script>alert(1)</script>", '"><b>', "a" * 10_000, "\0", "(((", "é" * 300]
)
def test_a_query_is_only_text(client: TestClient, query: str) -> None:
    answer = client.get("/docs", params={"q": query})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert '"><b>' not in answer.text


def test_nothing_found_says_so(client: TestClient) -> None:
    assert "Nothing about “zeppelin”" in client.get("/docs", params={"q": "zeppelin"}).text


@pytest.mark.parametrize("file", files().values(), ids=lambda file: file.stem)
def test_a_document_is_shown_with_what_it_leads_to(client: TestClient, file: Path) -> None:
    """Each link to another document, to a heading and to a picture leads somewhere."""
    _, body = rendered(file)
    assert "&lt;!--" not in body
    for name, heading in re.findall(r'href="/docs/([\w-]+)(?:#([^"]+))?"', body):
        assert not heading or f'id="{heading}"' in rendered(files()[name])[1], f"{name}#{heading}"
    for heading in re.findall(r'href="#([^"]+)"', body):
        assert f'id="{heading}"' in body, heading
    for source in re.findall(r'<img src="([^"]+)"', body):
        assert source.removeprefix("images/") in pictures()
        assert client.get(f"/docs/{source}").headers["content-type"] == "image/png"


@pytest.mark.parametrize("path", ["/docs/none", "/docs/images/none.png", "/docs/images/..%2Fcharter.md"])
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
