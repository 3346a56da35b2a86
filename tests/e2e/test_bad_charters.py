from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.harness.emulator import Repo, Stage, good_charter

BINARY = bytes(range(256)) * 8
LATIN_1 = good_charter().replace("assistant", "für Kunden").encode("latin-1")


@pytest.fixture
def bare(stage: Stage) -> Repo:
    return stage.poc()


def link(repo: Repo, branch: str, mode: str, target: str) -> str:
    """Commit a symlink or a submodule as POC.md, which only git's own objects can say."""
    call, place = repo.person.call, f"/repos/{repo.full_name}/git"
    head = repo.person.head(repo.name)
    sha: str = head
    if mode == "120000":
        sha = call(
            "POST",
            f"{place}/blobs",
            {"content": base64.b64encode(target.encode()).decode(), "encoding": "base64"},
        )["sha"]
    entry = {"path": "POC.md", "mode": mode, "type": "commit" if mode == "160000" else "blob", "sha": sha}
    commit: dict[str, Any] = call("GET", f"{place}/commits/{head}")
    tree = call("POST", f"{place}/trees", {"base_tree": commit["tree"]["sha"], "tree": [entry]})
    made = call("POST", f"{place}/commits", {"message": "Link", "tree": tree["sha"], "parents": [head]})
    call("POST", f"{place}/refs", {"ref": f"refs/heads/{branch}", "sha": made["sha"]})
    return str(made["sha"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BINARY, "text"),
        (LATIN_1, "UTF-8"),
        (good_charter().encode() + b"x" * 2_000_000, "1 MiB"),
    ],
    ids=["binary", "latin-1", "2 MB"],
)
def test_file_that_nobody_can_read_fails_on_a_line(bare: Repo, content: bytes, says: str) -> None:
    run = bare.expect(bare.pull("bad", POC_md=content).head_sha, "failure")
    (annotation,) = bare.person.annotations(bare.name, run.id)
    assert annotation.path == "POC.md"
    assert says in annotation.message
    lines = content[:2000].count(b"\n")
    assert 1 <= annotation.start_line <= max(lines, 1)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["120000", "160000"], ids=["dangling symlink", "submodule"])
def test_what_is_no_file_fails_on_the_first_line(bare: Repo, mode: str) -> None:
    link(bare, "bad", mode, "docs/nowhere.md")
    pull = bare.person.open_pull(bare.name, "bad", "Bad")
    run = bare.expect(pull.head_sha, "failure")
    (annotation,) = bare.person.annotations(bare.name, run.id)
    assert (annotation.path, annotation.start_line) == ("POC.md", 1)


@pytest.mark.slow
def test_directory_fails_on_the_first_line(bare: Repo) -> None:
    bare.branch("bad")
    bare.commit("POC.md/README.txt", "x\n", "bad")
    run = bare.expect(bare.person.open_pull(bare.name, "bad", "Bad").head_sha, "failure")
    (annotation,) = bare.person.annotations(bare.name, run.id)
    assert (annotation.path, annotation.start_line) == ("POC.md", 1)


@pytest.mark.slow
def test_empty_file_is_no_charter(bare: Repo) -> None:
    bare.expect(bare.pull("empty", POC_md="").head_sha, "action_required")


def test_bad_file_on_the_default_branch_harms_nothing(bare: Repo, stage: Stage) -> None:
    bare.commit("POC.md", BINARY)
    stage.until(lambda: len(bare.reads_of_main()) > 1, "it was read")
    stage.settle()
    bare.expect(bare.pull("better", POC_md=good_charter()).head_sha, "success")
    assert stage.health()["dead_count"] == 0
