"""A command that changes the charter, where we may open pull requests: from the comment to the merge.

The emulator knows no reactions, and does not move a pull request's head with its branch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.rules.commands.parsing import PROPOSING
from tests.e2e.conftest import GRANTING
from tests.harness.emulator import Repo, Stage, good_charter
from tests.harness.gateway import lost, says

NEW_DAY = datetime.now(UTC).date() + timedelta(days=120)
EXTEND = f"/poc extend {NEW_DAY} the cluster comes late, closes #1 @dan-w"


@pytest.fixture(scope="module", autouse=True)
def _what_the_emulator_lacks(stage: Stage) -> None:
    stage.api.fail("POST", f"/{GRANTING[0]}/.*/comments/[0-9]+/reactions$", says(201), times=100)


@pytest.fixture
def repo(stage: Stage) -> Iterator[Repo]:
    made = stage.poc(charter=good_charter(), org=GRANTING[0])
    yield made
    made.retire()


def asked(repo: Repo, text: str) -> int:
    """The number of a new issue of the POC in which somebody writes a command."""
    opened: dict[str, int] = repo.person.call(
        "POST", f"/repos/{repo.full_name}/issues", {"title": "What is next"}
    )
    repo.say(opened["number"], text)
    return opened["number"]


def pulls(repo: Repo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = repo.person.call("GET", f"/repos/{repo.full_name}/pulls", state="all")
    return found


def answers(repo: Repo, number: int) -> list[str]:
    said = repo.person.comments(repo.name, number)
    return [text for text in said if text.startswith("<!-- poc-governor:answer")]


def test_the_pull_request_is_opened_judged_and_merged(stage: Stage, repo: Repo) -> None:
    number = asked(repo, EXTEND)
    [pull] = pulls(repo)
    [answer] = answers(repo, number)
    assert f"#{pull['number']} makes this change" in answer
    assert "second date, +25 calendar days" in answer
    assert pull["user"]["type"] == "Bot"
    assert "closes #1 " not in pull["body"]
    assert "@dan-w" not in pull["body"]
    assert f"/{repo.full_name}/issues/{number}#issuecomment-" in pull["body"]
    run = repo.expect(pull["head"]["sha"], "success")
    assert "product" in run.summary
    repo.merge(repo.person.pull(repo.name, pull["number"]))
    days = stage.rows(
        "SELECT d.ship_by FROM ship_date d JOIN poc p ON p.id = poc_id"
        " WHERE repository_id = %s ORDER BY d.id",
        repo.id,
    )
    assert days[-1] == (NEW_DAY,)
    assert (len(pulls(repo)), answers(repo, number)) == (1, [answer])


@pytest.mark.slow
def test_an_answer_that_was_lost_is_no_second_pull_request(stage: Stage, repo: Repo) -> None:
    stage.api.fail("POST", f"/{repo.full_name}/pulls$", lost)
    number = asked(repo, EXTEND)
    [pull] = pulls(repo)
    assert [f"#{pull['number']} makes this change" in answer for answer in answers(repo, number)] == [True]


@pytest.mark.slow
def test_what_is_refused_is_answered_with_the_line(stage: Stage, repo: Repo) -> None:
    stage.api.fail("POST", f"/{repo.full_name}/git/refs$", says(422, "Repository rule violations found"))
    number = asked(repo, EXTEND)
    assert [f"```yaml\nship_by: {NEW_DAY}\n```" in answer for answer in answers(repo, number)] == [True]
    assert pulls(repo) == []


@pytest.mark.slow
def test_only_the_token_that_opens_them_can_write_contents(stage: Stage, repo: Repo) -> None:
    asked(repo, "/poc stop the baseline was good enough")
    assert len(pulls(repo)) == 1
    minted: list[Any] = [token["permissions"] for token in stage.emulator.minted_tokens()]
    writing = [permissions for permissions in minted if permissions.get("contents") == "write"]
    assert writing
    assert all(permissions == PROPOSING for permissions in writing)
