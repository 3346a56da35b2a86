"""`/poc snooze`, `extend`, `owner`, `stop`: what they change, what they answer, and where they are heard."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from service.rules.queue import Failure, FailureKind
from service.rules.values.actions import STALL_LABEL, stall_opening
from service.rules.values.github import Issue, IssueState
from service.rules.values.subjects import repository_key
from tests.harness.charters import CHARTER, OWNER
from tests.harness.deliveries import described
from tests.harness.github import NOW, repository
from tests.harness.story import Story
from tests.harness.world import HEAD, INSTALLATION, LOST, POC
from tests.stories.ship.orders import EXTEND, LATER, answers, ask, commanded

TODAY = date(2026, 11, 23)
CENTRAL = repository(90, "acme/portfolio")
EDITOR = "https://github.com/acme/poc-triage/edit"


@pytest.fixture
def poc(poc: Story) -> Story:
    """A POC whose charter was brought and signed; nothing of that counts here."""
    poc.execute("DELETE FROM fact WHERE kind = 'activity'")
    return poc


def rests(story: Story) -> list[tuple[Any, ...]]:
    return story.rows("SELECT first, until, reason, actor FROM rest ORDER BY until, source")


def blockers(story: Story) -> list[str]:
    return [row[0] for row in story.rows("SELECT reference FROM blocker WHERE commanded ORDER BY 1")]


def test_a_snooze_is_noted_and_acknowledged(poc: Story) -> None:
    comment = ask(poc, "/poc snooze 14d waiting for legal", "erin-x")
    assert rests(poc) == [(TODAY, date(2026, 12, 7), "waiting for legal", "erin-x")]
    assert (poc.repo.reactions, poc.comments(), blockers(poc)) == ({(comment, "+1")}, [], [])
    assert commanded(poc) == [("erin-x",)]


def test_an_issue_in_the_reason_is_what_the_poc_waits_for(poc: Story) -> None:
    ask(poc, "/poc snooze 2w waits for #12")
    ask(poc, "/poc snooze 3w waits for acme/platform#7, and #9 where this is said")
    assert blockers(poc) == ["#12", "acme/platform#7"]
    ask(poc, "/poc snooze 4w waits for #9 where this is said")
    assert blockers(poc) == ["#12", "acme/platform#7"]


PLATFORM = repository(91, "acme/platform")


@pytest.mark.parametrize(
    ("said", "permission", "refused"),
    [
        pytest.param("acme/platform#7", "none", True, id="may not read it"),
        pytest.param("acme/platform#7", None, True, id="GitHub knows no such person"),
        pytest.param("ACME/Platform#7", "none", True, id="spelt in another case"),
        pytest.param("https://github.com/acme/platform/issues/7", "none", True, id="by its address"),
        pytest.param("acme/platform#7", "read", False, id="may read it"),
        pytest.param("#7", "none", False, id="of the repository in which it is said"),
        pytest.param("acme/elsewhere#7", "none", False, id="where nobody is installed"),
    ],
)
def test_an_issue_that_its_author_cannot_read_is_not_waited_for(
    poc: Story, said: str, permission: str | None, refused: bool
) -> None:
    poc.install(PLATFORM)
    poc.github.repos[PLATFORM.id].permissions[OWNER] = permission
    comment = ask(poc, f"/poc snooze 2w waits for {said}")
    assert (rests(poc) == []) is refused
    assert (blockers(poc) == []) is refused
    assert poc.repo.reactions == (set() if refused else {(comment, "+1")})
    assert [answer[:30] for answer in answers(poc)] == ["`/poc snooze`: you can't read "] * refused


def issue_31(state: IssueState) -> Issue:
    return Issue(31, state, (), "", NOW, "https://github.com/acme/poc-triage/issues/31")


@pytest.mark.parametrize("state", [IssueState.CLOSED, IssueState.GONE], ids=["closed", "not there"])
def test_an_issue_that_was_never_seen_open_ends_no_snooze(poc: Story, state: IssueState) -> None:
    poc.repo.issues[31] = issue_31(state)
    ask(poc, "/poc snooze 14d after #31 we need the cluster")
    assert [until for _, until, _, _ in rests(poc)] == [date(2026, 12, 7)]
    poc.now += timedelta(days=2)
    poc.sweep()
    assert [until for _, until, _, _ in rests(poc)] == [date(2026, 12, 7)]


def test_an_issue_that_was_seen_open_ends_its_snooze(poc: Story) -> None:
    poc.repo.issues[31] = issue_31(IssueState.OPEN)
    ask(poc, "/poc snooze 14d after #31 we need the cluster")
    poc.repo.issues[31] = issue_31(IssueState.CLOSED)
    poc.now += timedelta(days=2)
    poc.sweep()
    assert [until for _, until, _, _ in rests(poc)] == [TODAY + timedelta(days=2)]


def test_a_later_end_replaces_a_snooze_and_an_earlier_one_is_refused(poc: Story) -> None:
    ask(poc, "/poc snooze 14d legal")
    ask(poc, "/poc snooze 7d legal")
    ask(poc, "/poc snooze 21d audit")
    assert [until for _, until, _, _ in rests(poc)] == [date(2026, 12, 7), date(2026, 12, 14)]
    [refused] = answers(poc)
    assert "it's already snoozed until 2026-12-07" in refused
    assert len(commanded(poc)) == 2


def test_more_than_sixty_days_in_a_row_are_a_pause(poc: Story) -> None:
    ask(poc, "/poc snooze 60d legal")
    poc.later(days=62)
    ask(poc, "/poc snooze 7d legal still")
    assert len(rests(poc)) == 1
    assert "this second one would make it 69" in answers(poc)[0]
    assert "`paused: until 2027-01-31 - legal still`" in answers(poc)[0]
    poc.later(days=7)
    ask(poc, "/poc snooze 7d legal once more")
    assert len(rests(poc)) == 2


@pytest.mark.parametrize(
    "said", ["/poc snooze", "/poc snooze 90d x", "/poc extend soon", "/poc stop", "/poc owner"]
)
def test_a_malformed_order_changes_nothing_and_is_answered_once(poc: Story, said: str) -> None:
    poc.told_twice = True
    ask(poc, said)
    assert len(answers(poc)) == 1
    assert "write `/poc " in answers(poc)[0]
    assert (rests(poc), poc.repo.reactions, commanded(poc)) == ([], set(), [])


@pytest.mark.parametrize("permission", ["read", None])
@pytest.mark.parametrize(
    "said",
    ["/poc snooze 14d legal", EXTEND, "/poc owner @erin-x", "/poc stop enough"],
    ids=lambda said: said[5:10],
)
def test_who_may_not_write_changes_nothing(poc: Story, said: str, permission: str | None) -> None:
    poc.repo.permissions["mallory"] = permission
    ask(poc, said, "mallory")
    assert [
        f"needs write access to this repository; mallory has {permission or 'none'}" in a
        for a in answers(poc)
    ] == [True]
    assert (rests(poc), poc.repo.reactions, commanded(poc)) == ([], set(), [])


def test_a_later_ship_date_is_answered_with_the_line_to_write(poc: Story) -> None:
    comment = ask(poc, EXTEND)
    [answer] = answers(poc)
    assert "change line 9 of `POC.md` to:\n\n```yaml\nship_by: 2027-03-15\n```" in answer
    assert "It says `ship_by: 2027-02-26` now." in answer
    assert f"[Edit it on `main`]({EDITOR}/main/POC.md)" in answer
    assert "second date, +17 calendar days. Product (`carol-s`) signs again: by" in answer
    assert poc.repo.reactions == {(comment, "+1")}
    assert commanded(poc) == [(OWNER,)]


def test_on_a_pull_request_that_changes_the_charter_the_line_is_that_of_its_branch(poc: Story) -> None:
    poc.pull(poc.commit(HEAD, LATER))
    poc.say(EXTEND)
    [answer] = answers(poc)
    assert "change line 10 of `POC.md` to:" in answer
    assert f"[Edit it on `work`]({EDITOR}/work/POC.md), the branch of this pull request" in answer


@pytest.mark.parametrize("changed", [True, False], ids=["in a fork", "with the charter as it is"])
def test_on_any_other_pull_request_the_line_is_that_of_the_default_branch(poc: Story, changed: bool) -> None:
    poc.repo.branches[5] = None
    poc.pull(poc.commit(HEAD, LATER if changed else CHARTER))
    poc.say(EXTEND)
    [answer] = answers(poc)
    assert "change line 9 of `POC.md` to:" in answer
    assert f"[Edit it on `main`]({EDITOR}/main/POC.md), as a pull request, and merge" in answer
    assert len(poc.github.made("head_branch")) == changed


def test_a_branch_of_any_name_can_be_edited(poc: Story) -> None:
    poc.repo.branches[5] = "feat/#1 (x)"
    poc.pull(poc.commit(HEAD, LATER))
    poc.say(EXTEND)
    assert f"[Edit it on `feat/#1 (x)`]({EDITOR}/feat/%231%20%28x%29/POC.md)" in answers(poc)[0]


def test_a_new_owner_has_write_access_and_signs_for_nothing(poc: Story) -> None:
    poc.repo.permissions |= {"reader-x": "read", "nobody-x": None}
    ask(poc, "/poc owner @reader-x")
    ask(poc, "/poc owner @nobody-x")
    ask(poc, "/poc owner @carol-s")
    assert commanded(poc) == []
    ask(poc, "/poc owner @erin-x")
    read, unknown, signer, made = answers(poc)
    assert "`reader-x` has read" in read
    assert "GitHub doesn't know anybody called `nobody-x`" in unknown
    assert "`carol-s` signs for product" in signer
    assert "```yaml\nowner: erin-x\n```" in made
    assert commanded(poc) == [(OWNER,)]


def test_a_stop_is_dated_by_the_comment_whenever_it_is_heard(poc: Story) -> None:
    with poc.without_workers():
        ask(poc, "/poc stop the baseline was good enough")
        poc.later(days=3)
    poc.work()
    assert "```yaml\nstopped: 2026-11-23 - the baseline was good enough\n```" in answers(poc)[0]


@pytest.mark.parametrize(
    ("charter", "why"),
    [
        pytest.param(None, "there is none here", id="no charter"),
        pytest.param(CHARTER.replace("poc: 1", "poc: 1\n  a: b"), "there is none here", id="no YAML"),
        pytest.param(
            CHARTER.replace("ship_by: 2027-02-26", "ship_by: [2027-02-26]"),
            "can't be read far enough to name the line",
            id="a list",
        ),
        pytest.param(
            CHARTER.replace("poc: 1", "poc: 1\nstopped: 2026-11-20 - enough"),
            "was stopped on 2026-11-20",
            id="stopped",
        ),
    ],
)
def test_where_no_line_can_be_named_it_is_said(story: Story, charter: str | None, why: str) -> None:
    story.found(charter, signed=False)
    ask(story, EXTEND)
    [answer] = answers(story)
    assert why in answer
    assert (story.repo.reactions, commanded(story)) == (set(), [])


def test_the_answers_of_one_comment_are_one_comment(poc: Story) -> None:
    comment = ask(poc, f"{EXTEND}\n/poc owner @erin-x\n/poc stop\n{EXTEND}\n/poc snooze 3d holiday")
    [answer] = answers(poc)
    parts = ["ship_by: 2027-03-15", "owner: erin-x", "`/poc stop` needs a reason"]
    assert [answer.count(part) for part in parts] == [1, 1, 1]
    assert poc.repo.reactions == {(comment, "+1")}
    assert (len(rests(poc)), len(commanded(poc))) == (1, 3)


def test_of_twenty_commands_ten_are_heard_and_answered_once(poc: Story) -> None:
    ask(poc, "".join(f"/poc snooze {days}d reason {days}\n" for days in range(1, 21)))
    assert len(rests(poc)) == 10
    assert answers(poc) == []
    ask(poc, "".join(f"/poc frobnicate {n}\n" for n in range(20)))
    assert answers(poc)[0].count("isn't a command") == 10
    assert len(answers(poc)) == 1


@pytest.mark.parametrize("said", ["/poc snooze 14d legal", EXTEND, "/poc snooze 90d x", "/poc stop enough"])
def test_what_is_delivered_twice_is_followed_once(poc: Story, said: str) -> None:
    comment = ask(poc, said)
    before = (rests(poc), answers(poc), commanded(poc))
    ask(poc, said, comment_id=comment)
    assert (rests(poc), answers(poc), commanded(poc)) == before


@pytest.mark.parametrize("method", ["react", "permission"])
def test_an_outage_in_between_changes_nothing_of_it(poc: Story, method: str) -> None:
    poc.github.fail_next(LOST, method)
    comment = ask(poc, "/poc snooze 3d holiday\n/poc snooze 5d holiday, longer")
    assert poc.state(repository_key(POC.id)).dirty
    poc.work(waited=True)
    assert [until for _, until, _, _ in rests(poc)] == [date(2026, 11, 26), date(2026, 11, 28)]
    assert (answers(poc), poc.repo.reactions) == ([], {(comment, "+1")})


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_an_edit_is_no_command(poc: Story, action: str) -> None:
    tell(poc, "/poc snooze 14d legal", action=action)
    assert (rests(poc), poc.github.calls) == ([], [])


def test_a_bot_commands_nothing(poc: Story) -> None:
    tell(poc, "/poc stop enough", user={"login": "renovate[bot]", "type": "Bot"})
    assert (answers(poc), poc.github.calls) == ([], [])


def test_observing_notes_a_snooze_and_says_nothing(poc: Story) -> None:
    poc.observe()
    ask(poc, "/poc snooze 14d legal")
    ask(poc, EXTEND)
    assert (len(rests(poc)), poc.comments(), poc.repo.reactions) == (1, [], set())


def test_a_refusal_that_github_refuses_holds_nothing_up(poc: Story) -> None:
    poc.github.fail_next(Failure(FailureKind.REFUSED, "locked"), "post_comment")
    ask(poc, "/poc stop")
    assert not poc.state(repository_key(POC.id)).dirty


# The stall issue in the central repository

APP = {"login": "poc-governor[bot]", "type": "Bot"}


def tell(
    story: Story,
    said: str,
    *,
    action: str = "created",
    user: dict[str, str] | None = None,
    issue: dict[str, Any] | None = None,
    where: Any = POC,
) -> int:
    """Deliver a comment in any issue, and let it be heard."""
    comment_id, at = next(story._ids), story.tick().isoformat()
    author = user or {"login": OWNER, "type": "User"}
    story.deliver(
        "issue_comment",
        action=action,
        comment={"id": comment_id, "created_at": at, "body": said, "user": author},
        issue={"id": 4, "number": 4, "updated_at": at, "labels": [{"name": STALL_LABEL}]} | (issue or {}),
        repository=described(where),
        sender=author,
    )
    story.work()
    return comment_id


@pytest.fixture
def central(poc: Story) -> Story:
    """A POC whose stall issue stands in the central repository, as #4."""
    poc.install(CENTRAL)
    poc.execute(
        "INSERT INTO stall_issue (poc_id, installation_id, number, state, digest,"
        " opened_on, opened_at, home_repository_id, rung)"
        " SELECT id, :installation, 4, 'open', '', :day, :now, :home, 1 FROM poc WHERE repository_id = 1",
        installation=INSTALLATION,
        day=poc.now.date(),
        home=CENTRAL.id,
    )
    poc.github.forget_calls()
    return poc


