"""`check --base`: goalposts compared with the merge base, and what git cannot tell."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.harness.places import CHARTERS
from tests.unit.cli.checking import run

PATHS = (".github/workflows/eval.yml", "load/k6.json", "eval/metrics.json")
"""Those that the example names."""


@pytest.fixture
def branch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone whose branch loosened two bounds, while main moved on."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    charter = tmp_path / "POC.md"
    text = (CHARTERS / "ok" / "example.md").read_text()
    git(tmp_path, "init", "-q", "-b", "main")
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    commit(tmp_path, charter, text)
    git(tmp_path, "checkout", "-q", "-b", "change")
    commit(tmp_path, charter, text.replace(">= 92 %", ">= 88 %").replace("300 ms", "0.3 s"))
    git(tmp_path, "checkout", "-q", "main")
    commit(tmp_path, charter, text.replace(">= 92 %", ">= 50 %"))
    git(tmp_path, "checkout", "-q", "change")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    known = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(folder)]
    subprocess.run(["git", *known, *arguments], check=True, capture_output=True)


def commit(folder: Path, path: Path, text: str) -> None:
    path.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "x")


@pytest.mark.usefixtures("branch")
def test_goalposts_are_compared_with_the_merge_base() -> None:
    code, out, err = run(base="main")
    assert (code, err) == (0, "")
    assert "POC.md:18:5: warning: `accuracy` is looser (`>= 92 %` became `>= 88 %`)" in out
    assert out.endswith("POC.md: charter complete; 1 threshold loosened\n")
    found = json.loads(run(base="main", format="json")[1])
    assert [(each["code"], each["severity"], each["line"]) for each in found["findings"]] == [
        ("goalpost-moved", "warning", 18)
    ]
    assert (
        "::warning file=POC.md,line=18,col=5,title=goalpost-moved::" in run(base="main", format="github")[1]
    )
    assert "goalpost" not in run(base="HEAD", format="json")[1]


def test_strictly_goalposts_may_only_get_harder(branch: Path) -> None:
    code, out, err = run(base="main", strict=True)
    assert (code, err) == (1, "poc-governor check: 'POC.md': goalposts got easier, which --strict refuses\n")
    assert out == run(base="main")[1]
    before = (CHARTERS / "ok" / "example.md").read_text()
    for now in (before, before.replace(">= 92 %", ">= 95 %")):
        (branch / "POC.md").write_text(now)
        assert run(base="main", strict=True)[::2] == (0, "")
    assert run("nowhere.md", base="main", strict=True)[0] == 2


def test_standard_input_stands_for_the_charter_here(branch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (branch / "POC.md").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run("-", base="main")[1].endswith("-: charter complete; 1 threshold loosened\n")


def test_a_new_charter_has_no_goalposts_to_move(branch: Path) -> None:
    (branch / "OTHER.md").write_bytes((branch / "POC.md").read_bytes())
    assert run("OTHER.md", base="main")[:2][0] == 0
    assert "goalpost" not in run("OTHER.md", base="main")[1]


def test_what_the_base_says_already_is_not_an_error_for_its_date(branch: Path) -> None:
    late = date(2027, 6, 1)
    assert run(today=late)[0] == 1
    assert run(base="main", today=late)[0] == 0
    (branch / "POC.md").write_text((branch / "POC.md").read_text().replace("2027-02-26", "2027-02-27"))
    assert run(base="main", today=late)[0] == 1


@pytest.mark.usefixtures("branch")
@pytest.mark.parametrize("ref", ["nowhere", "--help", "-x", "", "main:POC.md", "a b"])
def test_a_base_that_is_no_commit_is_named(ref: str) -> None:
    code, out, err = run(base=ref)
    assert (code, out) == (2, "")
    assert f"git doesn't know commit {ref!r} here" in err


def test_branches_without_a_common_commit_are_told_what_to_fetch(branch: Path) -> None:
    git(branch, "checkout", "-q", "--orphan", "apart")
    commit(branch, branch / "POC.md", "x")
    code, _, err = run(base="main")
    assert code == 2
    assert "fetch-depth: 0" in err


def test_without_a_repository_or_git_it_says_so(
    branch: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "POC.md").write_bytes((branch / "POC.md").read_bytes())
    code, _, err = run(elsewhere / "POC.md", base="main")
    assert code == 2
    assert "isn't in a git repository" in err
    monkeypatch.setenv("PATH", str(elsewhere))
    code, _, err = run(base="main")
    assert code == 2
    assert "git isn't installed here" in err


def test_paths_are_looked_up_at_the_root_of_a_repository(branch: Path) -> None:
    code, out, _ = run("POC.md")
    assert code == 0
    assert out.splitlines()[-1] == "POC.md: charter complete"
    assert "eval.yml" not in out
    shutil.rmtree(branch / ".github")
    shutil.rmtree(branch / "eval")
    # A sparse checkout leaves files out that git has.
    assert run("POC.md")[0] == 0
    git(branch, "rm", "-q", "-r", "--cached", ".github", "eval")
    code, out, _ = run("POC.md", format="json")
    found = {(each["line"], each["severity"]) for each in json.loads(out)["findings"]}
    assert code == 1
    assert found == {(31, "error"), (23, "notice")}


def test_a_path_that_is_gone_is_a_notice_for_whoever_did_not_write_it(branch: Path) -> None:
    git(branch, "rm", "-q", "-r", ".github")
    code, out, _ = run("POC.md", base="main")
    assert code == 0
    assert "notice: `.github/workflows/eval.yml` isn't in the repository" in out


def test_paths_of_a_charter_elsewhere_are_left_to_github(branch: Path) -> None:
    (branch / "docs").mkdir()
    draft = branch / "docs" / "POC.md"
    draft.write_text((branch / "POC.md").read_text().replace("eval.yml", "evil.yml"))
    code, out, _ = run(draft)
    assert code == 0
    assert "path .github/workflows/evil.yml (GitHub knows)" in out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(draft.read_bytes())))
        assert run("-")[0] == 0
