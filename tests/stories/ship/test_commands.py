"""`/poc` in comments: who may say what, where, and that each comment gets one answer."""

from __future__ import annotations

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import GATE_CHECK
from service.rules.values.subjects import pull_request_key
from tests.harness.charters import CHARTER, OWNER, SIGNERS
from tests.harness.story import Said, Story, open_signatures, sha
from tests.harness.world import HEAD, LOST, NO

MET = Said("neutral", "Numbers met")


@pytest.fixture
def pull(poc: Story) -> Story:
    """A POC with an open pull request on which all numbers are met."""
    poc.commit(HEAD)
    poc.pull()
    assert poc.gate() == MET
    poc.github.forget_calls()
    return poc


def requests(story: Story) -> list[int]:
    return [number for (number,) in story.rows("SELECT ship_request FROM poc") if number]


def test_the_owner_asks_to_ship_and_the_gate_gives_a_verdict_there(pull: Story) -> None:
    comment = pull.say("We are there.\n\n/poc ship\n")
    assert pull.gate() == open_signatures(4)
    assert pull.repo.reactions == {(comment, "+1")}
    assert pull.comments() == []
    assert [str(call) for call in pull.github.calls] == [
        "permission jane-doe",
        f"react {comment} +1",
        f"create_check_run {HEAD} failure",
    ]


def test_a_review_may_give_a_command(pull: Story) -> None:
    review = pull.review(OWNER, state="commented", body="Numbers are in.\n\n/poc ship\n/poc owner bob-m\n")
    assert pull.gate() == open_signatures(4)
    assert (len(pull.comments(5)), pull.repo.reactions) == (1, set())
    assert pull.rows("SELECT key FROM message") == [(f"answer:review-{review}",)]
    pull.dismiss(OWNER, review)
    pull.review(OWNER, state="commented", review_id=review, body="/poc ship")
    assert len(pull.comments(5)) == 1


def test_the_text_a_pull_request_is_opened_with_may_give_a_command_once(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull(body="All met.\n\n/poc ship\n")
    assert poc.gate() == open_signatures(4)
    assert poc.repo.reactions == {(5, "+1")}
    asked = poc.rows("SELECT ship_requested_at FROM poc")
    poc.pull(action="edited", body="/poc ship\n/poc help")
    assert (poc.rows("SELECT ship_requested_at FROM poc"), poc.comments()) == (asked, [])


def test_what_a_bot_opens_a_pull_request_with_commands_nothing(poc: Story) -> None:
    poc.commit(HEAD)
    poc.pull(body="/poc ship", sender="renovate[bot]")
    assert requests(poc) == []


@pytest.mark.parametrize(("hours", "answered"), [(1, 1), (25, 0)])
def test_an_answer_that_github_refuses_is_given_within_a_day(pull: Story, hours: int, answered: int) -> None:
    pull.github.fail_next(NO, "post_comment")
    pull.say("/poc help")
    assert pull.comments() == []
    pull.later(hours=hours)
    if not answered:
        pull.github.fail_next(NO, "post_comment")
        pull.sweep()
    pull.sweep()
    pull.sweep()
    assert len(pull.comments()) == answered


def test_the_owner_is_known_by_other_letters_case(pull: Story) -> None:
    pull.say("/poc ship", "Jane-Doe")
    assert pull.gate() == open_signatures(4)


@pytest.mark.parametrize(
    ("said", "login", "permission", "why"),
    [
        pytest.param(
            "/poc ship",
            "alice-k",
            "write",
            "the charter names jane-doe, not alice-k",
            id="ship, not the owner",
        ),
        pytest.param("/poc ship", "jane-doe", "read", "needs write access", id="an owner who may only read"),
        pytest.param("/poc ship", "nobody-x", None, "needs write access", id="somebody GitHub does not know"),
        pytest.param(
            "/poc sign", "alice-k", "write", "belongs in the POC's issue", id="sign, on a pull request"
        ),
        pytest.param("/poc deploy now", "jane-doe", "admin", "isn't a command", id="no such command"),
        pytest.param("/poc help", "outsider", "none", "needs write access", id="help, without access"),
        pytest.param("/poc SHIP", "jane-doe", "admin", "isn't a command", id="another case of letters"),
    ],
)
def test_a_command_that_is_refused_says_why_in_one_comment(
    pull: Story, said: str, login: str, permission: str | None, why: str
) -> None:
    pull.repo.permissions = {login: permission}
    pull.say(said, login)
    [answer] = pull.comments()
    assert why in answer
    assert pull.repo.reactions == set()
    assert (requests(pull), pull.gate()) == ([], MET)


@pytest.mark.parametrize(
    ("said", "login", "why"),
    [
        pytest.param("/poc ship", "jane-doe", "belongs on the pull request that ships", id="ship"),
        pytest.param("/poc sign", "erin-x", "the charter names", id="sign, by nobody who signs"),
    ],
)
def test_a_command_in_an_issue_is_refused_there(pull: Story, said: str, login: str, why: str) -> None:
    pull.say(said, login, number=1, on_pull=False)
    assert len(pull.comments(1)) == len(pull.comments()) == 1
    assert why in pull.comments(1)[0]
    assert requests(pull) == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        pytest.param({"base_ref": "release"}, "this one goes into `release`", id="goes into another branch"),
        pytest.param({"state": "closed"}, "takes an open pull request", id="is closed"),
    ],
)
def test_a_pull_request_that_cannot_ship_is_no_ship_request(
    poc: Story, more: dict[str, str], why: str
) -> None:
    poc.commit(HEAD)
    poc.pull(**more)
    poc.say("/poc ship")
    assert requests(poc) == []
    assert [why in answer for answer in poc.comments()] == [True]


