"""`ruleset`: the JSON to import that makes GitHub require our check run, and what to know about it."""

from __future__ import annotations

from datetime import date

from service.cli.organisation import Organisation
from service.github_client.app import App
from service.ports import GitHubError
from service.rules.queue import Failure, FailureKind
from service.rules.setup.ruleset import By, Ruleset, Team, ruleset
from service.rules.values.github import Installation


def of_organisation(
    app: App, app_id: int, org: str, team: str, today: date, *, by: By | None, evaluate: bool
) -> Ruleset:
    """Ask GitHub about the organisation; raises `GitHubError` or `NoRulesetError`."""
    installation = installed_on(app, org)
    reviewers = Team(app.team_id(installation, team), team) if team else None
    covered = Organisation(app, app_id, installation).covered(today)
    return ruleset(covered, team=reviewers, by=by, evaluate=evaluate)


def installed_on(app: App, org: str) -> Installation:
    """The app's installation on an account."""
    for installation_id in app.installation_ids():
        installation = app.describe(installation_id)
        if installation.account.lower() == org.lower():
            return installation
    message = f"the app isn't installed on {org}: install it first, `poc-governor doctor` says where"
    raise GitHubError(Failure(FailureKind.GONE, message))