def ours(poc_id: int = POC.id) -> dict[str, Any]:
    """What a payload shows of a POC's stall issue, above which a person wrote something."""
    return {"user": APP, "body": f"Look at this.\r\n\r\n{stall_opening(poc_id)}\nText.".replace("\n", "\r\n")}


def test_a_command_in_the_central_repository_is_the_pocs_and_is_answered_there(central: Story) -> None:
    comment = tell(central, "/poc snooze 14d waits for #12\n/poc stop", issue=ours(), where=CENTRAL)
    assert [row[2] for row in rests(central)] == ["waits for acme/portfolio#12"]
    assert blockers(central) == ["acme/portfolio#12"]
    assert commanded(central) == [(OWNER,)]
    home = central.github.repos[CENTRAL.id]
    assert [said.number for said in home.comments] == [4]
    assert home.reactions == {(comment, "+1")}
    assert (central.comments(), central.repo.reactions) == ([], set())


def test_write_access_to_the_central_repository_is_none_to_the_poc(central: Story) -> None:
    central.repo.permissions["mallory"] = "read"
    central.github.repos[CENTRAL.id].permissions["mallory"] = "admin"
    tell(central, "/poc stop enough", user={"login": "mallory", "type": "User"}, issue=ours(), where=CENTRAL)
    assert commanded(central) == []
    assert (
        "needs write access to `acme/poc-triage`; mallory has read"
        in central.github.repos[CENTRAL.id].comments[0].body
    )


