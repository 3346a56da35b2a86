from __future__ import annotations

from typing import Any

import pytest

from tests.harness.emulator import Repo, Stage, good_charter, stamp
from tests.harness.gateway import says, swallow


def quiet(stage: Stage, repo: Repo) -> None:
    """Wait until the service has dealt with what the emulator told of a repository."""
    stage.until(lambda: stage.told("repository", repo), f"GitHub told of {repo.name}")
    stage.settle()


def forget_news(stage: Stage, repo_name: str, *, times: int) -> None:
    """Let webhooks that name a repository get lost."""
    stage.hooks.fail("POST", "", swallow, times=times, body=f'/{repo_name}"'.encode())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["poc-", "proof-poc", "POC-"])
def test_name_makes_a_poc(stage: Stage, name: str) -> None:
    unique = stage.name(name) if name.endswith("-") else f"{stage.name('x')}-poc"
    repo = stage.poc(unique)
    repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "action_required")


@pytest.mark.slow
@pytest.mark.parametrize("topic", ["poc", "proof-of-concept"])
def test_topic_makes_a_poc(stage: Stage, topic: str) -> None:
    repo = stage.repository(stage.name("triage-"), topics=[topic])
    run = repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "action_required")
    assert f"topic `{topic}`" in run.summary


def test_charter_on_the_default_branch_makes_a_poc(stage: Stage) -> None:
    repo = stage.repository(stage.name("triage-"))
    quiet(stage, repo)
    repo.commit("POC.md", good_charter())
    stage.until(lambda: [c for c in repo.calls() if c.path.endswith("/pulls")], "it is registered")
    repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "success")


@pytest.mark.slow
def test_file_of_that_name_without_the_block_makes_no_poc(stage: Stage) -> None:
    repo = stage.repository(stage.name("triage-"))
    quiet(stage, repo)
    repo.commit("POC.md", "# Proof of concept for CVE-2026-1\n\n```yaml\nname: x\n```\n")
    stage.until(lambda: len(repo.reads_of_main()) == 2, "the file was read")
    pull = repo.pull("model", model_py="x = 1\n")
    stage.until(lambda: stage.told("pull_request", repo), "the pull request is known")
    stage.settle()
    assert repo.runs(pull.head_sha) == []
    assert repo.writes() == []


def test_events_of_other_repositories_cost_one_call_a_day(stage: Stage) -> None:
    """It asks whether a ruleset requires the check run where a pull request goes to."""
    repo = stage.repository(stage.name("website-"))
    quiet(stage, repo)
    stage.until(repo.reads_of_main, "its default branch was looked at once")
    stage.settle()
    before = stage.api.calls()
    pull = repo.pull("model", model_py="x = 1\n")
    repo.commit("README.md", "# Website\n")
    repo.synchronize(pull, repo.commit("b.py", "b\n", "model"), before=pull.head_sha)
    stage.until(lambda: len(stage.told("push", repo)) == 3, "GitHub told of the pushes")
    stage.until(lambda: stage.told("pull_request", repo), "GitHub told of the pull request")
    stage.settle()
    assert [str(call) for call in stage.api.calls()[len(before) :]] == [
        f"GET /repos/{repo.full_name}/rules/branches/main"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"archived": True}, {"fork": True}, {"is_template": True}, {"topics": ["poc", "not-a-poc"]}]
)
def test_what_is_never_a_poc_gets_nothing(stage: Stage, change: dict[str, object]) -> None:
    name = stage.name()
    forget_news(stage, name, times=1)
    repo = stage.repository(name)
    stage.until(lambda: stage.told("repository", repo), "its creation was not heard of")
    forget_news(stage, name, times=2)
    pull = repo.pull("model", model_py="x = 1\n")
    stage.until(lambda: stage.told("pull_request", repo), "its pull request was not heard of")
    repo.deliver("repository.edited", repository=repo.described(**change))
    repo.deliver("pull_request.opened", repository=repo.described(**change), **repo.pull_values(pull))
    stage.settle()
    assert [call for call in repo.calls() if "/rules/" not in call.path] == []


@pytest.mark.slow
def test_github_folder_is_never_a_poc(stage: Stage) -> None:
    repo = stage.repository(".github", topics=["poc"])
    quiet(stage, repo)
    stage.until(lambda: len(stage.told("repository", repo)) == 2, "its topic is known")
    repo.commit("POC.md", good_charter())
    pull = repo.pull("model", model_py="x = 1\n")
    stage.until(lambda: stage.told("pull_request", repo), "its pull request is known")
    stage.settle()
    assert repo.runs(pull.head_sha) == []
    assert repo.writes() == []


@pytest.mark.slow
def test_repository_first_heard_of_through_a_pull_request_is_registered(stage: Stage) -> None:
    name = stage.name()
    forget_news(stage, name, times=2)
    repo = stage.repository(name)
    sha = repo.branch("model", model_py="x = 1\n")
    stage.until(
        lambda: stage.told("repository", repo) and stage.told("push", repo), "nothing was heard of it"
    )
    assert repo.calls() == []
    repo.person.open_pull(name, "model", "Model")
    repo.expect(sha, "action_required")


@pytest.mark.slow
def test_repository_without_a_commit_is_registered(stage: Stage) -> None:
    person, name = stage.person(), stage.name()
    created = person.call("POST", "/orgs/acme/repos", {"name": name, "auto_init": False})
    repo = Repo(stage, "acme", name, created["id"], person)
    stage.until(lambda: [c for c in repo.calls() if c.path.endswith("/pulls")], "it is registered")
    stage.settle()
    assert repo.writes() == []
    assert stage.health()["dead_count"] == 0


