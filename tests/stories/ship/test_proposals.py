"""`/poc extend`, `owner` and `stop` where an organisation lets us open pull requests, or does not."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import CHARTER_CHECK, ProposalState
from service.rules.values.subjects import pull_request_key, repository_key
from tests.harness.charters import CHARTER
from tests.harness.deliveries import described
from tests.harness.github import OurPull
from tests.harness.story import Story
from tests.harness.world import HEAD, LOST, POC
from tests.stories.ship.orders import EXTEND, LATER, answers, ask, commanded

BOTH = {"contents": "write", "pull_requests": "write"}
BOT = {"login": "poc-governor[bot]", "type": "Bot"}
SHIPS_LATER = CHARTER.replace("ship_by: 2027-02-26", "ship_by: 2027-03-15")
STEPS = ["create_branch", "write_charter", "open_pull_request"]


@pytest.fixture
def poc(poc: Story) -> Story:
    """A POC whose organisation granted both; nothing that was done before counts."""
    poc.granted(**BOTH)
    poc.execute("DELETE FROM fact WHERE kind = 'activity'")
    return poc


def only(story: Story) -> OurPull:
    [pull] = story.repo.ours
    return pull


def steps(story: Story) -> list[str]:
    return [call.method for call in story.github.made(*STEPS)]


def closed(story: Story, state: ProposalState) -> None:
    """Let somebody close our pull request."""
    pull = story.repo.ours.pop()
    fields = (pull.number, pull.branch, pull.base, pull.title, pull.body)
    story.repo.ours.append(OurPull(*fields, state))


def says_the_line(answer: str) -> bool:
    return "```yaml\nship_by: 2027-03-15\n```" in answer and "makes this change" not in answer


def test_a_later_ship_date_is_a_pull_request_that_the_answer_names(poc: Story) -> None:
    comment = ask(poc, EXTEND, "erin-x")
    pull = only(poc)
    assert (pull.branch, pull.base, pull.title) == (
        f"poc-governor/extend-{comment}",
        "main",
        "Ship on 15 March 2027",
    )
    assert poc.repo.files[pull.branch].data == SHIPS_LATER.encode()
    assert poc.repo.files["main"].data == CHARTER.encode()
    page = f"https://github.com/acme/poc-triage/issues/9#issuecomment-{comment}"
    assert f"erin-x asked for it in [a comment]({page}): the cluster comes late" in pull.body
    [answer] = answers(poc)
    assert "#100 makes this change" in answer
    assert "second date, +17 calendar days. Product (`carol-s`) signs again" in answer
    assert "```" not in answer
    assert poc.repo.reactions == {(comment, "+1")}
    assert commanded(poc) == [("erin-x",)]
    assert steps(poc) == STEPS


@pytest.mark.parametrize(
    ("said", "branch", "line"),
    [
        ("/poc owner @erin-x", "owner", "owner: erin-x\n"),
        ("/poc stop the baseline was good enough", "stop", "stopped: 2026-11-23 - the baseline was good"),
    ],
)
def test_an_owner_and_an_end_are_pull_requests_too(poc: Story, said: str, branch: str, line: str) -> None:
    comment = ask(poc, said)
    assert only(poc).branch == f"poc-governor/{branch}-{comment}"
    assert line in (poc.repo.files[only(poc).branch].data or b"").decode()
    assert "#100 makes this change" in answers(poc)[0]


@pytest.mark.parametrize(
    "granted",
    [{}, {"contents": "write"}, {"pull_requests": "write"}, BOTH | {"contents": "read"}],
    ids=["neither", "contents alone", "pull requests alone", "contents to be read"],
)
def test_where_not_both_are_granted_the_line_is_said(poc: Story, granted: dict[str, str]) -> None:
    poc.granted(**granted)
    ask(poc, EXTEND)
    assert says_the_line(answers(poc)[0])
    assert (poc.repo.ours, poc.github.made("find_proposal", *STEPS)) == ([], [])


def test_a_grant_that_was_taken_back_unseen_is_answered_with_the_line(poc: Story) -> None:
    poc.github.fail_next(Failure(FailureKind.REFUSED, "GitHub says 422"), "find_proposal")
    ask(poc, EXTEND)
    assert says_the_line(answers(poc)[0])


def test_the_branch_of_a_persons_pull_request_is_left_alone(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, LATER))
    poc.say(EXTEND)
    assert "[Edit it on `work`]" in answers(poc)[0]
    assert poc.repo.ours == []


def test_on_a_pull_request_with_the_charter_as_it_is_the_default_branch_is_meant(poc: Story) -> None:
    poc.pull(poc.commit(HEAD))
    comment = poc.say(EXTEND)
    assert "#100 makes this change" in answers(poc)[0]
    assert f"/acme/poc-triage/pull/5#issuecomment-{comment})" in only(poc).body


@pytest.mark.parametrize("step", ["find_proposal", *STEPS])
@pytest.mark.parametrize("refused", [FailureKind.REFUSED, FailureKind.GONE])
def test_what_github_does_not_take_is_answered_with_the_line_in_the_same_look(
    poc: Story, step: str, refused: FailureKind
) -> None:
    poc.github.fail_next(Failure(refused, "GitHub says no"), step)
    comment = ask(poc, EXTEND)
    assert says_the_line(answers(poc)[0])
    assert poc.repo.reactions == {(comment, "+1")}
    assert [state.key for state in poc.states() if state.dirty] == []


@pytest.mark.parametrize("step", [*STEPS, "post_comment"])
@pytest.mark.parametrize("done", [True, False], ids=["done, and lost", "not done"])
def test_whatever_is_lost_on_the_way_each_thing_is_there_once(poc: Story, step: str, done: bool) -> None:
    poc.github.fail_next(LOST, step, done=done)
    ask(poc, EXTEND)
    assert (answers(poc) == []) is (step != "post_comment" or not done)
    assert poc.state(repository_key(POC.id)).dirty
    poc.work(waited=True)
    assert len(answers(poc)) == 1
    assert "#100 makes this change" in answers(poc)[0]
    assert poc.repo.files[only(poc).branch].data == SHIPS_LATER.encode()
    assert steps(poc) == STEPS if done or step == "post_comment" else len(steps(poc)) == len(STEPS) + 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ProposalState.CLOSED, "#100 would have made this change, and was closed"),
        (ProposalState.MERGED, "is merged"),
    ],
)
def test_one_that_was_closed_before_it_was_named_is_not_opened_again(
    poc: Story, state: ProposalState, said: str
) -> None:
    poc.github.fail_next(LOST, "post_comment")
    ask(poc, EXTEND)
    closed(poc, state)
    poc.work(waited=True)
    assert said in answers(poc)[0]
    assert len(poc.repo.ours) == 1


def test_a_charter_that_is_another_by_now_is_not_overwritten(poc: Story) -> None:
    poc.repo.write(LATER, "main")
    ask(poc, EXTEND)
    assert says_the_line(answers(poc)[0])
    assert (poc.repo.ours, steps(poc)) == ([], [])


def test_a_charter_that_moves_between_branch_and_commit_is_not_overwritten(poc: Story) -> None:
    poc.github.fail_next(LOST, "write_charter")
    comment = ask(poc, EXTEND)
    poc.land("later", LATER)
    poc.work(waited=True)
    assert "change line 10 of `POC.md` to:" in answers(poc)[0]
    assert poc.repo.files[f"poc-governor/extend-{comment}"].data == CHARTER.encode()
    assert poc.repo.ours == []


def test_a_branch_of_the_name_with_another_charter_is_left_as_it_is(poc: Story) -> None:
    comment = next(poc._ids)
    poc.repo.write("# Mine\n", f"poc-governor/extend-{comment}")
    ask(poc, EXTEND, comment_id=comment)
    assert says_the_line(answers(poc)[0])
    assert poc.repo.files[f"poc-governor/extend-{comment}"].data == b"# Mine\n"


def test_what_is_delivered_twice_is_opened_and_said_once(poc: Story) -> None:
    poc.told_twice = True
    comment = ask(poc, EXTEND)
    ask(poc, EXTEND, comment_id=comment)
    assert len(answers(poc)) == 1
    assert only(poc).number == 100


def test_of_one_comment_each_command_has_a_branch_and_all_one_answer(poc: Story) -> None:
    comment = ask(
        poc, f"{EXTEND}\n/poc owner @erin-x\n/poc stop\n{EXTEND}\n/poc extend 2027-04-01 later still"
    )
    names = [f"extend-{comment}", f"owner-{comment}-2", f"extend-{comment}-5"]
    assert [pull.branch for pull in poc.repo.ours] == [f"poc-governor/{name}" for name in names]
    [answer] = answers(poc)
    assert [f"#{number} makes this change" in answer for number in (100, 101, 102)] == [True, True, True]
    assert "`/poc stop` needs a reason" in answer


def test_each_pull_request_and_each_answer_has_a_turn_of_its_own(poc: Story) -> None:
    ask(poc, f"{EXTEND}\n/poc owner @erin-x")
    turns = [row[0] for row in poc.rows("SELECT at FROM write_slot WHERE used ORDER BY at")]
    assert len(turns) == len(poc.github.made("open_pull_request", "post_comment")) == 3
    assert all(later - sooner >= timedelta(seconds=1) for sooner, later in pairwise(turns))


def test_observing_opens_nothing(poc: Story) -> None:
    poc.observe()
    ask(poc, EXTEND)
    assert (poc.comments(), poc.repo.ours, poc.github.writes) == ([], [], [])


def test_a_dry_run_opens_nothing_and_says_what_would_be(poc: Story) -> None:
    with poc.without_workers():
        comment = ask(poc, EXTEND)
    actions = poc.dry_run()[repository_key(POC.id)]
    assert f"open poc-governor/extend-{comment} and comment on #9 (answer:{comment})" in actions
    assert (poc.comments(), poc.repo.ours, poc.github.writes) == ([], [], [])


def test_a_refused_command_opens_nothing(poc: Story) -> None:
    poc.repo.permissions["mallory"] = "read"
    ask(poc, EXTEND, "mallory")
    ask(poc, "/poc extend 2027-02-26 the same day")
    assert (len(answers(poc)), poc.repo.ours) == (2, [])


def test_our_own_pull_request_is_judged_as_any_and_is_nobodys_activity(poc: Story) -> None:
    ask(poc, EXTEND)
    poc.execute("DELETE FROM fact WHERE kind = 'activity'")
    poc.commit(HEAD, SHIPS_LATER)
    push: dict[str, Any] = {"ref": f"refs/heads/{only(poc).branch}", "after": HEAD, "created": True}
    commits = [{"id": HEAD, "distinct": True, "modified": ["POC.md"], "author": {"username": BOT["login"]}}]
    poc.github.forget_calls()
    poc.deliver("push", **push, commits=commits, repository=described(POC), sender=BOT)
    poc.pull_request(head=HEAD, at=poc.tick(), number=100, author=BOT["login"], sender=BOT["login"])
    assert [run.output.conclusion for run in poc.runs(HEAD, CHARTER_CHECK)] == ["success"]
    assert "carol-s" in poc.charter_check(HEAD)
    assert poc.rows("SELECT id FROM fact WHERE kind = 'activity'") == []
    assert {call.method for call in poc.github.writes} == {"create_check_run", "ask_reviewer"}
    assert not poc.state(pull_request_key(POC.id, 100)).dirty
    poc.review("carol-s", head=HEAD, number=100)
    signed = "SELECT login FROM signature WHERE source LIKE 'review:%' AND round = 'start'"
    assert poc.rows(signed) == [("carol-s",)]


@pytest.mark.parametrize("charter", ["\ufeff" + CHARTER, CHARTER.replace("\n", "\r\n")], ids=["mark", "CRLF"])
def test_nothing_but_the_line_is_another(story: Story, charter: str) -> None:
    story.found(charter)
    story.granted(**BOTH)
    ask(story, EXTEND)
    written = story.repo.files[only(story).branch].data
    assert written == charter.replace("ship_by: 2027-02-26", "ship_by: 2027-03-15").encode()
