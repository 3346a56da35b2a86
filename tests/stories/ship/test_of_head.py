"""Code that is pushed after the approvals to ship: it is named, or asks for them again."""

from __future__ import annotations

import pytest

from tests.harness.charters import SIGNERS
from tests.harness.story import READY, Story, open_signatures, sha
from tests.harness.world import HEAD, INSTALLATION

NEXT = sha("next")
POLICY = "policy: 1\nsignoffs:\n  of_head: true\n"


@pytest.fixture
def signed(poc: Story) -> Story:
    """A ship request with its four signatures, and a commit that is about to be pushed."""
    poc.commit(HEAD)
    poc.ship_request()
    poc.review(*SIGNERS)
    poc.commit(NEXT)
    poc.repo.ahead[HEAD, NEXT] = 3
    return poc


def push(story: Story) -> None:
    story.pull(NEXT, action="synchronize")


def test_what_is_newer_than_each_approval_is_named(signed: Story) -> None:
    assert "approved" not in signed.summary()
    push(signed)
    assert signed.gate(NEXT) == READY
    [line] = [each for each in signed.summary(NEXT).splitlines() if "approved" in each]
    compare = f"https://github.com/acme/poc-triage/compare/{HEAD}...{NEXT}"
    assert line == (
        "- data science (`alice-k`), platform (`bob-m`), product (`carol-s`) and security (`dan-w`) "
        f"approved `{HEAD[:7]}`, without [3 newer commits]({compare})"
    )
    signed.review("alice-k", "bob-m", "carol-s", head=NEXT)
    assert "- security (`dan-w`) approved" in signed.summary(NEXT)


def test_the_number_is_asked_for_once(signed: Story) -> None:
    push(signed)
    signed.github.forget_calls()
    signed.sweep()
    assert signed.github.made("ahead") == []
    assert signed.github.writes == []


def test_an_ordinary_pull_request_asks_for_no_number(signed: Story) -> None:
    push(signed)
    signed.github.forget_calls()
    other = signed.commit(sha("other"))
    signed.pull(other, number=6)
    assert signed.github.made("ahead") == []


def test_the_verdict_does_not_wait_for_the_number(signed: Story) -> None:
    signed.repo.ahead.clear()
    push(signed)
    assert signed.gate(NEXT) == READY
    assert "without [what came after it](" in signed.summary(NEXT)


@pytest.fixture
def strict(signed: Story) -> Story:
    """The same where the policy asks for approvals of the newest commit."""
    signed.execute(
        "INSERT INTO policy (installation_id, repository_id, good_text, read_at) "
        "VALUES (:installation, 90, :text, :now)",
        installation=INSTALLATION,
        text=POLICY,
    )
    return signed


def test_approvals_of_an_earlier_commit_do_not_count(strict: Story) -> None:
    assert strict.gate() == READY
    push(strict)
    assert strict.gate(NEXT) == open_signatures(4)
    assert "**approve again**, the policy asks for the newest commit" in strict.summary(NEXT)
    for missing, login in zip((3, 2, 1, 0), SIGNERS, strict=True):
        strict.review(login, head=NEXT)
        assert strict.gate(NEXT) == open_signatures(missing)
    assert "approved" not in strict.summary(NEXT)


def test_a_late_approval_of_an_earlier_commit_takes_nothing_back(strict: Story) -> None:
    push(strict)
    strict.review(*SIGNERS, head=NEXT)
    strict.review("dan-w", head=HEAD)
    assert strict.gate(NEXT) == READY


def test_a_deployment_is_answered_by_the_same(strict: Story) -> None:
    push(strict)
    answer = strict.ask_to_deploy(NEXT)
    assert answer is not None
    assert not answer.approved
    assert "not signed: data science" in answer.comment
    assert f"approved `{HEAD[:7]}`, without 3 newer commits: **approve again**" in answer.comment
    strict.review(*SIGNERS, head=NEXT)
    answer = strict.ask_to_deploy(NEXT)
    assert answer is not None
    assert answer.approved


def test_without_the_policy_an_approved_deployment_names_what_is_newer(signed: Story) -> None:
    push(signed)
    answer = signed.ask_to_deploy(NEXT)
    assert answer is not None
    assert answer.approved
    assert f"approved `{HEAD[:7]}`, without 3 newer commits" in answer.comment
