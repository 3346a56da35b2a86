"""The organisation's policy: what it selects, what a change of it would do, and what a broken one changes."""

from __future__ import annotations

import pytest

from service.demo.person import CheckRun, Pull
from service.reconcile.policy import POLICY_LABEL
from service.rules.policy.model import POLICY_PATH, POLICY_REPOSITORY
from service.rules.values.actions import POLICY_CHECK
from tests.e2e.conftest import POLICED
from tests.harness.emulator import Repo, Stage, good_charter
from tests.harness.waiting import eventually

LABS = 'policy: 1\nselect:\n  names: ["lab-*"]\n'
ELSEWHERE = "policy: 1\nenvironments: [only-here]\n"
OBSERVE = "policy: 1\nmode: observe\n"
BROKEN = "policy: 1\nmode: watch\n"


def home_in(stage: Stage, org: str) -> Repo:
    return stage.repository(POLICY_REPOSITORY, org=org)


def decide(home: Repo, policy: str, *, good: str | None = None) -> None:
    """Push a policy, and wait until what holds is `good`: by default the same."""
    home.commit(POLICY_PATH, policy)
    row = (home.stage.installations[home.org], good or policy, good is not None)
    eventually(lambda: held(home) == row, f"it was read: {policy!r}")
    home.stage.settle()


def held(home: Repo) -> tuple[int, str, bool] | None:
    """The installation, the text that holds, and whether a newer one is broken."""
    rows: list[tuple[int, str, bool]] = home.stage.rows(
        "SELECT installation_id, good_text, broken_since IS NOT NULL FROM policy WHERE repository_id = %s",
        home.id,
    )
    return rows[0] if rows else None


def propose(home: Repo, policy: str, path: str = POLICY_PATH) -> Pull:
    branch = home.stage.name("propose-")
    home.branch(branch)
    home.commit(path, policy, branch)
    return home.person.open_pull(home.name, branch, "Decide otherwise")


def policy_runs(home: Repo, pull: Pull) -> list[CheckRun]:
    return home.person.check_runs(home.name, pull.head_sha, name=POLICY_CHECK)


def policy_run(home: Repo, pull: Pull) -> CheckRun:
    (run,) = eventually(lambda: policy_runs(home, pull), f"{POLICY_CHECK} is on the pull request")
    return run


def reason(repo: Repo) -> str | None:
    ((found,),) = repo.stage.rows("SELECT poc_reason FROM repository WHERE id = %s", repo.id)
    return None if found is None else str(found)


@pytest.mark.parametrize("org", [POLICED[0]])
def test_a_policy_selects_and_a_change_of_it_says_first_what_it_would_do(stage: Stage, org: str) -> None:
    lab, charter = stage.repository(stage.name("lab-"), org=org), good_charter()
    poc, home = stage.poc(org=org, charter=charter), home_in(stage, org)
    assert reason(lab) is None
    decide(home, LABS)
    assert reason(lab) == f"its name, `{lab.name}`"

    before = len(lab.calls()) + len(poc.calls())
    pull = propose(home, ELSEWHERE)
    run = policy_run(home, pull)
    stage.settle()
    assert run.conclusion == "success"
    assert poc.full_name in run.summary
    assert lab.full_name in run.summary
    assert "1 POC would newly fail" in run.title
    assert len(lab.calls()) + len(poc.calls()) == before

    home.merge(pull)
    decide(home, ELSEWHERE + "issues_a_day: 4\n")
    assert reason(lab) is None
    failing = poc.pull("change", POC_md=charter.replace("50 req/s", "60 req/s"))
    stage.settle()
    (judged,) = poc.runs(failing.head_sha)
    assert judged.conclusion == "failure"
    assert any("only-here" in each.message for each in poc.person.annotations(poc.name, judged.id))


@pytest.mark.slow
@pytest.mark.parametrize("org", [POLICED[1]])
def test_a_broken_policy_keeps_the_last_good_one_and_says_so_once(stage: Stage, org: str) -> None:
    lab, home = stage.repository(stage.name("lab-"), org=org), home_in(stage, org)
    decide(home, LABS)
    failing = propose(home, BROKEN)
    run = policy_run(home, failing)
    assert run.conclusion == "failure"
    (annotation,) = home.person.annotations(home.name, run.id)
    assert (annotation.path, annotation.start_line) == (POLICY_PATH, 2)
    untouched = propose(home, "x = 1\n", "model.py")

    decide(home, BROKEN, good=LABS)
    assert reason(lab) is not None
    stage.sweep(None)
    (notice,) = home.person.issues(home.name, label=POLICY_LABEL)
    assert "`watch`" in notice.body
    assert policy_runs(home, untouched) == []
    decide(home, OBSERVE)
    assert len(home.person.issues(home.name, label=POLICY_LABEL)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("org", [POLICED[2]])
def test_observing_by_policy_holds_nobody_up(stage: Stage, org: str) -> None:
    poc, home = stage.poc(org=org), home_in(stage, org)
    pull = poc.pull("model", model_py="x = 1\n")
    poc.expect(pull.head_sha, "action_required")
    decide(home, OBSERVE)
    stage.wait_for_run(poc, pull.head_sha, "neutral")
