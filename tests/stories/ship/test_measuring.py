"""Numbers from files and from workflow runs: which count for which commit, for how long, and what is kept."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest

from service.ports import LARGEST_BLOB
from service.reconcile import measuring
from service.rules.evidence.reading import document_of
from service.rules.values.subjects import pull_request_key
from tests.harness.charters import CHARTER, K6, METRICS, PRODUCTION, SIGNERS, UNMEASURED, files
from tests.harness.story import ACCURACY, LATENCY, Said, Story, sent, sha
from tests.harness.world import BASE, HEAD, LOST, OUTSIDE

NEXT, MERGE = sha("next"), sha("test merge")
MET = Said("neutral", "Numbers met")
ONE_MISSING = Said("neutral", "Missing for shipping: 1 of 2 thresholds")
TWO_MISSING = Said("neutral", "Missing for shipping: 2 of 2 thresholds")


# Files of the commit


FILES: dict[str, tuple[dict[str, str | bytes], Said, str]] = {
    "all there": ({**files()}, MET, "met, 29 % to spare"),
    "missed": ({**files(accuracy=0.914)}, ONE_MISSING, "missed by 0.6 points"),
    "a file is missing": ({**files(accuracy=None)}, ONE_MISSING, METRICS),
    "a file is empty": ({**files(), METRICS: ""}, ONE_MISSING, METRICS),
    "a file is no JSON": ({**files(), METRICS: "accuracy: [0.93"}, ONE_MISSING, METRICS),
    "a file is not text": ({**files(), METRICS: b"\xff\xfe\x00"}, ONE_MISSING, METRICS),
    "the path finds nothing": ({**files(), METRICS: '{"acc": 0.93}'}, ONE_MISSING, "$.accuracy"),
    "the path finds a string": ({**files(), METRICS: '{"accuracy": "good"}'}, ONE_MISSING, "$.accuracy"),
    "not a number": ({**files(), METRICS: '{"accuracy": NaN}'}, ONE_MISSING, METRICS),
    "too large to read": ({**files(), METRICS: b" " * LARGEST_BLOB + b"{}"}, ONE_MISSING, "larger than 5 MB"),
    "above all that is natural": ({**files(accuracy=1.31)}, ONE_MISSING, "1.31 isn't a ratio"),
    "below all that is natural": ({**files(latency=-3)}, ONE_MISSING, "-3 ms"),
}


@pytest.mark.parametrize("case", FILES)
def test_what_the_files_of_a_commit_say(poc: Story, case: str) -> None:
    put, verdict, said = FILES[case]
    poc.pull(poc.commit(HEAD, put=put))
    assert poc.gate() == verdict
    assert said in poc.summary()
    assert not poc.state(pull_request_key(1, 5)).dead


def test_the_charter_check_shows_the_same_numbers(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put=files(accuracy=0.914)))
    assert "measured 212.4 ms on 23 November 2026" in poc.charter_check()
    assert "measured 91.4 % on 23 November 2026 (missed)" in poc.charter_check()


TWO_LINES = CHARTER.replace("  - accuracy", "  - latency_p99 <= 400 ms at 50 req/s\n  - accuracy").replace(
    "  accuracy: ", f'  latency_p99: {K6} $.metrics.http_req_duration["p(99)"] ms\n  accuracy: '
)
BOTH = {**files(), K6: '{"metrics": {"http_req_duration": {"p(95)": 212, "p(99)": 380}}}'}


def test_a_file_with_two_numbers_is_read_once_and_parsed_once(story: Story) -> None:
    story.found(TWO_LINES)
    with patch.object(measuring, "document_of", wraps=document_of) as parsed:
        story.pull(story.commit(HEAD, TWO_LINES, BOTH))
    assert story.gate() == MET
    assert sorted(call.args[0] for call in parsed.call_args_list) == [METRICS, K6]
    assert len(story.github.made("blob")) == 2


def test_calls_of_a_pull_request_event(poc: Story) -> None:
    """One tree call, a read for each changed file, a write for each changed verdict."""
    poc.pull(poc.commit(HEAD))
    calls = [call.method for call in poc.github.calls if call.method not in OUTSIDE]
    assert calls == ["blob_shas", "blob", "blob", "create_check_run", "create_check_run"]
    poc.github.forget_calls()
    poc.pull(poc.commit(NEXT), action="synchronize")
    assert [str(call) for call in poc.github.calls] == [
        f"blob_shas {NEXT}",
        f"create_check_run {NEXT} success",
        f"create_check_run {NEXT} neutral",
    ]
    poc.github.forget_calls()
    poc.pull(NEXT, action="edited")
    poc.sweep()
    assert poc.github.made("blob_shas", "blob", "charter_file", "create_check_run") == []


def test_a_changed_charter_and_a_changed_file_cost_a_read_each(poc: Story) -> None:
    poc.land(BASE)
    poc.pull(poc.commit(HEAD))
    poc.github.forget_calls()
    text = CHARTER.replace("within: 10 min", "within: 9 min")
    poc.pull(poc.commit(NEXT, text, files(accuracy=0.94)), action="synchronize")
    assert [call.method for call in poc.github.calls if call.method not in (*OUTSIDE, "merge_base")] == [
        "blob_shas",
        "blob",
        "blob",
        "create_check_run",
        "create_check_run",
    ]


def test_an_outage_while_reading_reads_nothing_twice(poc: Story) -> None:
    poc.github.fail_next(LOST, "blob", done=True)
    poc.pull(poc.commit(HEAD))
    assert poc.runs() == []
    poc.work(waited=True)
    assert poc.gate() == MET
    assert len(poc.github.made("blob_shas")) == 1
    assert len(poc.github.made("blob")) == 3


# Their age


def test_a_file_is_as_old_as_the_first_sight_of_its_content(poc: Story) -> None:
    poc.pull(poc.commit(HEAD))
    poc.later(days=10)
    poc.pull(poc.commit(NEXT), action="synchronize")
    assert poc.gate(NEXT) == MET
    poc.later(days=4, minutes=30)
    poc.pull(poc.commit(sha("third")), action="synchronize")
    assert poc.gate(sha("third")) == TWO_MISSING
    assert "unchanged since 23 November 2026, counts for 14 calendar days" in poc.summary(sha("third"))


def test_only_what_was_measured_again_is_fresh(poc: Story) -> None:
    poc.pull(poc.commit(HEAD))
    poc.later(days=15)
    poc.pull(poc.commit(NEXT, put=files(accuracy=0.932)), action="synchronize")
    assert poc.gate(NEXT) == ONE_MISSING
    assert "unchanged since" in poc.summary(NEXT)


def test_a_look_that_is_asked_for_on_another_day_dates_nothing_by_it(poc: Story) -> None:
    poc.commit(HEAD)
    with poc.without_workers():
        poc.pull()
    poc.sweep(as_of=poc.now + timedelta(days=40))
    [(first_seen,)] = poc.rows("SELECT DISTINCT first_seen_at FROM blob")
    assert first_seen <= poc.now


def test_a_green_gate_turns_red_by_the_sweep_when_its_numbers_are_too_old(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS)
    assert poc.gate().conclusion == "success"
    poc.later(days=15)
    poc.sweep()
    assert poc.gate() == Said("failure", "Not ready to ship: 2 too old")


def test_a_run_is_as_old_as_its_arrival(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}))
    poc.upload(HEAD)
    assert poc.gate() == MET
    poc.later(days=15)
    poc.sweep()
    assert poc.gate() == TWO_MISSING
    assert "taken on 23 November 2026, counts for 14 calendar days" in poc.summary()


# Workflow runs


def test_numbers_for_the_head_count_and_are_shown_as_measured(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}))
    assert poc.runs() == []
    poc.upload(HEAD)
    assert poc.gate() == MET
    assert "93.1 % (n 2 140)" in poc.summary()


def test_a_measured_number_goes_before_a_files(poc: Story) -> None:
    poc.pull(poc.commit(HEAD))
    poc.upload(HEAD, sent("accuracy", "90.1", "%", dataset="tickets-2026q3", n=2140))
    assert poc.gate() == ONE_MISSING
    assert "missed by 1.9 points" in poc.summary()


SENT = {
    "as asked": (ACCURACY, ""),
    "in the environment to ship to": (
        sent("accuracy", "93.1", "%", dataset="tickets-2026q3", n=2140, environment=PRODUCTION.upper()),
        "",
    ),
    "another spelling of the metric's unit": (
        sent("accuracy", "0.931", "ratio", dataset="tickets-2026q3", n=2140),
        "",
    ),
    "another environment": (
        sent("accuracy", "93.1", "%", dataset="tickets-2026q3", n=2140, environment="dev"),
        "taken in dev: measure it in support-staging",
    ),
    "another segment": (
        sent("accuracy", "93.1", "%", dataset="tickets-2026q3", n=2140, segment="vip"),
        "measure it in support-staging",
    ),
    "another data set": (
        sent("accuracy", "93.1", "%", dataset="tickets-2025q3", n=2140),
        "taken on tickets-2025q3",
    ),
    "too few": (sent("accuracy", "93.1", "%", dataset="tickets-2026q3", n=1999), "only n 1 999"),
    "above all that is natural": (
        sent("accuracy", "131", "%", dataset="tickets-2026q3", n=2140),
        "131 %",
    ),
}


@pytest.mark.parametrize("case", SENT)
def test_under_which_conditions_a_run_counts(story: Story, case: str) -> None:
    number, why = SENT[case]
    story.found(UNMEASURED)
    story.pull(story.commit(HEAD, UNMEASURED, {}))
    story.upload(HEAD, LATENCY, number)
    assert story.gate() == (ONE_MISSING if why else MET)
    assert why in story.summary()


def test_a_segment_speaks_for_its_own_line(story: Story) -> None:
    line = "  - accuracy >= 90 % for vip on tickets-2026q3 with n >= 200\n"
    text = UNMEASURED.replace("rollback:", f"{line}rollback:")
    story.found(text)
    story.pull(story.commit(HEAD, text, {}))
    vip = sent("accuracy", "90.8", "%", dataset="tickets-2026q3", n=300, segment="vip")
    story.upload(HEAD, LATENCY, ACCURACY, vip)
    assert story.gate() == MET


def test_only_measured_numbers_ship_where_that_is_asked_for(poc: Story) -> None:
    poc.only_measured()
    poc.commit(HEAD)
    poc.ship_request()
    assert poc.gate() == Said("failure", "Not ready to ship: 2 only self-reported, 4 signatures open")
    poc.upload(HEAD, LATENCY)
    assert poc.gate() == Said("failure", "Not ready to ship: 1 only self-reported, 4 signatures open")
    poc.upload(HEAD, ACCURACY)
    assert poc.gate() == Said("failure", "Not ready to ship: 4 signatures open")


# Test merges, and commits that hold the same files


def test_a_run_on_a_test_merge_counts_for_the_pull_requests_head(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}))
    poc.commit(MERGE, parents=(sha("base"), HEAD))
    poc.upload(MERGE, number=5)
    assert poc.gate() == MET
    assert poc.rows("SELECT DISTINCT run_sha, commit_sha FROM evidence") == [(MERGE, HEAD)]
    assert poc.runs(MERGE) == []


def test_a_test_merge_of_an_earlier_head_says_nothing_about_the_present_one(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}))
    poc.pull(poc.commit(NEXT, put={}), action="synchronize")
    poc.commit(MERGE, parents=(sha("base"), HEAD))
    poc.upload(MERGE, number=5)
    assert poc.runs(NEXT) == []
    assert "93.1" not in poc.charter_check(NEXT)


def test_a_test_merge_is_asked_about_again_after_an_outage(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}))
    poc.commit(MERGE, parents=(sha("base"), HEAD))
    poc.github.fail_next(LOST, "commit")
    poc.upload(MERGE, number=5)
    assert poc.runs() == []
    poc.work(waited=True)
    assert poc.gate() == MET


def test_a_test_merge_that_is_gone_is_asked_about_once(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}))
    poc.upload(MERGE, number=5)
    poc.sweep()
    assert poc.runs() == []
    assert len(poc.github.made("commit")) == 1


def test_a_squashed_commit_holds_the_same_files_so_its_numbers_count_there(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}, tree="shared"))
    poc.upload(HEAD)
    squashed = poc.land(sha("squashed"), put={}, tree="shared")
    assert poc.gate(squashed) == MET
    other = poc.land(sha("other"), put={}, tree="another")
    assert poc.gate(other) == TWO_MISSING


def test_of_a_pull_requests_head_only_its_own_numbers_count(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}, tree="shared"))
    poc.upload(HEAD)
    poc.pull(poc.commit(NEXT, put={}, tree="shared"), number=6)
    assert poc.gate(HEAD) == MET
    assert poc.runs(NEXT) == []
    assert "93.1" not in poc.charter_check(NEXT)


# History


def test_what_was_measured_is_never_overwritten(poc: Story) -> None:
    poc.pull(poc.commit(HEAD))
    poc.pull(poc.commit(NEXT, put=files(accuracy=0.94)), action="synchronize")
    poc.upload(NEXT, ACCURACY, job="1")
    poc.upload(NEXT, sent("accuracy", "94.4", "%", dataset="tickets-2026q3", n=2140), job="2")
    rows = poc.rows("SELECT commit_sha, level, value FROM evidence WHERE metric = 'accuracy' ORDER BY id")
    assert rows == [
        (HEAD, "self-reported", "0.931"),
        (NEXT, "self-reported", "0.94"),
        (NEXT, "measured", "93.1"),
        (NEXT, "measured", "94.4"),
    ]
    before = poc.rows("SELECT * FROM evidence ORDER BY id")
    poc.later(days=1)
    poc.sweep()
    assert poc.rows("SELECT * FROM evidence ORDER BY id") == before
    assert "94.4 %" in poc.summary(NEXT)


def test_a_job_that_sends_the_same_again_adds_nothing(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put={}))
    poc.upload(HEAD, ACCURACY, job="1")
    poc.upload(HEAD, ACCURACY, job="1")
    assert poc.rows("SELECT count(*) FROM evidence WHERE level = 'measured'") == [(1,)]


def test_a_unit_that_a_charter_corrects_is_read_from_the_same_file_anew(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, put=files(latency=0.2124)))
    assert "0.2124 ms" in poc.summary()
    seconds = CHARTER.replace('["p(95)"] ms', '["p(95)"] s')
    poc.pull(poc.commit(NEXT, seconds, files(latency=0.2124)), action="synchronize")
    assert "212.4 ms" in poc.summary(NEXT)
