"""The command `init`: what git tells, what is asked, what stays marked, and that it overwrites nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from service.cli.git import guess_login, guess_repository
from service.cli.init import init, interview, left_open, questions
from service.rules.charter.draft import draft
from service.rules.checks.judge import Judgement, judge
from service.rules.source.text import CharterFile, FileKind
from tests.harness.places import ROOT

TODAY = date(2026, 11, 22)
ANSWERS: dict[str, str | list[str]] = {
    "owner": "jane-doe",
    "ship_by": "",
    "target.environment": "support-prod",
    "target.load": "50 req/s",
    "target.data": "180000 tickets/day",
    "target.auth": "okta-oidc",
    "done: a bound on quality": "accuracy >= 92 % on tickets-2026q3 with n >= 2000",
    "done: a bound on speed": "latency_p95 <= 300 ms at 50 req/s",
    "rollback.how": "turn flag ai_triage off: tickets go back to the queue",
    "rollback.within": "",
    "infra.feature_store": "n/a - retrieval only, no features",
    "infra.": "",
    "signoffs.data_science": "alice-k",
    "signoffs.platform": "bob-m",
    "signoffs.product": "carol-s",
    "signoffs.security": "dan-w",
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    git(folder, "init", "-q", "-b", "main")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def judged(path: Path) -> Judgement:
    return judge(CharterFile(FileKind.FILE, path.read_bytes()), today=TODAY)


class Person:
    """Answers by the beginning of the question; a list is answered one by one."""

    def __init__(self, answers: dict[str, str | list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.told: list[str] = []

    def ask(self, prompt: str) -> str:
        self.asked.append(prompt)
        key = next((key for key in self.answers if prompt.startswith(key)), None)
        answer = self.answers[key] if key else ""
        return answer if isinstance(answer, str) else answer.pop(0)

    def say(self, line: str) -> None:
        self.told.append(line)


def test_without_anybody_only_what_a_person_knows_is_open(repository: Path) -> None:
    git(repository, "config", "github.user", "jane-doe")
    git(repository, "remote", "add", "origin", "git@github.com:acme/poc-ticket-triage.git")
    said: list[str] = []
    init(repository / "POC.md", owner="", today=TODAY, ask=None, say=said.append)
    text = (repository / "POC.md").read_text()
    judgement = judged(repository / "POC.md")
    assert text.startswith("# Ticket triage\n")
    assert "\nowner: jane-doe\nship_by: 2027-02-15" in text
    assert {finding.code for finding in judgement.errors} == {"unfilled"}
    for line in left_open(text, TODAY):
        assert "TODO" in text.split("\n")[line - 1]
    assert said[0].startswith(
        f"{repository / 'POC.md'} written. {len(left_open(text, TODAY))} lines marked TODO"
    )


def test_workflows_name_the_pipelines_and_the_environments(repository: Path) -> None:
    folder = repository / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "ci.yml").write_text(
        "jobs:\n  test:\n    environment: ${{ inputs.where }}\n  pack:\n    environment: pypi\n"
    )
    (folder / "deploy.yaml").write_text(
        "jobs:\n  one:\n    environment: triage-staging\n  two:\n    environment:\n      name: triage-prod\n"
    )
    (folder / "eval-nightly.yml").write_bytes(b"\xff")
    (folder / "release.yml").write_text("")
    init(repository / "POC.md", owner="@jane", today=TODAY, ask=None, say=lambda _line: None)
    charter = judged(repository / "POC.md").charter
    assert charter is not None
    assert charter.owner is not None
    assert charter.owner.value == "jane"
    assert charter.infra.eval_pipeline is not None
    assert charter.infra.eval_pipeline.value.text == ".github/workflows/eval-nightly.yml"
    assert charter.infra.deploy_process is not None
    assert charter.infra.deploy_process.value.text == ".github/workflows/deploy.yaml"
    assert charter.target.environment is not None
    assert charter.target.environment.value == "triage-prod"
    assert charter.target.measured_in is not None
    assert charter.target.measured_in.value == "triage-staging"


def test_answers_make_a_complete_charter(repository: Path) -> None:
    person = Person(dict(ANSWERS))
    init(repository / "POC.md", owner="", today=TODAY, ask=person.ask, say=person.say)
    judgement = judged(repository / "POC.md")
    assert [f"{finding.line}: {finding.message}" for finding in judgement.errors] == []
    assert len(person.asked) == len(list(questions()))
    charter = judgement.charter
    assert charter is not None
    assert charter.ship_by is not None
    assert charter.ship_by.value == date(2027, 2, 15)
    assert charter.rollback.how is not None
    assert charter.rollback.how.value == "turn flag ai_triage off: tickets go back to the queue"
    assert "1 line marked TODO" in person.told[-1]


def test_a_wrong_answer_is_explained_and_asked_again() -> None:
    person = Person(
        {**ANSWERS, "owner": ["acme/ml-team", "jane-doe"], "done: a bound on speed": ["fast", ""]}
    )
    text = interview(
        draft(repository="a/b", owner=None, today=TODAY),
        person.ask,
        person.say,
        today=TODAY,
    )
    assert any("`acme/ml-team` is a team" in line for line in person.told)
    assert any("'fast' isn't a number" in line for line in person.told)
    assert "\nowner: jane-doe\n" in text
    assert "latency_p95 <= TODO ms" in text


@pytest.mark.parametrize(
    "answer", ["x\ty\x00", "a: b: c # d", "\"quoted\" - and 'more'", "- dash", "@x y z abc"]
)
def test_no_answer_breaks_the_block(answer: str) -> None:
    person = Person({**ANSWERS, "rollback.how": [answer, ""]})
    text = interview(
        draft(repository="a/b", owner="x", today=TODAY),
        person.ask,
        person.say,
        today=TODAY,
    )
    charter = judge(CharterFile(FileKind.FILE, text.encode()), today=TODAY).charter
    assert charter is not None
    assert charter.signoffs.security is not None
    assert charter.rollback.how is None or charter.rollback.how.value == answer


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("git@github.com:acme/poc-x.git", ("acme", "poc-x")),
        ("https://github.com/acme/poc-x", ("acme", "poc-x")),
        ("https://user@ghes.example.com/acme/poc.x.git", ("acme", "poc.x")),
        ("ssh://git@github.com:22/acme/poc-x.git/", ("acme", "poc-x")),
    ],
)
def test_the_repository_is_known_by_its_remote(repository: Path, url: str, found: tuple[str, str]) -> None:
    git(repository, "remote", "add", "origin", url)
    assert guess_repository(repository) == found


def test_the_login_is_known_by_git_or_not_at_all(repository: Path, tmp_path: Path) -> None:
    git(repository, "config", "user.email", "jane@example.com")
    assert guess_login(repository) is None
    git(repository, "config", "user.email", "123+jane-doe@users.noreply.github.com")
    assert guess_login(repository) == "jane-doe"
    git(repository, "config", "github.user", "jd")
    assert guess_login(repository) == "jd"
    assert guess_repository(tmp_path) is None


def test_without_git_it_writes_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    init(tmp_path / "POC.md", owner="jane-doe", today=TODAY, ask=None, say=lambda _line: None)
    assert "owner: jane-doe\n" in (tmp_path / "POC.md").read_text()


def test_a_file_that_is_there_is_kept(repository: Path) -> None:
    (repository / "POC.md").write_text("mine")
    with pytest.raises(FileExistsError):
        init(repository / "POC.md", owner="", today=TODAY, ask=None, say=lambda _line: None)
    command = [sys.executable, "-m", "service.cli.app", "init", "--yes", str(repository / "POC.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert "exists" in done.stderr
    assert (repository / "POC.md").read_text() == "mine"


def test_nobody_is_asked_where_nobody_is(repository: Path) -> None:
    command = [sys.executable, "-m", "service.cli.app", "init", str(repository / "POC.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=30)
    assert "written" in done.stdout
    assert judged(repository / "POC.md").declared