def test_a_line_to_write_names_the_pocs_repository_in_the_central_one(central: Story) -> None:
    tell(central, EXTEND, issue=ours(), where=CENTRAL)
    [answer] = central.github.repos[CENTRAL.id].comments
    assert "change line 9 of `acme/poc-triage/POC.md` to:" in answer.body
    assert f"({EDITOR}/main/POC.md)" in answer.body


def test_a_pull_request_is_opened_for_the_poc_and_named_in_full_in_the_central_one(central: Story) -> None:
    central.granted(contents="write", pull_requests="write")
    comment = tell(central, EXTEND, issue=ours(), where=CENTRAL)
    home = central.github.repos[CENTRAL.id]
    assert "acme/poc-triage#100 makes this change" in home.comments[0].body
    assert f"/acme/portfolio/issues/4#issuecomment-{comment})" in central.repo.ours[0].body
    assert (len(home.comments), home.ours) == (1, [])


@pytest.mark.parametrize(
    "issue",
    [
        pytest.param(ours() | {"user": {"login": "mallory", "type": "User"}}, id="written by a person"),
        pytest.param(ours() | {"user": None}, id="written by somebody who is gone"),
        pytest.param(ours() | {"number": 5}, id="another issue of a bot"),
        pytest.param(ours() | {"pull_request": {}}, id="a pull request"),
        pytest.param(ours(2), id="of a POC that nobody knows"),
        pytest.param({"user": APP, "body": "Text."}, id="no marker"),
    ],
)
def test_a_forged_issue_directs_no_command(central: Story, issue: dict[str, Any]) -> None:
    tell(central, "/poc snooze 14d legal\n/poc frobnicate", issue=issue, where=CENTRAL)
    assert (rests(central), commanded(central), central.comments()) == ([], [], [])
    assert central.github.repos[CENTRAL.id].comments == []
    assert [state.key for state in central.states() if state.dirty] == []


def test_a_bots_issue_elsewhere_directs_no_command(central: Story) -> None:
    other = repository(91, "acme/poc-other")
    central.install(other)
    tell(central, "/poc snooze 14d legal", issue=ours(), where=other)
    assert rests(central) == []


def test_a_command_in_the_pocs_own_stall_issue_is_its_own(poc: Story) -> None:
    tell(poc, "/poc snooze 14d legal", issue=ours())
    assert len(rests(poc)) == 1
    assert (TODAY + timedelta(days=14)) == rests(poc)[0][1]
