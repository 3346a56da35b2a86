"""The check run `POC ship gate`: where it gives a verdict, and by which goalposts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK
from tests.harness.charters import CHARTER, K6, METRICS, SIGNERS, STAGING, files
from tests.harness.deliveries import described
from tests.harness.story import ACCURACY, LATENCY, READY, Said, Story, open_signatures, sha
from tests.harness.world import BASE, HEAD, LOST, OUTSIDE

NEXT = sha("next")
MET = Said("neutral", "Numbers met")
LOOSE = CHARTER.replace("accuracy >= 92 %", "accuracy >= 90 %")
THREE = CHARTER.replace("evidence:", "  - error_rate < 0.5 % over 7 d\nevidence:")
DATA_SCIENCE, PLATFORM, PRODUCT, SECURITY = SIGNERS


# Where


def test_ordinary_work_stays_neutral_while_another_pull_request_asks(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.pull(poc.commit(NEXT, put=files(accuracy=0.9)), number=6)
    assert poc.gate() == open_signatures(4)
    assert poc.gate(NEXT).conclusion == "neutral"


ORDINARY: dict[str, tuple[dict[str, Any], int]] = {
    "touches no number": ({"modified": ["src/app.py"]}, 0),
    "touches a file of evidence": ({"modified": ["src/app.py", METRICS]}, 1),
    "deletes one": ({"removed": [K6]}, 1),
    "only takes in another branch": ({"modified": [METRICS], "message": "Merge branch 'main' into work"}, 0),
    "brings what was on another branch": ({"modified": [METRICS], "distinct": False}, 0),
    "is too long to be kept": ({"modified": [METRICS, *(f"data/{n:05}.json" for n in range(2000))]}, 0),
}


@pytest.mark.parametrize("case", ORDINARY)
def test_ordinary_work_gets_a_gate_where_the_push_names_a_number(poc: Story, case: str) -> None:
    named, gates = ORDINARY[case]
    poc.push_branch(poc.commit(HEAD, put={}), "README.md", **named)
    poc.work()
    poc.pull(pushed=False)
    assert len(poc.runs()) == gates
    assert len(poc.runs(check=CHARTER_CHECK)) == 1


def test_a_push_that_is_told_of_after_its_pull_request_brings_the_gate(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put=files(accuracy=0.9)), pushed=False)
    assert poc.runs() == []
    poc.push_branch()
    poc.work()
    assert poc.gate() == Said("neutral", "Missing for shipping: 1 of 2 thresholds")


def test_a_gate_that_was_posted_is_kept_true_and_a_later_head_needs_none(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}), pushed=False)
    assert poc.runs() == []
    poc.say("/poc ship")
    assert poc.gate().conclusion == "failure"
    poc.pull(number=6, head=poc.commit(NEXT, put={}), pushed=False)
    poc.say("/poc ship", number=6)
    assert poc.gate() == Said("neutral", "Missing for shipping: 2 of 2 thresholds")
    poc.pull(poc.commit(sha("third"), put={}), action="synchronize", pushed=False)
    assert poc.runs(sha("third")) == []


def test_a_change_that_removes_the_charter_gets_a_gate(poc: Story) -> None:
    poc.repo.merge_bases[BASE, HEAD] = BASE
    poc.pull(poc.commit(HEAD, None, {}), pushed=False)
    assert poc.gate().conclusion == "neutral"


def test_a_merge_queues_head_is_neutral(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.commit(NEXT, put=files(accuracy=0.5))
    group = {"head_sha": NEXT, "base_sha": BASE}
    poc.deliver(
        "merge_group", action="checks_requested", merge_group=group, repository=described(poc.repo.described)
    )
    poc.work()
    assert poc.gate(NEXT).conclusion == "neutral"


def test_the_check_runs_lead_to_their_explanation(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    found = {run.name: run.details_url for run in poc.repo.check_runs if run.head_sha == HEAD}
    docs = "https://governor.acme.dev/docs"
    assert found == {CHARTER_CHECK: f"{docs}/charter", GATE_CHECK: f"{docs}/shipping"}


def test_the_default_branch_is_neutral_and_says_what_is_missing(poc: Story) -> None:
    head = poc.land(sha("main"), put=files(accuracy=0.9))
    assert poc.gate(head) == Said("neutral", "Missing for shipping: 1 of 2 thresholds")
    assert poc.runs(head, CHARTER_CHECK) == []


def test_of_two_pull_requests_with_one_head_the_ship_request_has_the_say(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull(number=4)
    poc.ship_request(number=5)
    assert poc.gate() == open_signatures(4)
    poc.pull(number=4, action="edited")
    assert poc.gate() == open_signatures(4)


def test_a_new_head_of_the_ship_request_is_judged_anew(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS)
    poc.pull(poc.commit(NEXT, put=files(accuracy=0.9)), action="synchronize")
    assert poc.gate(NEXT) == Said("failure", "Not ready to ship: 1 missed")
    assert poc.gate() == READY


WITHOUT = {
    "a missing entry of infra": (
        CHARTER.replace("deploy_process: https://ci.example.com/deploy", "deploy_process: missing"),
        Said("failure", "Not ready to ship: deploy_process missing, 4 signatures open"),
    ),
    "a rollback that nobody drilled": (
        CHARTER.replace("  drilled: 2026-11-12 in 4 min\n", ""),
        Said("failure", "Not ready to ship: rollback not drilled, 4 signatures open"),
    ),
    "a pause": (
        CHARTER.replace("target:", "paused: until 2026-12-10 - waiting for data\ntarget:"),
        Said("failure", "Not ready to ship: paused until 10 December 2026, 4 signatures open"),
    ),
    "a stop": (
        CHARTER.replace("target:", "stopped: 2026-11-20 - no demand\ntarget:"),
        Said("failure", "Not ready to ship: stopped on purpose"),
    ),
    "an error": (
        CHARTER.replace("  - accuracy >= 92 %", "  - fast enough\n  - accuracy >= 92 %"),
        Said("failure", "Not ready to ship: the charter has errors"),
    ),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_what_keeps_a_poc_from_shipping_beside_its_numbers(story: Story, case: str) -> None:
    text, verdict = WITHOUT[case]
    story.found(text)
    story.commit(HEAD, text)
    story.ship_request()
    assert story.gate() == verdict


def test_observing_gives_no_verdict(poc: Story) -> None:
    poc.observe()
    poc.commit(HEAD, put={})
    poc.ship_request()
    said = poc.gate()
    assert said.conclusion == "neutral"
    assert said.title.endswith("2 not measured, 4 signatures open (observing)")


# Writing


def test_a_verdict_that_stands_is_written_once(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.github.forget_calls()
    poc.pull(action="edited")
    poc.review("erin-x")
    poc.later(days=1)
    poc.sweep()
    assert poc.github.writes == []


def test_a_re_request_ends_in_a_write_to_both_runs(poc: Story) -> None:
    poc.pull(poc.commit(HEAD))
    [run] = poc.runs()
    shown = {"id": run.id, "name": GATE_CHECK, "head_sha": HEAD}
    poc.deliver("check_run", action="rerequested", check_run=shown, repository=described(poc.repo.described))
    poc.work()
    assert [again.completions for again in poc.repo.check_runs] == [2, 2]


def test_two_re_requests_of_one_press_share_what_they_ask(poc: Story) -> None:
    poc.pull(poc.commit(HEAD))
    poc.github.forget_calls()
    poc.now = datetime.now(UTC) + timedelta(minutes=1)
    for run in poc.repo.check_runs:
        shown = {"id": run.id, "name": run.name, "head_sha": HEAD}
        told = described(poc.repo.described)
        poc.deliver("check_run", action="rerequested", check_run=shown, repository=told)
        poc.work()
    assert [call.method for call in poc.github.calls] == [*OUTSIDE, *["complete_check_run"] * 4]


@pytest.mark.parametrize("place", [0, 1], ids=["the charter's", "the gate's"])
def test_a_run_whose_answer_was_lost_is_posted_once(poc: Story, place: int) -> None:
    poc.commit(HEAD)
    if place:
        poc.pull()
        poc.github.fail_next(LOST, "create_check_run", done=True)
        poc.say("/poc ship")
    else:
        poc.github.fail_next(LOST, "create_check_run", done=True)
        poc.pull()
        poc.say("/poc ship")
    poc.work(waited=True)
    assert len(poc.runs(HEAD, CHARTER_CHECK)) == 1
    assert [str(run.output.conclusion) for run in poc.runs()] in (["neutral", "failure"], ["failure"])


# Goalposts that the change itself eases


def eased(story: Story, now: str, put: dict[str, str] | None = None) -> None:
    """A ship request that changes the charter."""
    story.commit(HEAD, now, files(accuracy=0.91) if put is None else put)
    story.ship_request()


def test_a_loosened_bound_is_judged_by_the_merge_bases_until_both_have_signed(poc: Story) -> None:
    eased(poc, LOOSE)
    assert poc.gate() == Said("failure", "Not ready to ship: 1 missed, 4 signatures open")
    assert "`>= 92 %`" in poc.summary()
    poc.review(DATA_SCIENCE)
    assert poc.gate().title == "Not ready to ship: 1 missed, 3 signatures open"
    poc.review(PRODUCT)
    assert poc.gate() == open_signatures(2)
    assert "`>= 90 %`" in poc.summary()


@pytest.mark.parametrize("people", [(DATA_SCIENCE,), (PRODUCT,), (PLATFORM, SECURITY)], ids=", ".join)
def test_a_loosening_that_not_all_have_signed_does_not_count(poc: Story, people: tuple[str, ...]) -> None:
    eased(poc, LOOSE)
    poc.review(*people)
    assert "1 missed" in poc.gate().title


def test_approvals_from_before_the_loosening_do_not_sign_it(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS)
    poc.pull(poc.commit(NEXT, LOOSE, files(accuracy=0.91)), action="synchronize")
    assert poc.gate(NEXT) == Said("failure", "Not ready to ship: 1 missed, 2 signatures open")


def test_a_loosening_signed_before_anybody_asked_to_ship_counts(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, LOOSE, files(accuracy=0.91)))
    poc.review(DATA_SCIENCE, PRODUCT)
    assert poc.gate() == MET


def test_a_signature_that_is_taken_back_brings_the_old_bound_back(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, LOOSE, files(accuracy=0.91)))
    poc.review(DATA_SCIENCE)
    review = poc.review(PRODUCT)
    assert poc.gate() == MET
    poc.dismiss(PRODUCT, review)
    assert poc.gate() == Said("neutral", "Missing for shipping: 1 of 2 thresholds")


EASED = {
    "a deleted threshold": (
        re.sub(r"  - accuracy.*\n|  accuracy: .*\n", "", THREE),
        files(),
        "2 not measured",
        (DATA_SCIENCE, PRODUCT),
    ),
    "a condition less": (
        THREE.replace(" on tickets-2026q3 with n >= 2000", " with n >= 1000"),
        {},
        "under other conditions",
        (DATA_SCIENCE, PRODUCT),
    ),
    "another environment to measure in": (
        THREE.replace("measured_in: support-staging", "measured_in: support-dev"),
        {},
        "from another environment",
        (PLATFORM,),
    ),
}


@pytest.mark.parametrize("case", EASED)
def test_what_else_may_be_eased_is_held_as_well(story: Story, case: str) -> None:
    now, put, missing, people = EASED[case]
    story.found(THREE)
    eased(story, now, put)
    if not put:
        environment = "support-dev" if "environment" in case else STAGING
        numbers = (LATENCY, replace(ACCURACY, dataset="mine" if "condition" in case else ACCURACY.dataset))
        story.upload(HEAD, *(replace(number, environment=environment) for number in numbers))
    assert missing in story.gate().title
    story.review(*people[1:])
    assert len(people) == 1 or missing in story.gate().title
    story.review(*people[:1])
    assert missing not in story.gate().title


def test_a_tightened_bound_counts_at_once(poc: Story) -> None:
    eased(poc, CHARTER.replace("accuracy >= 92 %", "accuracy >= 94 %"), files())
    assert poc.gate() == Said("failure", "Not ready to ship: 1 missed, 4 signatures open")


def test_new_signers_of_ones_own_do_not_sign_the_loosening_that_names_them(poc: Story) -> None:
    eased(
        poc,
        LOOSE.replace("product: carol-s", "product: erin-x").replace("science: alice-k", "science: frank-y"),
    )
    poc.review("erin-x", "frank-y")
    assert "1 missed" in poc.gate().title


def test_a_branch_behind_is_judged_by_the_base_whatever_it_holds(poc: Story) -> None:
    poc.commit(HEAD, CHARTER, files(accuracy=0.91))
    poc.pull()
    assert poc.gate().title == "Missing for shipping: 1 of 2 thresholds"
    poc.land(sha("main"), LOOSE)
    poc.sign(DATA_SCIENCE, PRODUCT)
    poc.pull(action="edited")
    assert poc.gate() == MET


def test_a_bound_that_is_on_the_default_branch_counts_once_it_is_signed(poc: Story) -> None:
    poc.land(sha("main"), LOOSE)
    poc.pull(poc.commit(HEAD, LOOSE, files(accuracy=0.91)))
    assert poc.gate().title == "Missing for shipping: 1 of 2 thresholds"
    assert "Made easier, and not signed" in poc.summary()
    poc.sign(DATA_SCIENCE, PRODUCT)
    poc.pull(action="edited")
    assert poc.gate() == MET


def test_a_deleted_charter_ships_nothing(poc: Story) -> None:
    poc.commit(HEAD, None)
    poc.repo.merge_bases[BASE, HEAD] = BASE
    poc.ship_request()
    assert poc.gate().conclusion == "failure"
    assert poc.gate() != READY


# What was agreed on, whatever stood in between

STRANGERS = tuple(f"new-{place}" for place in range(len(SIGNERS)))
STOP = ("target:", "stopped: 2026-11-20 - no demand\ntarget:")


def taken_over(text: str) -> str:
    """A charter with a looser bound, and other people to sign it."""
    for login, new in zip(SIGNERS, STRANGERS, strict=True):
        text = text.replace(login, new)
    return text.replace(">= 92 %", ">= 10 %")


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(CHARTER.replace(*STOP), id="stopped"),
        pytest.param(taken_over(CHARTER).replace(*STOP), id="stopped with another charter"),
        pytest.param(CHARTER.replace("  - accuracy >= 92 %", "  - fast enough"), id="errors"),
        pytest.param(None, id="no charter"),
        pytest.param("# Triage\n", id="prose"),
        pytest.param(taken_over(CHARTER), id="the looser charter, which nobody had signed"),
    ],
)
def test_a_charter_is_compared_with_the_last_one_that_was_signed(poc: Story, between: str | None) -> None:
    poc.land(sha("between"), between, put={})
    eased = taken_over(CHARTER) + ("" if between is None or "new-0" not in between else "\nAgain.\n")
    poc.commit(HEAD, eased, files(accuracy=0.5))
    poc.repo.merge_bases[BASE, HEAD] = sha("between")
    poc.pull()
    if between != taken_over(CHARTER):
        assert "sign too: this change names them." in poc.charter_check()
        assert "`alice-k`" in poc.charter_check()
    poc.say("/poc ship")
    poc.review(*STRANGERS)
    assert "missed by 42 points" in poc.summary()
    assert "data science (`alice-k`) and product (`carol-s`) have approved" in poc.summary()
    poc.land(HEAD, eased, put=files(accuracy=0.5))
    answer = poc.ask_to_deploy()
    assert answer is not None
    assert not answer.approved
    assert "made easier, and not signed" in answer.comment
    assert poc.state_of_poc() == "proposed"
    poc.sign("alice-k", "carol-s")
    answer = poc.ask_to_deploy()
    assert answer is not None
    assert "eased" not in answer.comment


def test_who_signed_before_is_waited_for_first(poc: Story) -> None:
    poc.land(HEAD, taken_over(CHARTER))
    poc.sign(*STRANGERS)
    assert poc.rows("SELECT people FROM turn ORDER BY id DESC LIMIT 1") == [(["alice-k"],)]