def test_several_commands_in_one_comment_are_answered_once_and_all_carried_out(pull: Story) -> None:
    comment = pull.say("/poc frobnicate\n/poc ship\n/poc sign\n/poc help")
    assert len(pull.comments()) == 1
    assert "isn't a command" in pull.comments()[0]
    assert pull.repo.reactions == {(comment, "+1")}
    assert requests(pull) == [5]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("> /poc ship", id="quoted"),
        pytest.param("    /poc ship", id="in code"),
        pytest.param("Please write /poc ship here.", id="in a sentence"),
        pytest.param("/pocship", id="another word"),
    ],
)
def test_what_only_mentions_a_command_is_none(pull: Story, said: str) -> None:
    pull.say(said)
    assert (requests(pull), pull.github.calls) == ([], [])


@pytest.mark.parametrize("said", ["/poc ship", "/poc frobnicate", "/poc help"])
def test_a_comment_that_is_delivered_again_is_not_answered_again(pull: Story, said: str) -> None:
    comment = pull.say(said)
    comments, calls = len(pull.comments()), len(pull.github.writes)
    pull.say(said, comment_id=comment)
    assert len(pull.comments()) == comments
    assert [call.method for call in pull.github.writes[calls:]] in ([], ["react"])


@pytest.mark.parametrize("done", [False, True], ids=["never heard", "heard, and the answer lost"])
def test_an_answer_that_failed_in_between_is_given_once(pull: Story, done: bool) -> None:
    pull.github.fail_next(LOST, "post_comment", done=done)
    pull.say("/poc frobnicate")
    assert pull.state(pull_request_key(1, 5)).dirty
    pull.work(waited=True)
    assert not pull.state(pull_request_key(1, 5)).dirty
    assert len(pull.comments()) == 1


@pytest.mark.parametrize("method", ["permission", "create_check_run", "react"])
def test_a_ship_request_that_met_an_outage_is_heard_when_github_is_back(pull: Story, method: str) -> None:
    pull.github.fail_next(LOST, method)
    comment = pull.say("/poc ship")
    pull.work(waited=True)
    assert (pull.gate(), pull.repo.reactions) == (open_signatures(4), {(comment, "+1")})
    assert len(pull.runs()) == 2


@pytest.mark.parametrize("failure", [NO, Failure(FailureKind.GONE, "404")], ids=["locked", "deleted"])
@pytest.mark.parametrize(("said", "method"), [("/poc frobnicate", "post_comment"), ("/poc ship", "react")])
def test_a_conversation_that_takes_no_answer_holds_nothing_up(
    pull: Story, said: str, method: str, failure: Failure
) -> None:
    pull.github.fail_next(failure, method)
    pull.say(said)
    state = pull.state(pull_request_key(1, 5))
    assert (state.dirty, state.dead) == (False, False)


