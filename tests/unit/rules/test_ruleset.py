"""The ruleset to import: what it demands, of which repositories, and what it says that it can't."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.rules.policy.model import NO_POLICY, Policy, Selector
from service.rules.policy.recognition import poc_reason
from service.rules.setup.ruleset import By, Covered, NoRulesetError, Team, ruleset
from service.rules.values.github import Installation, Repository
from tests.harness.github import NOW, repository
from tests.harness.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden" / "ruleset.json"
GRANTED = {"checks": "write", "pull_requests": "read", "statuses": "write"}
BY_NAME, BY_TOPIC, WEBSITE, FORK = (
    repository(1, "acme/poc-triage"),
    repository(2, "acme/search", topics=["poc"]),
    repository(3, "acme/website"),
    repository(4, "acme/poc-fork", fork=True),
)
STAGED = replace(repository(5, "acme/shop"), properties={"stage": ("poc",)})
PROPERTY = Policy(select=Selector(properties={"stage": frozenset({"poc", "pilot"})}))
TOPIC = Policy(select=Selector(frozenset({"poc"})))


def org(
    *repositories: Repository, policy: Policy = NO_POLICY, covers_all: bool = True, **changes: Any
) -> Covered:
    installation = Installation(7, "acme", changes.pop("permissions", GRANTED), **changes)
    pocs = tuple(each for each in repositories if poc_reason(each, declares_charter=False, policy=policy))
    return Covered(4711, installation, covers_all, policy, repositories, pocs)


def target(covered: Covered, by: By | None = None) -> dict[str, Any]:
    conditions = dict(ruleset(covered, by=by).document["conditions"])
    assert conditions.pop("ref_name") == {"include": ["~DEFAULT_BRANCH"], "exclude": []}
    return conditions


@pytest.mark.parametrize(
    ("covered", "by", "expected"),
    [
        pytest.param(
            org(STAGED, policy=PROPERTY),
            None,
            {
                "repository_property": {
                    "include": [{"name": "stage", "source": "custom", "property_values": ["pilot", "poc"]}],
                    "exclude": [],
                }
            },
            id="a property that the policy selects",
        ),
        pytest.param(
            org(BY_NAME),
            None,
            {"repository_name": {"include": ["poc-*", "*-poc"], "exclude": [], "protected": False}},
            id="the usual names",
        ),
        pytest.param(
            org(BY_TOPIC, policy=TOPIC), None, {"repository_id": {"repository_ids": [2]}}, id="topics only"
        ),
        pytest.param(
            org(BY_NAME, BY_TOPIC, WEBSITE),
            By.IDS,
            {"repository_id": {"repository_ids": [1, 2]}},
            id="ids where they are asked for",
        ),
        pytest.param(
            org(BY_NAME, covers_all=False),
            None,
            {"repository_id": {"repository_ids": [1]}},
            id="on selected repositories",
        ),
    ],
)
def test_which_repositories(covered: Covered, by: By | None, expected: dict[str, Any]) -> None:
    assert target(covered, by) == expected


@pytest.mark.parametrize(
    ("covered", "by", "says"),
    [
        pytest.param(org(WEBSITE, policy=TOPIC), None, "there is no POC in acme", id="no POC"),
        pytest.param(
            org(BY_NAME, permissions={"checks": "read", "pull_requests": "read"}),
            None,
            "acme has not granted `checks: write`",
            id="no check run could be written",
        ),
        pytest.param(
            org(BY_NAME, permissions={}),
            None,
            "`checks: write` and `pull_requests: read`",
            id="nothing granted",
        ),
        pytest.param(org(BY_NAME, suspended_at=NOW), None, "suspended on acme", id="suspended"),
        pytest.param(
            org(BY_NAME, covers_all=False),
            By.NAME,
            "would wait for its check run forever",
            id="names it can't see",
        ),
        pytest.param(org(BY_NAME), By.PROPERTY, "the policy selects nothing by property", id="no property"),
    ],
)
def test_it_never_demands_what_the_app_does_not_post(covered: Covered, by: By | None, says: str) -> None:
    with pytest.raises(NoRulesetError, match=says):
        ruleset(covered, by=by)


@pytest.mark.parametrize(
    ("covered", "says"),
    [
        pytest.param(org(BY_NAME, BY_TOPIC), "It doesn't cover acme/search: a topic", id="a topic"),
        pytest.param(
            org(BY_NAME, FORK), "acme/poc-fork aren't POCs: their pull requests", id="a fork by name"
        ),
        pytest.param(org(BY_NAME, BY_TOPIC), "It covers 1 repository today, by the names", id="how many"),
        pytest.param(org(BY_TOPIC, policy=TOPIC), "It doesn't cover future POCs", id="a list"),
        pytest.param(org(BY_NAME), "name a reviewing team", id="no team"),
        pytest.param(
            org(BY_NAME, permissions=GRANTED | {"statuses": ""}),
            "`statuses: write` isn't granted",
            id="no statuses",
        ),
    ],
)
def test_it_says_what_it_can_not_do(covered: Covered, says: str) -> None:
    assert any(says in note for note in ruleset(covered).notes)


def test_names_are_shown_as_far_as_anybody_reads() -> None:
    many = [repository(number, f"acme/r{number}", topics=["poc"]) for number in range(10, 40)]
    notes = ruleset(org(BY_NAME, *many)).notes
    assert any("acme/r19 and 20 more: a topic" in note for note in notes)


def test_the_whole_document() -> None:
    made = ruleset(org(BY_NAME), team=Team(99, "poc-owners"))
    assert_golden(GOLDEN, json.dumps(made.document, indent=2) + "\n")
    assert any("needs an approval by poc-owners" in note for note in made.notes)


def types(made: Sequence[dict[str, Any]]) -> list[str]:
    return [rule["type"] for rule in made]


def test_without_a_team_nobody_has_to_review() -> None:
    assert types(ruleset(org(BY_NAME)).document["rules"]) == ["required_status_checks"]


def test_it_may_only_report() -> None:
    assert ruleset(org(BY_NAME), evaluate=True).document["enforcement"] == "evaluate"
