"""An organisation as the app sees it, read with its key alone: no database is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date

from service.github_client.app import App, InstallationClient
from service.ports import GitHubError
from service.rules.checks.judge import Judgement, declares, judge_standing
from service.rules.policy.model import NO_POLICY, POLICY_PATH, POLICY_REPOSITORY, Mode, Policy
from service.rules.policy.reading import read_policy
from service.rules.policy.recognition import exclusion, poc_reason, uses_properties
from service.rules.queue import Failure, FailureKind
from service.rules.setup.first_look import FirstLook
from service.rules.setup.ruleset import By, Covered, Ruleset, Team, ruleset
from service.rules.values.github import Installation, Repository

MOST_OPENED = 200
"""Repositories that nothing selects whose `POC.md` is looked for: each is a call."""


class Organisation:
    """Its repositories, its policy, and which of them are POCs."""

    def __init__(self, app: App, app_id: int, installation: Installation) -> None:
        self._app, self._app_id, self._installation = app, app_id, installation

    def first_look(self, today: date, *, observe: bool) -> FirstLook:
        """Judge the charter of every POC, as the service would."""
        with closing(self._app.installation(self._installation)) as client:
            repositories, policy = self._read(client)
            pocs, unopened = self._pocs(client, repositories, policy, today)
        mode = policy.mode or (Mode.OBSERVE if observe else Mode.ENFORCE)
        return FirstLook(len(repositories), unopened, mode, tuple(judgement for _, judgement in pocs))

    def covered(self, today: date) -> Covered:
        """What a ruleset may hold for."""
        with closing(self._app.installation(self._installation)) as client:
            repositories, policy = self._read(client)
            pocs, _ = self._pocs(client, repositories, policy, today)
        return Covered(
            self._app_id,
            self._installation,
            self._app.covers_all(self._installation.id),
            policy,
            tuple(repositories),
            tuple(repository for repository, _ in pocs),
        )

    def _read(self, client: InstallationClient) -> tuple[list[Repository], Policy]:
        repositories = list(client.repositories())
        policy = _policy(client, repositories)
        if uses_properties(policy):
            values = dict(client.property_values(self._installation.account))
            repositories = [replace(each, properties=values.get(each.id, {})) for each in repositories]
        return repositories, policy

    def _pocs(
        self, client: InstallationClient, repositories: list[Repository], policy: Policy, today: date
    ) -> tuple[list[tuple[Repository, Judgement]], int]:
        """The POCs with their verdicts, and how many repositories that nothing selects stayed unopened."""
        possible = [each for each in repositories if exclusion(each, policy) is None]
        selected = [each for each in possible if poc_reason(each, declares_charter=False, policy=policy)]
        others = [each for each in possible if each not in selected]
        opened = others[:MOST_OPENED]
        return list(_judged(client, selected, opened, policy, today)), len(others) - len(opened)


def _judged(
    client: InstallationClient,
    selected: list[Repository],
    opened: list[Repository],
    policy: Policy,
    today: date,
) -> Iterator[tuple[Repository, Judgement]]:
    for repository in (*selected, *opened):
        try:
            file = client.charter_file(repository.ref, repository.default_branch)
        except GitHubError as error:
            if not error.not_shown:
                raise
            continue  # a repository without a commit
        if repository in selected or declares(file):
            yield repository, judge_standing(file, today, policy)


def _policy(client: InstallationClient, repositories: list[Repository]) -> Policy:
    """The policy on the default branch of `.github`; the usual one where there is none that can be read."""
    central = next((each for each in repositories if each.name == POLICY_REPOSITORY), None)
    if central is None:
        return NO_POLICY
    try:
        sha = client.blob_shas(central.ref, central.default_branch, [POLICY_PATH])[POLICY_PATH]
        data = client.blob(central.ref, sha) if sha else None
    except GitHubError as error:
        if not error.not_shown:
            raise
        return NO_POLICY
    return (read_policy(data).policy if data else None) or NO_POLICY


def of_organisation(
    app: App, app_id: int, org: str, team: str, today: date, *, by: By | None, evaluate: bool
) -> Ruleset:
    """Ask GitHub about the organisation; raises `GitHubError` or `NoRulesetError`."""
    installation = installed_on(app, org)
    if installation is None:
        message = f"the app isn't installed on {org}: install it first, `poc-governor doctor` says where"
        raise GitHubError(Failure(FailureKind.GONE, message))
    reviewers = Team(app.team_id(installation, team), team) if team else None
    covered = Organisation(app, app_id, installation).covered(today)
    return ruleset(covered, team=reviewers, by=by, evaluate=evaluate)


def installed_on(app: App, org: str) -> Installation | None:
    """The app's installation on an account."""
    described = map(app.describe, app.installation_ids())
    return next((each for each in described if each.account.lower() == org.lower()), None)
