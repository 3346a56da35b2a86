"""Approvals as recorded facts: whose count, when, for which fields, and what takes them back."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from service.rules.values.subjects import pull_request_key, repository_key
from service.worker import reconcile_while_dirty
from tests.harness.charters import CHARTER, SIGNERS
from tests.harness.story import READY, Story, open_signatures, sha
from tests.harness.world import BASE, HEAD, LOST

NEXT = sha("next")


@pytest.fixture
def asked(poc: Story) -> Story:
    """A ship request that lacks nothing but its four signatures."""
    poc.commit(HEAD)
    poc.ship_request()
    assert poc.gate() == open_signatures(4)
    return poc


def signed(story: Story, where: str = "") -> list[tuple[str, str]]:
    """Who signed for which group, and was not taken back."""
    query = "SELECT DISTINCT login, signs_for FROM signature WHERE withdrawn_at IS NULL"
    return [(str(login), str(group)) for login, group in story.rows(f"{query} {where} ORDER BY 1, 2")]


# Whose approvals count


def test_four_approvals_after_the_request_make_the_gate_green(asked: Story) -> None:
    for missing, login in zip((3, 2, 1, 0), SIGNERS, strict=True):
        asked.review(login)
        assert asked.gate() == open_signatures(missing)
    asked.github.forget_calls()
    asked.sweep()
    assert asked.github.writes == []


def test_an_approval_before_the_request_does_not_count(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    poc.review(*SIGNERS[:3])
    poc.say("/poc ship")
    assert poc.gate() == open_signatures(4)
    poc.review(*SIGNERS)
    assert poc.gate() == READY


@pytest.mark.parametrize(
    ("login", "state", "missing"),
    [
        pytest.param("erin-x", "approved", 4, id="an outsider"),
        pytest.param("jane-doe", "approved", 4, id="the owner"),
        pytest.param("ALICE-K", "approved", 3, id="a signer in other letters' case"),
        pytest.param("alice-k", "commented", 4, id="a signer who only comments"),
        pytest.param("alice-k", "changes_requested", 4, id="a signer who asks for changes"),
    ],
)
def test_a_review_counts_by_who_gives_it_and_what_it_says(
    asked: Story, login: str, state: str, missing: int
) -> None:
    asked.review(login, state=state)
    assert asked.gate() == open_signatures(missing)


def test_an_approval_on_another_pull_request_does_not_count(asked: Story) -> None:
    asked.pull(asked.commit(NEXT), number=6)
    asked.review(*SIGNERS, number=6, head=NEXT)
    assert asked.gate() == open_signatures(4)


def test_a_bot_does_not_sign(asked: Story) -> None:
    asked.review("alice-k[bot]")
    assert signed(asked, "AND round = 'ship'") == []


@pytest.mark.parametrize("charter", [CHARTER, CHARTER + "\nMore words.\n"], ids=["the same", "other words"])
def test_an_approval_of_a_commit_before_the_head_counts_while_the_charter_means_the_same(
    asked: Story, charter: str
) -> None:
    asked.review("alice-k")
    asked.pull(asked.commit(NEXT, charter), action="synchronize")
    assert asked.gate(NEXT) == open_signatures(3)
    asked.review("bob-m", head=HEAD)
    assert asked.gate(NEXT) == open_signatures(2)


def test_an_approval_of_a_commit_that_was_forced_away_and_held_other_bounds_is_not_one_of_these(
    asked: Story,
) -> None:
    loose = CHARTER.replace("accuracy >= 92 %", "accuracy >= 80 %")
    asked.commit(NEXT, loose)
    asked.review("alice-k", "carol-s", head=NEXT)
    assert asked.gate() == open_signatures(4)


# Order, repetition, interruption


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_deliveries_may_come_in_any_order(asked: Story, order: tuple[int, ...]) -> None:
    start = asked.now
    told = [
        ("alice-k", "approved", 9001, start + timedelta(minutes=1)),
        ("alice-k", "changes_requested", 9002, start + timedelta(minutes=2)),
        ("bob-m", "approved", 9003, start + timedelta(minutes=3)),
    ]
    for place in order:
        login, state, review_id, at = told[place]
        asked.tell_review(login, state, review_id=review_id, at=at)
        asked.work()
    assert signed(asked, "AND round = 'ship'") == [("bob-m", "platform")]
    assert asked.gate() == open_signatures(3)


def test_an_approval_that_is_told_of_twice_is_one_row(asked: Story) -> None:
    review = asked.review("alice-k")
    at = asked.now
    asked.tell_review("alice-k", review_id=review, at=at)
    asked.work()
    assert asked.rows("SELECT count(*) FROM signature WHERE round = 'ship'") == [(1,)]
    assert len(asked.runs()) == 3


def test_approvals_heard_before_the_request_is_are_of_after_it_by_their_time(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull()
    at = poc.now + timedelta(hours=1)
    poc.tell_review("alice-k", at=at)
    poc.work()
    poc.say("/poc ship")
    assert poc.gate() == open_signatures(3)


def test_a_review_in_the_middle_of_an_outage_is_counted_when_github_is_back(asked: Story) -> None:
    asked.github.fail_next(LOST, "create_check_run", done=True)
    asked.review("alice-k")
    assert asked.state(pull_request_key(1, 5)).dirty
    asked.work(waited=True)
    assert asked.gate() == open_signatures(3)
    assert len(asked.runs()) == 3


def test_the_repository_follows_though_its_look_came_before_the_pull_requests(poc: Story) -> None:
    poc.land(sha("main"))
    later = CHARTER.replace("ship_by: 2027-02-26", "ship_by: 2027-03-05")
    poc.commit(HEAD, later)
    poc.pull()
    poc.land(sha("merged"), later)
    with poc.without_workers():
        poc.pull(action="closed", state="closed", merged=True)
        poc.review("carol-s")
    reconcile_while_dirty(poc.services, repository_key(1))
    assert poc.state_of_poc() == "proposed"
    poc.work()
    assert poc.state_of_poc() == "shipping"


# Taking back


def test_a_dismissal_by_a_person_withdraws_and_a_new_approval_signs_again(asked: Story) -> None:
    review = asked.review(*SIGNERS)
    assert asked.gate() == READY
    asked.dismiss("dan-w", review)
    assert asked.gate() == open_signatures(1)
    asked.review("dan-w")
    assert asked.gate() == READY


def test_a_dismissal_by_new_commits_withdraws_nothing(asked: Story) -> None:
    review = asked.review(*SIGNERS)
    asked.repo.pushed_away = {review}
    asked.pull(asked.commit(NEXT), action="synchronize")
    asked.dismiss("dan-w", review, by="jane-doe", head=HEAD)
    assert asked.gate(NEXT) == READY


def test_a_dismissal_that_comes_before_its_review_withdraws_it_all_the_same(asked: Story) -> None:
    asked.dismiss("dan-w", 9001)
    asked.tell_review("dan-w", review_id=9001, at=asked.now - timedelta(seconds=30))
    asked.work()
    assert asked.gate() == open_signatures(4)


def test_changes_that_are_asked_for_later_take_the_same_persons_approval_back(asked: Story) -> None:
    asked.review(*SIGNERS)
    asked.review("Alice-K", state="changes_requested")
    assert asked.gate() == open_signatures(1)
    assert ("alice-k", "data_science") not in signed(asked, "AND round = 'ship'")
    asked.review("alice-k", state="commented")
    assert asked.gate() == open_signatures(1)


def test_a_request_for_changes_does_not_take_a_later_approval_back(asked: Story) -> None:
    asked.review("alice-k", state="changes_requested")
    asked.review(*SIGNERS)
    asked.sweep()
    assert asked.gate() == READY


def test_what_github_answers_about_a_dismissal_is_asked_again_after_an_outage(asked: Story) -> None:
    review = asked.review(*SIGNERS)
    asked.github.fail_next(LOST, "dismissed_by_push")
    asked.dismiss("dan-w", review)
    asked.work(waited=True)
    assert asked.gate() == open_signatures(1)


# Who opened it has signed


def test_a_signer_who_opened_the_pull_request_has_signed(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request(author="bob-m")
    assert poc.gate() == open_signatures(3)
    assert signed(poc, "AND round = 'ship'") == [("bob-m", "platform")]


def test_an_opener_signs_what_they_pushed_and_not_what_somebody_else_pushed_there(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request(author="bob-m")
    other = CHARTER.replace("load: 50 req/s", "load: 60 req/s")
    poc.pull(poc.commit(NEXT, other), action="synchronize", author="bob-m", sender="jane-doe")
    assert poc.gate(NEXT).title.endswith("4 signatures open")


def test_an_opener_whose_head_was_opened_by_somebody_else_has_not_signed(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request(author="bob-m", sender="jane-doe")
    assert poc.gate() == open_signatures(4)


# Start sign-offs


def test_approvals_on_a_pull_request_that_changes_the_charter_sign_the_start(story: Story) -> None:
    story.found(None, signed=False)
    story.commit(HEAD, CHARTER)
    story.pull()
    assert story.state_of_poc() == "proposed"
    story.review(*SIGNERS)
    story.land(sha("merged"), put={})
    assert story.state_of_poc() == "building"
    assert len(signed(story, "AND round = 'start'")) == 4


def test_approvals_of_ordinary_work_sign_no_start(story: Story) -> None:
    story.found(signed=False)
    story.commit(HEAD)
    story.pull()
    story.review(*SIGNERS)
    assert signed(story, "AND round = 'start'") == []


# Narrow re-asking

CHANGES = {
    "done": ("accuracy >= 92 %", "accuracy >= 94 %", {"data_science", "product"}),
    "target.auth": ("auth: okta-oidc", "auth: entra-oidc", {"platform", "security"}),
    "target.data": ("data: 180000 tickets/day", "data: 90000 tickets/day", {"platform", "security"}),
    "target.load": ("  load: 50 req/s", "  load: 55 req/s", {"platform"}),
    "ship_by": ("ship_by: 2027-02-26", "ship_by: 2027-03-05", {"product"}),
    "owner": ("owner: jane-doe", "owner: john-roe", {"product"}),
    "infra": ("https://ci.example.com/deploy", "https://cd.example.com/deploy", {"platform"}),
    "rollback": ("within: 10 min", "within: 20 min", {"platform"}),
    "where a number is found": (" $.accuracy", " $.best.accuracy", {"data_science"}),
    "a signer": ("security: dan-w", "security: erin-x", {"product"}),
    "units": ("within: 10 min", "within: 600 s", set()),
    "a drill": ("drilled: 2026-11-12 in 4 min", "drilled: 2026-11-19 in 3 min", set()),
    "words": ("a wrong route costs 11 minutes", "a wrong route costs 12 minutes", set()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_asks_those_again_who_answer_for_it(asked: Story, change: str) -> None:
    was, now, reasked = CHANGES[change]
    assert was in CHARTER
    asked.review(*SIGNERS)
    asked.commit(NEXT, CHARTER.replace(was, now))
    asked.repo.put(NEXT, {"eval/metrics.json": '{"accuracy": 0.95, "best": {"accuracy": 0.95}}'})
    asked.pull(NEXT, action="synchronize")
    title = asked.gate(NEXT).title
    expected = open_signatures(len(reasked)).title if reasked else READY.title
    assert title == expected
    assert not reasked or all(
        group.replace("_", " ") in asked.summary(NEXT).partition("Open:")[2].partition("\n")[0]
        for group in reasked
    )


@pytest.mark.parametrize("change", ["done", "target.auth", "ship_by"])
def test_those_who_are_asked_again_sign_again_and_the_gate_is_green(asked: Story, change: str) -> None:
    was, now, reasked = CHANGES[change]
    asked.review(*SIGNERS)
    asked.commit(NEXT, CHARTER.replace(was, now))
    asked.repo.put(NEXT, {"eval/metrics.json": '{"accuracy": 0.95}'})
    asked.pull(NEXT, action="synchronize")
    people = dict(zip(("data_science", "platform", "product", "security"), SIGNERS, strict=True))
    asked.review(*(people[group] for group in sorted(reasked)), head=NEXT)
    assert asked.gate(NEXT) == READY


def test_a_new_signer_is_asked_once_product_has_agreed_to_the_handover(asked: Story) -> None:
    asked.review(*SIGNERS)
    asked.commit(NEXT, CHARTER.replace("security: dan-w", "security: erin-x"))
    asked.pull(NEXT, action="synchronize")
    asked.review("carol-s", head=NEXT)
    assert asked.gate(NEXT) == open_signatures(1)
    asked.review("erin-x", head=NEXT)
    assert asked.gate(NEXT) == READY


def test_a_change_that_is_taken_back_asks_nobody(asked: Story) -> None:
    asked.review(*SIGNERS)
    asked.commit(NEXT, CHARTER.replace("accuracy >= 92 %", "accuracy >= 94 %"))
    asked.pull(NEXT, action="synchronize")
    asked.pull(asked.commit(sha("back")), action="synchronize")
    assert asked.gate(sha("back")) == READY


def test_a_change_on_the_default_branch_asks_those_again_for_the_start(poc: Story) -> None:
    poc.land(sha("main"))
    assert poc.state_of_poc() == "shipping"
    poc.land(sha("later"), CHARTER.replace("ship_by: 2027-02-26", "ship_by: 2027-03-05"))
    assert poc.state_of_poc() == "proposed"
    poc.sign("carol-s")
    assert poc.state_of_poc() == "shipping"


def test_the_charter_of_another_branch_signs_nothing_here(poc: Story) -> None:
    poc.commit(HEAD)
    poc.ship_request()
    poc.review("alice-k", head=BASE)
    assert poc.gate() == open_signatures(3)


# A long pause

LONG = CHARTER.replace("target:", "paused: until 2036-11-22 - money\ntarget:")
BALL = "SELECT party FROM turn ORDER BY id DESC LIMIT 1"


def test_a_long_pause_is_over_after_sixty_days_unless_product_signed_it(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, LONG))
    assert "Only 60 calendar days in a row of this pause count" in poc.charter_check()
    poc.land(sha("paused"), LONG)
    poc.later(days=59)
    poc.sweep()
    assert poc.rows(BALL) == [("nobody",)]
    poc.later(days=3)
    poc.sweep()
    assert poc.rows(BALL) == [("owner",)]
    poc.sign("alice-k", "bob-m")
    poc.sweep()
    assert poc.rows(BALL) == [("owner",)]
    poc.sign("carol-s")
    poc.sweep()
    assert poc.rows(BALL) == [("nobody",)]
    poc.later(days=900)
    poc.sweep()
    assert poc.rows(BALL) == [("nobody",)]


def test_a_pause_that_is_renewed_is_one_pause(poc: Story) -> None:
    for months, until in enumerate(("2026-12-31", "2027-02-15", "2027-04-01")):
        poc.land(
            sha(f"paused {months}"), CHARTER.replace("target:", f"paused: until {until} - money\ntarget:")
        )
        poc.later(days=30)
        poc.sweep()
    assert poc.rows(BALL) == [("owner",)]


def test_product_signs_a_long_pause_with_its_pull_request(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, LONG))
    poc.review("carol-s")
    assert "of this pause" not in poc.charter_check()
    poc.land(sha("paused"), LONG)
    poc.later(days=100)
    poc.sweep()
    assert poc.rows(BALL) == [("nobody",)]
