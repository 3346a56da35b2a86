"""The ruleset that makes GitHub require our check run: as JSON to import, with what it can't do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from service.rules.policy.model import Policy
from service.rules.policy.recognition import exclusion, found_property, matches
from service.rules.source.text import CHARTER_PATH, listed
from service.rules.values.actions import CHARTER_CHECK
from service.rules.values.github import Installation, Repository

MOST_NAMED = 10
POSTING = {"checks": "write", "pull_requests": "read"}
"""What the app needs to post the check run on every pull request."""


class By(StrEnum):
    """How a ruleset says which repositories it holds for."""

    PROPERTY = "property"
    NAME = "name"
    IDS = "ids"


class NoRulesetError(Exception):
    """A ruleset would demand what the app doesn't post; the message says what to do first."""


@dataclass(frozen=True, slots=True)
class Team:
    """Who has to approve changes of a charter."""

    id: int
    slug: str


@dataclass(frozen=True, slots=True)
class Covered:
    """An organisation as the app sees it."""

    app_id: int
    installation: Installation
    covers_all: bool
    """Whether the app is installed on all repositories, also those to come."""
    policy: Policy
    repositories: tuple[Repository, ...]
    pocs: tuple[Repository, ...]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The JSON document, and what its reader has to know."""

    document: Mapping[str, Any]
    notes: tuple[str, ...]


def ruleset(
    org: Covered, *, team: Team | None = None, by: By | None = None, evaluate: bool = False
) -> Ruleset:
    """A ruleset for the default branches of the POCs; raises `NoRulesetError` where it would only block."""
    _refuse_what_is_not_posted(org.installation)
    chosen = _chosen(org, by)
    covered = tuple(each for each in org.repositories if _is_targeted(org, chosen, each))
    document = {
        "name": "POC Governor",
        "target": "branch",
        "enforcement": "evaluate" if evaluate else "active",
        "bypass_actors": [],
        "conditions": {
            "ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []},
            **_target(org, chosen),
        },
        "rules": [_required(org.app_id), *([_review(team)] if team else [])],
    }
    return Ruleset(document, tuple(_notes(org, chosen, covered, team)))


def _refuse_what_is_not_posted(installation: Installation) -> None:
    if installation.suspended_at is not None:
        raise NoRulesetError(f"the app is suspended on {installation.account}: it would post no check run")
    enough = {"read": ("read", "write", "admin"), "write": ("write", "admin")}
    missing = [
        f"`{name}: {level}`"
        for name, level in POSTING.items()
        if installation.permissions.get(name) not in enough[level]
    ]
    if missing:
        raise NoRulesetError(
            f"{installation.account} has not granted {listed(missing)}: the app would post no check run, and "
            "the ruleset would hold up every pull request. Approve it on the installation's page"
        )


def _chosen(org: Covered, by: By | None) -> By:
    select = org.policy.select
    possible = [
        *([By.PROPERTY] if org.covers_all and select.properties else []),
        *([By.NAME] if org.covers_all and select.names else []),
        *([By.IDS] if org.pocs else []),
    ]
    if by is not None and by not in possible:
        raise NoRulesetError(_impossible(org, by))
    if not possible:
        raise NoRulesetError(f"there is no POC in {org.installation.account} that the app can see")
    return by or possible[0]


def _impossible(org: Covered, by: By) -> str:
    if by is By.IDS:
        return f"there is no POC in {org.installation.account} that the app can see"
    if not org.covers_all:
        return (
            f"the app is installed on selected repositories of {org.installation.account}: one that it "
            f"doesn't see would wait for its check run forever. Leave `--by {by}` out, or install it on all"
        )
    return f"the policy selects nothing by {by}: leave `--by {by}` out"


def _is_targeted(org: Covered, by: By, repository: Repository) -> bool:
    policy = org.policy
    match by:
        case By.PROPERTY:
            excluded = found_property(policy.exclude, repository) is not None
            return found_property(policy.select, repository) is not None and not excluded
        case By.NAME:
            name = repository.name.lower()
            excluded = any(matches(glob, name) for glob in policy.exclude.names)
            return any(matches(glob, name) for glob in policy.select.names) and not excluded
        case By.IDS:
            return repository in org.pocs
        case _:
            assert_never(by)


def _target(org: Covered, by: By) -> dict[str, Any]:
    select, exclude = org.policy.select, org.policy.exclude
    match by:
        case By.PROPERTY:
            include, left = _properties(select.properties), _properties(exclude.properties)
            return {"repository_property": {"include": include, "exclude": left}}
        case By.NAME:
            names = {"include": list(select.names), "exclude": list(exclude.names), "protected": False}
            return {"repository_name": names}
        case By.IDS:
            return {"repository_id": {"repository_ids": sorted(each.id for each in org.pocs)}}
        case _:
            assert_never(by)


def _properties(wanted: Mapping[str, frozenset[str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "source": "custom", "property_values": sorted(values)}
        for name, values in sorted(wanted.items())
    ]


def _required(app_id: int) -> dict[str, Any]:
    check = {"context": CHARTER_CHECK, "integration_id": app_id}
    parameters = {
        "strict_required_status_checks_policy": False,
        "do_not_enforce_on_create": True,
        "required_status_checks": [check],
    }
    return {"type": "required_status_checks", "parameters": parameters}


def _review(team: Team) -> dict[str, Any]:
    """Nobody's review is asked for but the team's, and only of a change to the charter."""
    reviewer = {"id": team.id, "type": "Team"}
    asked = {"file_patterns": [CHARTER_PATH], "minimum_approvals": 1, "reviewer": reviewer}
    parameters = {
        "required_approving_review_count": 0,
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
        "required_reviewers": [asked],
    }
    return {"type": "pull_request", "parameters": parameters}


def _notes(org: Covered, by: By, covered: Sequence[Repository], team: Team | None) -> Sequence[str]:
    notes = [f"It covers {_count(covered)} today, by {_words(by)}."]
    if missed := [each.full_name for each in org.pocs if each not in covered]:
        notes.append(
            f"It doesn't cover {_names(missed)}: a topic or a `POC.md` can't be written into a ruleset. "
            "`--by ids` covers the POCs of today instead."
        )
    if by is By.IDS:
        notes.append("It doesn't cover future POCs: print it again for them.")
    if by is By.NAME:
        notes.append("GitHub compares names with upper and lower case.")
    others = [each.full_name for each in covered if each not in org.pocs and exclusion(each, org.policy)]
    if others:
        notes.append(
            f"{_names(others)} aren't POCs: their pull requests get the check run as well, and pass."
        )
    if team:
        notes.append(
            f"A change to `{CHARTER_PATH}` needs an approval by {team.slug}, which needs write access."
        )
    else:
        notes.append("Anybody who can push can still choose who signs: name a reviewing team with `--team`.")
    if org.installation.permissions.get("statuses") not in ("write", "admin"):
        notes.append(
            "`statuses: write` isn't granted: an organisation's rules may refuse the app as a source."
        )
    notes.append(
        "Pushes straight to a default branch are refused, except from people whom you let bypass it."
    )
    return notes


def _words(by: By) -> str:
    match by:
        case By.PROPERTY:
            return "the custom property that the policy selects"
        case By.NAME:
            return "the names that the policy selects"
        case By.IDS:
            return "the list of their ids"
        case _:
            assert_never(by)


def _count(covered: Sequence[Repository]) -> str:
    return f"{len(covered)} repositor{'y' if len(covered) == 1 else 'ies'}"


def _names(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return listed((*names[:MOST_NAMED], *((f"{more} more",) if more > 0 else ())))
