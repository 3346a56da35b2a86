"""What GitHub's description says may be null in an answer is taken as null."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from service.github_client.app import App, InstallationClient
from service.ports import GitHubError
from service.rules.values.github import Installation
from tests.harness.github_description import HERE, NULLABLE, with_null
from tests.unit.github_client.server import GRANTED, REPOSITORY, TOKEN, Server, raw_repository

DESCRIBED = json.loads(NULLABLE.read_text(encoding="utf-8"))["answers"]
SINCE = datetime(2026, 5, 24, 9, 0, tzinfo=UTC)
AT = "2026-11-20T10:15:28Z"
JANE = {"login": "jane-doe", "type": "User", "id": 5}
BRANCH = {"ref": "main", "sha": "a" * 40, "repo": raw_repository("acme/poc-triage"), "user": JANE}
PULL = {
    "number": 7,
    "state": "open",
    "draft": False,
    "user": JANE,
    "head": BRANCH,
    "base": BRANCH,
    "created_at": AT,
    "updated_at": AT,
    "merged_at": AT,
    "assignees": [JANE],
    "requested_reviewers": [JANE],
    "requested_teams": [{"slug": "security"}],
}
ISSUE = {
    "number": 12,
    "state": "open",
    "title": "Waiting",
    "body": "<!-- marker -->",
    "user": JANE | {"type": "Bot"},
    "labels": [{"name": "poc-stalled"}],
    "assignees": [JANE],
    "created_at": AT,
    "closed_at": AT,
    "html_url": "https://github.com/acme/poc-triage/issues/12",
    "pull_request": None,
}
COMMIT = {
    "sha": "b" * 40,
    "author": JANE,
    "committer": JANE,
    "commit": {"author": {"date": AT}, "committer": {"date": AT}},
    "parents": [{"sha": "c" * 40}],
    "tree": {"sha": "d" * 40},
}
TEAM = {"slug": "security", "parent": {"slug": "all"}, "description": "guards"}
TOLD = {
    "event": "review_requested",
    "created_at": AT,
    "actor": JANE,
    "requested_reviewer": JANE,
    "requested_team": TEAM,
    "commit_id": "b" * 40,
    "dismissed_review": {"review_id": 3, "dismissal_commit_id": "b" * 40, "dismissal_message": "no"},
}
REVIEWED = {"event": "reviewed", "id": 70, "user": JANE, "submitted_at": AT, "commit_id": "b" * 40}
CREATED = {"id": 3, "sha": "b" * 40, "environment": "prod", "created_at": AT, "creator": JANE}

Read = Callable[[InstallationClient], object]


def history(client: InstallationClient) -> object:
    return list(client.history(REPOSITORY, "main", SINCE))


ANSWERS: dict[str, tuple[Any, Read]] = {
    HERE: (raw_repository("acme/poc-triage"), lambda client: client.repository(1)),
    f"{HERE}/pulls": ([PULL], lambda client: [history(client), list(client.open_pull_requests(REPOSITORY))]),
    f"{HERE}/pulls/{{pull_number}}": (PULL, lambda client: client.pull_request(REPOSITORY, 7)),
    f"{HERE}/pulls/{{pull_number}}/reviews": ([REVIEWED], history),
    f"{HERE}/issues": ([ISSUE], lambda client: client.find_issue(REPOSITORY, "poc-stalled", "<!--")),
    f"{HERE}/issues/{{issue_number}}": (ISSUE, lambda client: client.issue(REPOSITORY, 12)),
    f"{HERE}/issues/{{issue_number}}/comments": (
        [{"id": 1, "body": "<!-- x", "user": JANE}],
        lambda client: client.find_comment(REPOSITORY, 12, "<!--"),
    ),
    f"{HERE}/issues/{{issue_number}}/events": (
        [TOLD | {"event": "review_dismissed"}],
        lambda client: client.dismissed_by_push(REPOSITORY, 12, 3),
    ),
    f"{HERE}/issues/{{issue_number}}/timeline": ([TOLD, REVIEWED], history),
    f"{HERE}/commits": (
        [COMMIT],
        lambda client: [history(client), client.last_commit_by(REPOSITORY, "jane-doe", SINCE)],
    ),
    f"{HERE}/commits/{{ref}}/check-runs": (
        {"check_runs": [{"id": 1, "external_id": "x", "app": {"id": 1}}]},
        lambda client: client.find_check_run(REPOSITORY, "b" * 40, "POC charter", "x"),
    ),
    f"{HERE}/compare/{{basehead}}": (
        {"merge_base_commit": COMMIT, "base_commit": COMMIT, "commits": [COMMIT]},
        lambda client: client.merge_base(REPOSITORY, "a" * 40, "b" * 40),
    ),
    f"{HERE}/git/blobs/{{file_sha}}": (
        {"content": "eA==", "size": 1, "encoding": "base64"},
        lambda client: client.blob(REPOSITORY, "e" * 40),
    ),
    f"{HERE}/git/commits/{{commit_sha}}": (COMMIT, lambda client: client.commit(REPOSITORY, "b" * 40)),
    f"{HERE}/git/trees/{{tree_sha}}": (
        {"tree": [{"path": "POC.md", "type": "blob", "mode": "100644", "sha": "e" * 40, "size": 1}]},
        lambda client: client.blob_shas(REPOSITORY, "b" * 40, ["POC.md"]),
    ),
    f"{HERE}/collaborators/{{username}}/permission": (
        {"permission": "write", "user": JANE},
        lambda client: client.permission(REPOSITORY, "jane-doe"),
    ),
    f"{HERE}/deployments": ([CREATED], history),
    f"{HERE}/deployments/{{deployment_id}}/statuses": ([CREATED | {"state": "success"}], history),
    f"{HERE}/environments": (
        {"total_count": 1, "environments": [{"name": "prod"}]},
        lambda client: client.environments(REPOSITORY),
    ),
    "/orgs/{org}/properties/values": (
        [{"repository_id": 1, "properties": [{"property_name": "stage", "value": "poc"}]}],
        lambda client: list(client.property_values("acme")),
    ),
}
OF_THE_APP: dict[str, tuple[Any, Callable[[App], object]]] = {
    "/app/installations/{installation_id}": (
        {"id": 7, "account": {"login": "acme"}, "permissions": {}, "suspended_at": AT},
        lambda app: app.describe(7),
    ),
    "/app/hook/deliveries": (
        [{"id": 1, "guid": "x", "delivered_at": AT, "status_code": 502, "action": "opened"}],
        lambda app: list(app.failed_deliveries(SINCE)),
    ),
}


class Everything(Server):
    """Answers every request with one thing of its kind, by the template of its address."""

    given: Mapping[str, Any] = {}
    met: frozenset[str] = frozenset()

    def take(self, line: str) -> tuple[int, Any, dict[str, str]]:
        if line in self.answers:
            return super().take(line)
        asked = line.partition(" ")[2].partition("?")[0].replace("/repositories/1", "/repos/acme/poc-triage")
        for template, answer in self.given.items():
            if answer is not None and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), asked):
                self.met |= {template}
                return 200, answer, {}
        return 404, {"message": "Not Found"}, {}


@pytest.fixture(scope="module")
def everything() -> Iterator[Everything]:
    made = Everything()
    made.on(TOKEN, 201, {"token": "ghs_token", "expires_at": datetime(2100, 1, 1, tzinfo=UTC).isoformat()})
    yield made
    made.stop()


REFUSED = {("/app/installations/{installation_id}", "account")}
"""Without it nothing can be done."""


def cases() -> Iterator[tuple[str, str]]:
    for answer, (sample, _) in (ANSWERS | OF_THE_APP).items():
        yield answer, ""
        yield from ((answer, path) for path in DESCRIBED[answer] if with_null(sample, path))


@pytest.mark.parametrize(("answer", "path"), [*cases()])
def test_a_null_in_an_answer_is_no_error(
    everything: Everything, private_key: str, answer: str, path: str
) -> None:
    samples = {each: sample for each, (sample, _) in (ANSWERS | OF_THE_APP).items()}
    if answer.endswith("/reviews"):
        samples[f"{HERE}/issues/{{issue_number}}/timeline"] = None  # they are read only where there is none
    everything.given = samples | {answer: with_null(samples[answer], path) if path else samples[answer]}
    everything.met = frozenset()
    app = App(4711, private_key, everything.url)
    client = app.installation(Installation(7, "acme", GRANTED))
    with pytest.raises(GitHubError) if (answer, path) in REFUSED else nullcontext():
        OF_THE_APP[answer][1](app) if answer in OF_THE_APP else ANSWERS[answer][1](client)
    client.close()
    assert answer in everything.met


def test_behind_an_agents_pull_request_is_the_person_who_is_assigned(
    everything: Everything, private_key: str
) -> None:
    copilot = {"login": "Copilot", "type": "Bot", "id": 198982749}
    pull = PULL | {"user": copilot, "assignees": [copilot, JANE]}
    issue = ISSUE | {"assignees": [copilot, JANE]}
    everything.given = {f"{HERE}/pulls": [pull], f"{HERE}/issues/{{issue_number}}": issue}
    client = App(4711, private_key, everything.url).installation(Installation(7, "acme", GRANTED))
    (shown,) = client.open_pull_requests(REPOSITORY)
    assert (shown.author, shown.behind) == ("Copilot", "jane-doe")
    assert client.issue(REPOSITORY, 12).assignees == ("jane-doe",)
    client.close()


def test_every_answer_of_the_description_is_tried() -> None:
    assert set(DESCRIBED) == set(ANSWERS | OF_THE_APP)
