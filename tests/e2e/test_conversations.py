"""Commands with words of their own, from the comment to the answer, on the emulated GitHub.

The emulator knows no reactions, and its events do not tell issues from pull requests: the gateway takes the
ones, and recorded payloads tell of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.harness.emulator import Repo, Stage, good_charter, stamp
from tests.harness.gateway import says

GITHUB = "https://github.acme.dev"


@dataclass(slots=True)
class Conversation:
    """An issue or a pull request, and what is said in it."""

    repo: Repo
    number: int
    event: str

    def say(self, text: str, login: str = "jane-doe") -> int:
        """Comment, and wait until it was heard; returns the comment's id."""
        stage = self.repo.stage
        comment: dict[str, int] = stage.person(login).comment(self.repo.name, self.number, text)
        self.tell(text, comment["id"], login)
        return comment["id"]

    def tell(self, text: str, comment_id: int, login: str = "jane-doe") -> None:
        self.repo.deliver(
            self.event,
            number=self.number,
            comment_id=comment_id,
            body=text,
            sender=login,
            updated_at=stamp(),
        )
        self.repo.stage.settle(self.repo)

    def answers(self) -> list[str]:
        """What was said by the service."""
        said = self.repo.person.comments(self.repo.name, self.number)
        return [text for text in said if text.startswith("<!-- poc-governor:answer")]

    def reactions(self, comment_id: int) -> int:
        path = f"/comments/{comment_id}/reactions"
        return len([call for call in self.repo.writes() if call.path.endswith(path)])


@pytest.fixture(scope="module", autouse=True)
def _what_the_emulator_lacks(stage: Stage) -> None:
    stage.api.fail("POST", "/comments/[0-9]+/reactions$", says(201), times=1000)


@pytest.fixture
def repo(stage: Stage) -> Iterator[Repo]:
    made = stage.poc(charter=good_charter())
    yield made
    made.retire()


@pytest.fixture
def issue(repo: Repo) -> Conversation:
    """An issue of the POC."""
    opened = repo.person.call("POST", f"/repos/{repo.full_name}/issues", {"title": "What is next"})
    return Conversation(repo, opened["number"], "issue_comment.created-issue")


def rests(repo: Repo) -> list[tuple[object, ...]]:
    return repo.stage.rows(
        "SELECT until - first, reason, actor FROM rest JOIN poc ON id = poc_id WHERE repository_id = %s "
        "ORDER BY until",
        repo.id,
    )


def test_a_snooze_is_noted_once_and_what_it_waits_for_is_looked_up(repo: Repo, issue: Conversation) -> None:
    blocker = repo.person.call("POST", f"/repos/{repo.full_name}/issues", {"title": "The contract"})["number"]
    comment = issue.say(f"/poc snooze 2w waits for #{blocker}")
    issue.tell(f"/poc snooze 2w waits for #{blocker}", comment)
    assert rests(repo) == [(14, f"waits for #{blocker}", "jane-doe")]
    assert (issue.answers(), issue.reactions(comment)) == ([], 1)
    assert repo.stage.rows(
        "SELECT reference, open FROM blocker JOIN poc ON poc.id = poc_id WHERE repository_id = %s", repo.id
    ) == [(f"#{blocker}", True)]


def test_who_may_not_write_gets_one_answer_and_changes_nothing(repo: Repo, issue: Conversation) -> None:
    comment = issue.say("/poc snooze 14d a holiday\n/poc stop enough", "stranger")
    [answer] = issue.answers()
    assert "`/poc snooze` needs write access to this repository; stranger has none." in answer
    assert "`/poc stop` needs write access" in answer
    assert (rests(repo), issue.reactions(comment)) == ([], 0)


@pytest.mark.slow
def test_a_new_owner_is_asked_about_and_the_line_is_named(repo: Repo, issue: Conversation) -> None:
    issue.say("/poc owner @nobody-at-all")
    issue.say("/poc owner @alice-x")
    refused, answer = issue.answers()
    assert "`/poc owner`: " in refused
    assert "```yaml\nowner: alice-x\n```" in answer
    assert f"({GITHUB}/{repo.full_name}/edit/main/POC.md), as a pull request, and merge" in answer


@pytest.mark.slow
def test_on_a_pull_request_that_changes_the_charter_its_branch_is_edited(repo: Repo) -> None:
    pull = repo.pull("another", POC_md=good_charter().replace("poc: 1\n", "poc: 1\n# by the board\n"))
    repo.expect(pull.head_sha, "success")
    day = datetime.now(UTC).date() + timedelta(days=120)
    conversation = Conversation(repo, pull.number, "issue_comment.created")
    comment = conversation.say(f"We need more time.\n\n/poc extend {day} the cluster comes late")
    [answer] = conversation.answers()
    assert f"```yaml\nship_by: {day}\n```" in answer
    assert f"({GITHUB}/{repo.full_name}/edit/another/POC.md), the branch of this pull request" in answer
    assert "second date, +25 calendar days" in answer
    assert conversation.reactions(comment) == 1


def test_a_command_whose_pull_request_no_event_told_of_is_answered_once_and_the_check_comes(
    repo: Repo,
) -> None:
    with repo.told_nothing():
        pull = repo.pull("untold", model_py="x = 1\n")
        conversation = Conversation(repo, pull.number, "issue_comment.created")
        comment = conversation.say("/poc help")
    conversation.tell("/poc help", comment)
    assert len(conversation.answers()) == 1
    assert repo.expect(pull.head_sha, "success").title == "Charter complete"
