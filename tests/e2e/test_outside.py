"""What a charter names outside itself, asked from GitHub; the emulator knows no environments."""

from __future__ import annotations

import pytest

from tests.harness.emulator import Repo, Stage, good_charter

EVAL = ".github/workflows/eval.yml"


@pytest.fixture
def bare(stage: Stage) -> Repo:
    return stage.poc()


def found(repo: Repo, run_id: int) -> list[tuple[str, str]]:
    """The annotations of a check run: level, and the line that it is about."""
    return [(note.level, note.message.split(":")[0]) for note in repo.person.annotations(repo.name, run_id)]


def asked(repo: Repo) -> list[str]:
    """The questions about the world outside, by the last word of each path."""
    words = ("permission", "environments", "trees")
    return [word for call in repo.calls() for word in words if word in call.path.split("/")]


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["stranger", "no-such-person"])
def test_owner_without_access_fails_the_change_that_names_them(bare: Repo, owner: str) -> None:
    run = bare.expect(bare.pull("owner", POC_md=good_charter(owner=owner)).head_sha, "failure")
    assert found(bare, run.id) == [("failure", f"GitHub doesn't know `{owner}` here")]
    assert asked(bare) == ["permission", "environments"]


@pytest.mark.slow
def test_owner_without_access_is_a_notice_to_everybody_else(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter(owner="stranger"))
    run = repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "success")
    assert found(repo, run.id) == [("notice", "GitHub doesn't know `stranger` here")]


def test_missing_path_fails_until_a_commit_brings_it(bare: Repo, stage: Stage) -> None:
    pull = bare.pull("path", POC_md=good_charter(eval_pipeline=EVAL))
    run = bare.expect(pull.head_sha, "failure")
    assert found(bare, run.id) == [("failure", f"`{EVAL}` isn't in the repository")]
    moved = bare.commit(EVAL, "on: push\n", "path")
    bare.synchronize(pull, moved, before=pull.head_sha)
    assert found(bare, bare.expect(moved, "success").id) == []
    again = bare.commit("model.py", "x = 1\n", "path")
    stage.settle()
    before = asked(bare)
    bare.synchronize(pull, again, before=moved)
    bare.expect(again, "success")
    assert asked(bare) == before


@pytest.mark.slow
def test_path_that_went_away_is_a_notice_to_everybody_else(stage: Stage) -> None:
    repo = stage.poc(charter=good_charter(eval_pipeline=EVAL))
    run = repo.expect(repo.pull("model", model_py="x = 1\n").head_sha, "success")
    assert found(repo, run.id) == [("notice", f"`{EVAL}` isn't in the repository")]