@pytest.mark.slow
def test_charter_is_read_from_a_new_default_branch(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter())
    repo.branch("trunk", POC_md=good_charter(owner="alice-x"))
    repo.person.edit_repo(repo.name, default_branch="trunk")
    stage.until(
        lambda: [c for c in repo.calls() if c.query.get("ref") == ["trunk"]], "it was read from there"
    )
    stage.settle()
    repo.expect(repo.pull("first", onto="trunk", base="trunk", first_py="x = 1\n").head_sha, "success")
    sha = repo.branch("model", base="trunk", model_py="x = 1\n")
    before = len(repo.calls())
    repo.person.open_pull(repo.name, "model", "Model", base="trunk")
    assert "`alice-x`" in repo.expect(sha, "success").summary
    assert [call.method for call in repo.calls()[before:]][:2] == ["GET", "POST"]


@pytest.mark.slow
def test_topic_taken_away_ends_the_checks(stage: Stage) -> None:
    repo = stage.repository(stage.name("triage-"), topics=["poc"])
    repo.expect(repo.pull("one", a_py="a\n").head_sha, "action_required")
    repo.person.edit_repo(repo.name, topics=["not-a-poc"])
    stage.until(lambda: len(stage.told("repository", repo)) == 3, "the topics are known")
    stage.settle()
    before = repo.calls()
    repo.pull("two", b_py="b\n")
    stage.until(lambda: len(stage.told("pull_request", repo)) == 2, "the pull request is known")
    stage.settle()
    assert repo.calls() == before


@pytest.mark.slow
def test_archived_repository_gets_nothing_written_any_more(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter())
    pull = repo.pull("model", model_py="x = 1\n")
    repo.expect(pull.head_sha, "success")
    moved = repo.commit("model.py", "x = 2\n", "model")
    repo.person.edit_repo(repo.name, archived=True)
    repo.deliver("repository.archived", repository=repo.described(updated_at=stamp(seconds=2)))
    stage.settle()
    before = repo.calls()
    repo.synchronize(pull, moved, before=pull.head_sha)
    repo.person.rerequest_check_run(repo.name, repo.runs(pull.head_sha)[0].id)
    stage.until(lambda: stage.told("check_run", repo, "rerequested"), "the button was pressed")
    stage.settle()
    assert repo.calls() == before


def test_renamed_repository_keeps_getting_its_checks(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter())
    former, name = repo.name, stage.name()
    forget_news(stage, name, times=1)
    repo.person.edit_repo(former, name=name)
    stage.until(lambda: stage.told("repository", repo, "edited"), "the emulator told in its own way")
    repo.name = name
    repo.deliver("repository.renamed", former_name=former)
    stage.settle()
    before = len(stage.api.calls())
    repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "success")
    assert not [c for c in stage.api.calls()[before:] if f"/{former}/" in c.path]


def renamed_in_silence(stage: Stage) -> tuple[Repo, str, str, dict[str, Any]]:
    """A POC whose new name nobody told us of; its former one, and a pull request that still is to be told."""
    repo = stage.poc(charter=good_charter())
    former, name = repo.name, stage.name()
    sha = repo.branch("model", model_py="x = 1\n")
    stage.settle()
    told = repo.described()
    forget_news(stage, name, times=2)
    repo.person.edit_repo(former, name=name)
    stage.until(lambda: stage.told("repository", repo, "edited"), "the emulator's own event got lost")
    repo.name = name
    pull = repo.person.open_pull(name, "model", "Model")
    stage.until(lambda: stage.told("pull_request", repo), "the pull request's own event got lost")
    return repo, former, sha, {"repository": told, **repo.pull_values(pull)}


@pytest.mark.slow
def test_rename_that_nobody_told_of_is_found_by_the_id(stage: Stage) -> None:
    repo, former, sha, opened = renamed_in_silence(stage)
    # The emulator says 404 where GitHub redirects: 301 for a read, 307 for a write.
    for method, status in (("GET", 301), ("POST", 307)):
        moved = says(status, "Moved", Location=f"{stage.api.url}/repositories/{repo.id}")
        stage.api.fail(method, f"^/repos/acme/{former}/", moved, times=10)
    repo.deliver("pull_request.opened", **opened)
    repo.expect(sha, "success")
    stage.settle()
    assert len(repo.runs(sha)) == 1
    assert f"GET /repositories/{repo.id}" in [str(call) for call in repo.calls()]


@pytest.mark.slow
def test_rename_answered_by_404_does_not_look_like_a_missing_charter(stage: Stage) -> None:
    repo, _former, sha, opened = renamed_in_silence(stage)
    repo.deliver("pull_request.opened", **opened)
    repo.expect(sha, "success")
    stage.settle()
    assert [run.conclusion for run in repo.runs(sha)] == ["success"]


@pytest.mark.slow
def test_repository_taken_from_the_installation_gets_nothing(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter())
    stage.deliver("installation_repositories.removed", repositories=[repo.stub])
    stage.settle()
    before = repo.calls()
    repo.person.create_branch(repo.name, "quiet")
    stage.deliver("installation_repositories.removed", repositories=[repo.stub])
    stage.settle()
    assert repo.calls() == before
