from __future__ import annotations

import pytest

from service.demo.charters import ADJECTIVES
from tests.harness.emulator import Repo, Stage, good_charter, recorded, stamp
from tests.harness.gateway import Call
from tests.harness.webhooks import delivery_id


@pytest.fixture
def chartered(stage: Stage) -> Repo:
    return stage.poc(charter=good_charter())


def shown(calls: list[object]) -> list[str]:
    return [str(call) for call in calls]


def test_moved_head_gets_its_own_check_run(chartered: Repo, stage: Stage) -> None:
    pull = chartered.pull("model", model_py="x = 1\n")
    chartered.expect(pull.head_sha, "success")
    moved = chartered.commit("POC.md", ADJECTIVES, "model")
    chartered.synchronize(pull, moved, before=pull.head_sha)
    chartered.expect(moved, "failure")
    stage.settle()
    assert len(chartered.runs(pull.head_sha)) == 1


def test_duplicate_delivery_does_nothing_more(chartered: Repo, stage: Stage) -> None:
    pull = chartered.pull("model", model_py="x = 1\n")
    chartered.expect(pull.head_sha, "success")
    moved = chartered.commit("other.py", "y = 1\n", "model")
    values = {
        "installation_id": stage.installations["acme"],
        "repository": chartered.described(),
        "full_name": chartered.full_name,
        "sender": "jane-doe",
        "sender_id": 1,
        "sender_type": "User",
        "before": pull.head_sha,
    }
    body = recorded("pull_request.synchronize", values | chartered.pull_values(pull, moved))
    delivery = delivery_id()
    stage.post("pull_request", body, delivery)
    chartered.expect(moved, "success")
    stage.settle()
    before, deliveries = chartered.calls(), stage.serve.deliveries()
    assert stage.post("pull_request", body, delivery).status_code == 202
    stage.settle()
    assert stage.serve.deliveries() == deliveries
    assert chartered.calls() == before


@pytest.mark.slow
def test_older_event_that_comes_later_changes_nothing(chartered: Repo, stage: Stage) -> None:
    first = chartered.branch("model", model_py="x = 1\n")
    pull = chartered.person.open_pull(chartered.name, "model", "Model")
    chartered.expect(first, "success")
    second = chartered.commit("POC.md", ADJECTIVES, "model")
    third = chartered.commit("POC.md", good_charter(owner="alice-x"), "model")
    chartered.synchronize(pull, third, before=second, updated_at=stamp(seconds=9))
    chartered.expect(third, "success")
    chartered.synchronize(pull, second, before=first, updated_at=stamp(seconds=5))
    chartered.deliver("pull_request.opened", **chartered.pull_values(pull, first))
    stage.settle()
    assert chartered.runs(second) == []
    assert len(chartered.runs(first)) == len(chartered.runs(third)) == 1


@pytest.mark.slow
def test_of_two_events_of_one_second_the_one_that_replaced_the_other_stands(
    chartered: Repo, stage: Stage
) -> None:
    pull = chartered.pull("model", model_py="x = 1\n")
    chartered.expect(pull.head_sha, "success")
    second = chartered.commit("a.py", "a = 1\n", "model")
    third = chartered.commit("b.py", "b = 1\n", "model")
    when = stamp(seconds=5)
    chartered.synchronize(pull, third, before=second, updated_at=when)
    chartered.expect(third, "success")
    chartered.synchronize(pull, second, before=pull.head_sha, updated_at=when)
    stage.settle()
    assert chartered.runs(second) == []


def test_event_in_steady_state_costs_one_read_and_one_check_run(chartered: Repo, stage: Stage) -> None:
    chartered.expect(chartered.pull("first", first_py="x = 1\n").head_sha, "success")
    sha = chartered.branch("model", model_py="x = 1\n")
    stage.settle()
    before = stage.api.calls()
    pull = chartered.person.open_pull(chartered.name, "model", "Model")
    chartered.expect(sha, "success")
    stage.settle()
    new = stage.api.calls()[len(before) :]
    place = f"/repos/{chartered.full_name}"
    assert shown([*new]) == [f"GET {place}/contents/POC.md", f"POST {place}/check-runs"]
    assert new[0].query["ref"] == [sha]

    chartered.deliver("pull_request.opened", **chartered.pull_values(pull))
    stage.settle()
    chartered.synchronize(pull, sha, before=sha)
    stage.settle()
    assert len(stage.api.calls()) == len(before) + 2


@pytest.mark.slow
def test_moved_head_in_steady_state_costs_one_read_and_one_check_run(chartered: Repo, stage: Stage) -> None:
    pull = chartered.pull("model", model_py="x = 1\n")
    chartered.expect(pull.head_sha, "success")
    moved = chartered.commit("model.py", "x = 2\n", "model")
    stage.settle()
    before = stage.api.calls()
    chartered.synchronize(pull, moved, before=pull.head_sha)
    chartered.expect(moved, "success")
    stage.settle()
    new = stage.api.calls()[len(before) :]
    assert [call.method for call in new] == ["GET", "POST"]
    assert new[0].query["ref"] == [moved]


@pytest.mark.slow
def test_changed_charter_on_main_is_judged_again_on_open_pull_requests(bare: Repo, stage: Stage) -> None:
    pull = bare.pull("model", model_py="x = 1\n")
    bare.expect(pull.head_sha, "action_required")
    bare.commit("POC.md", good_charter())
    stage.wait_for_run(bare, pull.head_sha, "success")
    assert len(bare.runs(pull.head_sha)) == 2


