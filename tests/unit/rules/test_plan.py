"""Wanted versus posted: the writes between the two."""

from __future__ import annotations

from datetime import date

import pytest

from service.rules.values.actions import (
    CHARTER_CHECK,
    STALL_LABEL,
    STALL_MARKER,
    Action,
    Annotation,
    CheckRunOutput,
    CompleteCheckRun,
    Conclusion,
    CreateCheckRun,
    EditIssue,
    EscalationRecord,
    OpenIssue,
    PostedCheckRun,
    plan_check_run,
    text_digest,
)
from service.rules.values.github import RepositoryRef
from service.rules.values.subjects import PocId

REPOSITORY = RepositoryRef(1, "acme/poc-triage")
FIRST = EscalationRecord(1, 1, reopened=False)
SHA = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0"
WANTED = CheckRunOutput(Conclusion.SUCCESS, "Charter complete", "fine\n")
SAME = PostedCheckRun(1, "poc-governor:x", WANTED.digest, 900)
CREATE = CreateCheckRun(REPOSITORY, SHA, CHARTER_CHECK, WANTED)
REPEAT = CompleteCheckRun(REPOSITORY, 900, WANTED)


@pytest.mark.parametrize(
    ("posted", "rerun", "expected"),
    [
        pytest.param(None, False, (CREATE,), id="nothing is posted yet"),
        pytest.param(SAME, False, (), id="the verdict stands: no write"),
        pytest.param(PostedCheckRun(1, "x", "other", 900), False, (CREATE,), id="a new verdict is a new run"),
        pytest.param(
            PostedCheckRun(1, "x", WANTED.digest, None),
            False,
            (CREATE,),
            id="one that may not have been posted",
        ),
        pytest.param(SAME, True, (REPEAT,), id="asked for again, the verdict stands: completed again"),
        pytest.param(
            PostedCheckRun(1, "x", "other", 900), True, (CREATE,), id="asked for again with a new verdict"
        ),
        pytest.param(None, True, (CREATE,), id="asked for again before there was one"),
    ],
)
def test_the_check_run(posted: PostedCheckRun | None, rerun: bool, expected: tuple[Action, ...]) -> None:
    planned = plan_check_run(REPOSITORY, SHA, CHARTER_CHECK, WANTED, posted, rerun_requested=rerun)
    assert planned == expected


NOTE = Annotation("POC.md", 8, 8, "failure", "no number", "done-threshold", 5)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(CheckRunOutput(Conclusion.NEUTRAL, "Charter complete", "fine\n"), id="conclusion"),
        pytest.param(CheckRunOutput(Conclusion.SUCCESS, "Charter complete?", "fine\n"), id="title"),
        pytest.param(CheckRunOutput(Conclusion.SUCCESS, "Charter complete", "fine"), id="summary"),
        pytest.param(
            CheckRunOutput(Conclusion.SUCCESS, "Charter complete", "fine\n", (NOTE,)), id="annotations"
        ),
    ],
)
def test_whatever_people_read_is_part_of_the_digest(other: CheckRunOutput) -> None:
    assert other.digest != WANTED.digest
    assert CheckRunOutput(Conclusion.SUCCESS, "Charter complete", "fine\n").digest == WANTED.digest


def test_a_title_and_a_body_cannot_be_mistaken_for_each_other() -> None:
    assert text_digest("a", "bc") != text_digest("ab", "c")
    assert text_digest("a", "b") == text_digest("a", "b")


@pytest.mark.parametrize(
    ("action", "says", "needs"),
    [
        pytest.param(CREATE, "post POC charter: success, 'Charter complete' on a1b2c3d", "checks", id="post"),
        pytest.param(REPEAT, "complete check run 900 again: success", "checks", id="complete again"),
        pytest.param(
            OpenIssue(
                REPOSITORY, PocId(2), 1, "x is waiting", "body", "jane-doe", date(2026, 11, 23), 5, FIRST
            ),
            "open issue 'x is waiting' for jane-doe",
            "issues",
            id="open for somebody",
        ),
        pytest.param(
            OpenIssue(REPOSITORY, PocId(2), 1, "x is waiting", "body", None, date(2026, 11, 23), 5, FIRST),
            "open issue 'x is waiting'",
            "issues",
            id="open for nobody",
        ),
        pytest.param(
            EditIssue(REPOSITORY, PocId(2), 5, FIRST, "t", "b"), "edit issue #5", "issues", id="edit"
        ),
        pytest.param(
            EditIssue(REPOSITORY, PocId(2), 5, FIRST, state="closed"), "close issue #5", "issues", id="close"
        ),
        pytest.param(
            EditIssue(REPOSITORY, PocId(2), 5, FIRST, "t", "b", "open"),
            "reopen issue #5",
            "issues",
            id="reopen",
        ),
    ],
)
def test_an_action_says_what_it_does_and_which_permission_it_needs(
    action: Action, says: str, needs: str
) -> None:
    assert (str(action), action.needs) == (says, needs)


def test_the_names_that_others_rely_on_are_frozen() -> None:
    assert (CHARTER_CHECK, STALL_LABEL) == ("POC charter", "poc-stalled")
    assert STALL_MARKER == "<!-- poc-governor:stall -->"
