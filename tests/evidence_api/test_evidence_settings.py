"""Whose tokens count, by the address of GitHub, and which evidence ships."""

from __future__ import annotations

import pytest

from service.config.settings import SettingsError, load
from service.rules.evidence.claims import Reason
from service.rules.values.groups import Level
from service.web.evidence import PROBLEMS
from tests.harness.settings import NEEDED


@pytest.mark.parametrize(
    ("changes", "issuer"),
    [
        ({}, "https://token.actions.githubusercontent.com"),
        ({"GITHUB_URL": "https://github.com/"}, "https://token.actions.githubusercontent.com"),
        ({"GITHUB_URL": "https://acme.ghe.com"}, "https://token.actions.acme.ghe.com"),
        ({"GITHUB_URL": "https://git.acme.example"}, "https://git.acme.example/_services/token"),
        ({"GITHUB_URL": "https://notghe.com"}, "https://notghe.com/_services/token"),
        ({"OIDC_ISSUER": "https://token.actions.githubusercontent.com/acme/"},
         "https://token.actions.githubusercontent.com/acme"),
    ],
    ids=["github.com", "with a slash", "data residency", "a server", "another name", "an enterprise's own"],
)  # fmt: skip
def test_the_issuer_is_that_of_github(changes: dict[str, str], issuer: str) -> None:
    assert load(NEEDED | changes).actions_issuer == issuer


def test_an_issuer_that_is_no_address_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        load(NEEDED | {"OIDC_ISSUER": "github"})
    [problem] = caught.value.problems
    assert problem.startswith("OIDC_ISSUER: `github` isn't an address")


def test_the_level_that_ships() -> None:
    assert load(NEEDED).evidence_level is Level.SELF_REPORTED
    assert load(NEEDED | {"EVIDENCE_LEVEL": "measured"}).evidence_level is Level.MEASURED
    with pytest.raises(SettingsError) as caught:
        load(NEEDED | {"EVIDENCE_LEVEL": "guessed"})
    assert caught.value.problems[0].startswith("EVIDENCE_LEVEL: ")


def test_every_reason_has_an_answer() -> None:
    assert {str(reason) for reason in Reason} <= set(PROBLEMS)