@pytest.mark.slow
def test_pull_request_that_gets_another_base_is_judged_by_that(chartered: Repo, stage: Stage) -> None:
    chartered.branch("release", POC_md=good_charter(owner="alice-x"))
    pull = chartered.pull("model", onto="main", model_py="x = 1\n")
    assert "`jane-doe`" in chartered.expect(pull.head_sha, "success").summary
    former = {"former_base_ref": "main", "former_base_sha": chartered.person.head(chartered.name)}
    chartered.deliver("pull_request.edited", **chartered.pull_values(pull, base="release") | former)
    stage.until(lambda: "alice-x" in chartered.runs(pull.head_sha)[0].summary, "it was judged again")


@pytest.mark.slow
def test_two_pull_requests_of_one_commit_share_its_check_run(bare: Repo, stage: Stage) -> None:
    bare.branch("release")
    pull = bare.pull("model", onto="main", model_py="x = 1\n")
    run = bare.expect(pull.head_sha, "action_required")
    bare.person.open_pull(bare.name, "model", "Into the release as well", base="release")
    stage.until(lambda: len(stage.told("pull_request", bare)) == 2, "the second one is known")
    stage.settle()
    assert bare.expect(pull.head_sha, "action_required").id == run.id


def test_merged_charter_is_what_open_pull_requests_are_judged_by(bare: Repo, stage: Stage) -> None:
    pull = bare.pull("model", model_py="x = 1\n")
    bare.expect(pull.head_sha, "action_required")
    charter = bare.pull("charter", POC_md=good_charter())
    bare.expect(charter.head_sha, "success")
    bare.person.merge_pull(bare.name, charter.number)
    assert "`main`" in stage.wait_for_run(bare, pull.head_sha, "success").summary
    stage.settle()
    assert len(bare.runs(charter.head_sha)) == 1


@pytest.mark.slow
def test_closed_pull_request_gets_no_check_run(chartered: Repo, stage: Stage) -> None:
    pull = chartered.pull("model", model_py="x = 1\n")
    chartered.expect(pull.head_sha, "success")
    moved = chartered.commit("other.py", "y = 1\n", "model")
    values = chartered.pull_values(pull, moved) | {"state": "closed", "before": pull.head_sha}
    chartered.deliver("pull_request.synchronize", **values)
    stage.settle()
    assert chartered.runs(moved) == []


def test_merge_queue_head_gets_the_check_run(chartered: Repo) -> None:
    base = chartered.person.head(chartered.name)
    queued = chartered.branch("queue", model_py="x = 1\n")
    chartered.deliver("merge_group.checks_requested", head_sha=queued, base_sha=base, number=1)
    chartered.expect(queued, "success")


@pytest.mark.slow
def test_merge_queue_head_that_deletes_the_charter_fails(chartered: Repo) -> None:
    base = chartered.person.head(chartered.name)
    queued = chartered.branch("queue", POC_md=None)
    chartered.deliver("merge_group.checks_requested", head_sha=queued, base_sha=base, number=1)
    chartered.expect(queued, "failure")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["run", "suite"])
def test_re_request_completes_the_same_run_without_annotations(bare: Repo, stage: Stage, what: str) -> None:
    pull = bare.pull("adjectives", POC_md=ADJECTIVES)
    run = bare.expect(pull.head_sha, "failure")
    stage.settle()
    posted = bare.writes()
    if what == "run":
        bare.person.rerequest_check_run(bare.name, run.id)
    else:
        bare.person.rerequest_check_suite(bare.name, run.suite_id)
    stage.until(lambda: len(bare.writes()) > len(posted), "the runs were completed again")
    stage.settle()
    again, gate = bare.writes()[len(posted) :]
    assert (gate.method, gate.json["conclusion"]) == ("PATCH", "neutral")
    assert str(again) == f"PATCH /repos/{bare.full_name}/check-runs/{run.id}"
    assert again.json["status"] == "completed"
    assert again.json["conclusion"] == "failure"
    assert not again.json["output"].get("annotations")
    assert bare.expect(pull.head_sha, "failure").id == run.id


def test_re_request_on_a_merge_queue_head_completes_its_run(chartered: Repo, stage: Stage) -> None:
    queued = chartered.branch("queue", model_py="x = 1\n")
    base = chartered.person.head(chartered.name)
    chartered.deliver("merge_group.checks_requested", head_sha=queued, base_sha=base, number=1)
    run = chartered.expect(queued, "success")
    chartered.person.rerequest_check_run(chartered.name, run.id)

    def again() -> list[Call]:
        return [call for call in chartered.writes() if call.path.endswith(f"/check-runs/{run.id}")]

    stage.until(lambda: chartered.runs(queued)[0].status == "completed" and again(), "it is completed again")
    assert chartered.expect(queued, "success").id == run.id


@pytest.fixture
def bare(stage: Stage) -> Repo:
    return stage.poc()


def test_what_happened_to_pull_requests_untold_is_found_by_the_daily_list(
    chartered: Repo, stage: Stage
) -> None:
    def a_day_later() -> None:
        listed = "UPDATE poc SET pulls_listed_at = now() - interval '1 day' WHERE repository_id = %s"
        stage.database.execute(listed, (chartered.id,))
        stage.sweep(None)

    with chartered.told_nothing():
        pull = chartered.pull("untold", model_py="x = 1\n")
    a_day_later()
    assert chartered.expect(pull.head_sha, "success").title == "Charter complete"
    with chartered.told_nothing():
        chartered.person.call(
            "PATCH", f"/repos/{chartered.full_name}/pulls/{pull.number}", {"state": "closed"}
        )
    a_day_later()
    state = "SELECT state FROM pull_request WHERE repository_id = %s AND number = %s"
    assert stage.rows(state, chartered.id, pull.number) == [("closed",)]
