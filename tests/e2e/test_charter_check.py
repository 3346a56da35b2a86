from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from service.demo.charters import ADJECTIVES
from service.rules.checks.judge import judge
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.actions import CHARTER_CHECK
from tests.harness.emulator import Repo, Stage, good_charter


@pytest.fixture
def bare(stage: Stage) -> Repo:
    return stage.poc()


@pytest.fixture
def chartered(stage: Stage) -> Repo:
    return stage.poc(charter=good_charter())


def test_no_charter_asks_for_one_with_a_link_to_a_draft(bare: Repo) -> None:
    run = bare.expect(bare.pull("model", model_py="x = 1\n").head_sha, "action_required")
    link = run.summary.split("](", 1)[1].split(")**")[0]
    assert urlsplit(link).path == f"/{bare.full_name}/new/main"
    query = parse_qs(urlsplit(link).query)
    assert query["filename"] == ["POC.md"]
    draft = query["value"][0].encode()
    verdict = judge(CharterFile(FileKind.FILE, draft, "0", len(draft)), today=datetime.now(UTC).date())
    assert verdict.declared
    assert verdict.charter is not None
    for finding in verdict.findings:
        assert "TODO" in draft.decode().splitlines()[finding.line - 1]


def test_adjectives_fail_with_an_annotation_on_each_line(bare: Repo) -> None:
    run = bare.expect(bare.pull("adjectives", POC_md=ADJECTIVES).head_sha, "failure")
    lines = ADJECTIVES.splitlines()
    failed = [a for a in bare.person.annotations(bare.name, run.id) if a.level == "failure"]
    assert {a.path for a in failed} == {"POC.md"}
    about = {lines[a.start_line - 1].strip() for a in failed}
    assert {"ship_by: soon", "load: a lot", "- it should be fast", "- accuracy is good enough"} <= about
    assert "needs" in run.title or "need a change" in run.title


def test_good_charter_succeeds_and_shows_itself_as_a_table(bare: Repo) -> None:
    run = bare.expect(bare.pull("numbers", POC_md=good_charter()).head_sha, "success")
    for shown in ("| owner | `jane-doe` |", "support-prod", "latency_p95 <= 300 ms", "50 req/s", "okta-oidc"):
        assert shown in run.summary


@pytest.mark.slow
def test_fifty_findings_are_annotated_and_all_are_in_the_summary(bare: Repo, stage: Stage) -> None:
    text = good_charter().replace(
        "rollback:", "evidence:\n" + "".join(f"  zz{n}: README.md $.x\n" for n in range(70)) + "rollback:"
    )
    run = bare.expect(bare.pull("many", POC_md=text).head_sha, "failure")
    stage.settle()
    sent = [
        call.json["output"]["annotations"] for call in bare.writes() if call.json["name"] == CHARTER_CHECK
    ]
    assert [len(part) for part in sent] == [50]
    lines = [annotation["start_line"] for part in sent for annotation in part]
    first = text.splitlines().index("  zz0: README.md $.x") + 1
    assert lines == list(range(first, first + 50))
    assert all(f"| {line} |" in run.summary for line in range(first, first + 70))
    assert "70 findings" in run.summary


def test_branch_behind_is_judged_by_the_charter_of_the_base(bare: Repo, stage: Stage) -> None:
    bare.branch("early", model_py="x = 1\n")
    stage.settle(bare)
    known = len(bare.reads_of_main())
    bare.commit("POC.md", good_charter())
    stage.until(lambda: len(bare.reads_of_main()) > known, "the charter was read from main")
    stage.settle()
    run = bare.expect(bare.person.open_pull(bare.name, "early", "Early").head_sha, "success")
    assert "judged by the charter on `main`" in run.summary
    assert run.title == "Charter complete on main"
    assert bare.person.annotations(bare.name, run.id) == []
    stage.settle()
    assert len(bare.runs(run.head_sha)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("moved", [False, True])
def test_deleting_or_renaming_the_charter_fails(chartered: Repo, moved: bool) -> None:
    files: dict[str, str | None] = {"POC_md": None} | ({"POCS_md": good_charter()} if moved else {})
    run = chartered.expect(chartered.pull("away", **files).head_sha, "failure")
    assert "stopped: YYYY-MM-DD" in run.summary


@pytest.mark.slow
def test_pull_request_that_leaves_the_charter_alone_succeeds(chartered: Repo) -> None:
    run = chartered.expect(chartered.pull("model", model_py="x = 1\n").head_sha, "success")
    assert run.title == "Charter complete"


@pytest.mark.slow
def test_pull_request_to_another_branch_is_judged_by_that_branch(bare: Repo) -> None:
    bare.branch("release", POC_md=good_charter(owner="alice-x"))
    bare.branch("fix", base="main", fix_py="x = 1\n")
    pull = bare.person.open_pull(bare.name, "fix", "Fix", base="release")
    run = bare.expect(pull.head_sha, "success")
    assert "judged by the charter on `release`" in run.summary
    assert "alice-x" in run.summary


@pytest.mark.slow
def test_stopped_charter_succeeds_and_says_so(bare: Repo) -> None:
    text = good_charter(stopped=f"{datetime.now(UTC).date()} - accuracy stays below the bound")
    run = bare.expect(bare.pull("stop", POC_md=text).head_sha, "success")
    assert run.title == "Stopped on purpose"


@pytest.mark.slow
@pytest.mark.parametrize("author", ["dependabot[bot]", "renovate[bot]"])
def test_bots_that_cannot_bring_a_charter_are_not_asked_for_one(bare: Repo, author: str) -> None:
    sha = bare.branch("bump", lock_txt="2\n")
    values = {
        "number": 1,
        "state": "open",
        "head_sha": sha,
        "head_ref": "bump",
        "base_ref": "main",
        "base_sha": bare.person.head(bare.name),
        "author": author,
        "author_type": "Bot",
        "sender": author,
        "sender_type": "Bot",
    }
    bare.deliver("pull_request.opened", **values)
    assert "has no charter yet" in bare.expect(sha, "neutral").summary