def test_an_answer_comes_when_issues_are_granted_within_a_day(pull: Story) -> None:
    pull.granted(issues="read")
    shipped = pull.say("/poc ship")
    pull.say("/poc frobnicate")
    assert (pull.comments(), pull.repo.reactions, requests(pull)) == ([], set(), [5])
    pull.later(hours=23)
    pull.granted()
    assert ["frobnicate" in comment for comment in pull.comments()] == [True]
    assert pull.repo.reactions == {(shipped, "+1")}
    assert pull.gate() == open_signatures(4)
    pull.sweep()
    assert len(pull.comments()) == 1


def test_an_answer_of_long_ago_comes_no_more(pull: Story) -> None:
    pull.granted(issues="read")
    pull.say("/poc frobnicate")
    pull.later(hours=25)
    pull.sweep()
    pull.granted()
    assert pull.comments() == []
    assert not pull.state(pull_request_key(1, 5)).dirty


def test_observing_hears_what_was_asked_and_says_nothing(pull: Story) -> None:
    pull.observe()
    pull.say("/poc ship")
    pull.say("/poc frobnicate")
    pull.say("/poc help")
    assert (pull.comments(), pull.repo.reactions, requests(pull)) == ([], set(), [5])
    assert pull.gate() == Said("neutral", "Not ready to ship: 4 signatures open (observing)")


def test_who_may_write_is_asked_once_for_a_comment(pull: Story) -> None:
    pull.say("/poc frobnicate\n/poc ship\n/poc help")
    assert len(pull.github.made("permission")) == 1


def test_help_is_one_comment(pull: Story) -> None:
    comment = pull.say("/poc help\n/poc help")
    assert len(pull.comments()) == 1
    assert "| `/poc ship` |" in pull.comments()[0]
    assert pull.repo.reactions == {(comment, "+1")}


# `/poc sign`, for a charter that was there before us


def test_the_named_people_sign_in_the_issue(story: Story) -> None:
    story.found(signed=False)
    story.land(HEAD)
    assert story.state_of_poc() == "proposed"
    story.sign(*SIGNERS[:3])
    assert story.state_of_poc() == "proposed"
    story.sign(SIGNERS[3].upper())
    assert story.state_of_poc() == "shipping"
    rows = story.rows("SELECT round, signs_for, number FROM signature ORDER BY signs_for")
    groups = ("data_science", "platform", "product", "security")
    assert rows == [("start", group, None) for group in groups]


def test_a_signature_in_the_issue_does_not_sign_for_shipping(pull: Story) -> None:
    pull.say("/poc ship")
    pull.sign(*SIGNERS)
    assert pull.gate() == open_signatures(4)


def test_a_person_with_two_groups_signs_for_both(story: Story) -> None:
    story.found(CHARTER.replace("security: dan-w", "security: bob-m"), signed=False)
    story.sign("bob-m")
    assert story.rows("SELECT signs_for FROM signature ORDER BY 1") == [("platform",), ("security",)]


# The newest ship request counts


def test_another_pull_request_takes_the_request_over_and_the_first_is_ordinary_again(pull: Story) -> None:
    pull.say("/poc ship")
    pull.pull(pull.commit(sha("other")), number=6)
    pull.say("/poc ship", number=6)
    assert requests(pull) == [6]
    assert pull.gate(sha("other")) == open_signatures(4)
    assert pull.gate().conclusion == "neutral"


def test_asking_again_on_the_same_pull_request_keeps_the_signatures(pull: Story) -> None:
    pull.say("/poc ship")
    pull.review(*SIGNERS)
    pull.say("/poc ship")
    assert pull.gate() == Said("success", "Ready to ship")


def test_what_is_asked_and_signed_on_one_pull_request_changes_no_other_commits_gate(pull: Story) -> None:
    landed, other = pull.land(sha("main")), sha("other")
    pull.pull(pull.commit(other), number=6)
    before = {head: pull.runs(head, GATE_CHECK) for head in (landed, other)}
    pull.say("/poc ship")
    pull.review(*SIGNERS)
    assert pull.gate() == Said("success", "Ready to ship")
    assert {head: pull.runs(head, GATE_CHECK) for head in (landed, other)} == before
