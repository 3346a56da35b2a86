"""The manifest that GitHub registers the app from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.packaged import app_manifest
from service.rules.setup.manifest import (
    LONGEST_NAME,
    NEWER,
    Registration,
    Version,
    api_of,
    default_name,
    form_address,
    left_out,
    manifest,
    server_version,
)

URL = "https://governor.example.com"


def test_it_says_where_the_service_is_and_where_github_leads_to() -> None:
    made = manifest(app_manifest(), Registration("acme", URL, "http://localhost:5/registered"))
    assert made | {"default_permissions": {}, "default_events": []} == {
        "name": "POC Governor acme",
        "url": URL,
        "description": "Takes AI proofs of concept from demo to production.",
        "public": False,
        "hook_attributes": {"url": f"{URL}/webhooks/github", "active": True},
        "redirect_url": "http://localhost:5/registered",
        "callback_urls": [f"{URL}/login/callback"],
        "setup_url": f"{URL}/setup",
        "default_permissions": {},
        "default_events": [],
    }
    assert made["default_permissions"] == app_manifest()["default_permissions"]
    assert made["default_events"] == app_manifest()["default_events"]


def test_nobody_is_asked_to_log_in_while_installing() -> None:
    assert "request_oauth_on_install" not in manifest(app_manifest(), Registration("acme", URL))


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        pytest.param(None, (), id="github.com"),
        pytest.param((3, 20), (), id="a new server"),
        pytest.param((3, 13), (), id="the first that knows all"),
        pytest.param(
            (3, 12), ("organization_custom_properties", "custom_property_values"), id="without properties"
        ),
        pytest.param((3, 9), tuple(sorted(NEWER)), id="an old server"),
    ],
)
def test_what_a_server_does_not_know_is_left_out(version: Version | None, missing: tuple[str, ...]) -> None:
    made = manifest(app_manifest(), Registration("acme", URL, server=version))
    assert sorted(left_out(app_manifest(), version)) == sorted(missing)
    assert not {*made["default_permissions"], *made["default_events"]} & set(missing)
    assert len(made["default_events"]) + len(made["default_permissions"]) + len(missing) == len(
        [*app_manifest()["default_permissions"], *app_manifest()["default_events"]]
    )


def test_what_may_be_left_out_is_in_the_manifest() -> None:
    known = {*app_manifest()["default_permissions"], *app_manifest()["default_events"]}
    assert set(NEWER) <= known


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=39))
def test_a_name_is_as_long_as_github_allows(org: str) -> None:
    name = default_name(org)
    assert 0 < len(name) <= LONGEST_NAME
    assert name == name.strip()


@pytest.mark.parametrize(
    ("github", "api"),
    [
        pytest.param("https://github.com", "https://api.github.com", id="github.com"),
        pytest.param("https://acme.ghe.com", "https://api.acme.ghe.com", id="an enterprise's own"),
        pytest.param("https://git.acme.dev", "https://git.acme.dev/api/v3", id="a server"),
        pytest.param("https://git.acme.dev:8443", "https://git.acme.dev:8443/api/v3", id="with a port"),
        pytest.param("https://evilghe.com", "https://evilghe.com/api/v3", id="another name that ends so"),
    ],
)
def test_the_api_that_belongs_to_the_pages(github: str, api: str) -> None:
    assert api_of(github) == api


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("3.12.4", (3, 12), id="three numbers"),
        pytest.param("3.9", (3, 9), id="two numbers"),
        pytest.param("", None, id="nothing"),
        pytest.param("latest", None, id="a word"),
        pytest.param("3.x", None, id="half a number"),
    ],
)
def test_the_version_of_a_server(text: str, version: Version | None) -> None:
    assert server_version(text) == version


def test_the_form_goes_to_the_organisation_with_the_state() -> None:
    expected = "https://github.com/organizations/acme/settings/apps/new?state=a%26b"
    assert form_address("https://github.com", "acme", "a&b") == expected
