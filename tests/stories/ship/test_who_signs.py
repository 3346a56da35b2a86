"""Who signs: told and asked on the pull request; members without write access, deputies, accounts."""

from __future__ import annotations

import pytest

from service.rules.values.actions import CHARTER_CHECK
from tests.harness.charters import CHARTER, OWNER, SIGNERS
from tests.harness.github import account_id
from tests.harness.story import Story, sha
from tests.harness.world import HEAD, INSTALLATION

DATA_SCIENCE, PLATFORM, PRODUCT, SECURITY = SIGNERS
DEPUTY = "eve-s"
ALL_FOUR = (
    "`alice-k`, `bob-m`, `carol-s` and `dan-w` approve this pull request. "
    "That approval is their signature to start."
)


@pytest.fixture
def proposed(story: Story) -> Story:
    """A POC whose charter is in a pull request."""
    story.found(None, signed=False)
    story.pull(story.commit(HEAD, CHARTER, {}))
    return story


def test_the_record_of_past_signatures_is_held_against_the_ship_date(proposed: Story) -> None:
    before = proposed.charter_check()
    assert "signatures to start took" not in before
    proposed.execute(
        """
        INSERT INTO repository (id, installation_id, full_name, topics)
        SELECT 900 + n, :installation, 'acme/poc-' || n, '{}' FROM generate_series(1, 5) n
        """,
        installation=INSTALLATION,
    )
    proposed.execute("INSERT INTO poc (repository_id) SELECT 900 + n FROM generate_series(1, 5) n")
    turn = "INSERT INTO turn (poc_id, party, wants, for_group, people, since) SELECT p.id, "
    of_them = " FROM poc p WHERE repository_id > 900"
    proposed.execute(f"{turn}'signer', 'start-signature', 'security', '{{dan-w}}', '2026-03-02'{of_them}")
    proposed.execute(f"{turn}'owner', 'work', NULL, '{{jane-doe}}', '2026-03-23'{of_them}")
    proposed.review(DATA_SCIENCE)
    said = proposed.charter_check().split("\n\n")[1]
    assert said.endswith(
        "1 of 4. The signatures to start took 15 working days here, 80 % within 15 (5 rounds so far); to "
        "have them by the ship date, 26 February 2027, ask by 5 February 2027: ask security first, because "
        "it takes longest."
    )
    proposed.github.forget_calls()
    proposed.sweep()
    assert proposed.github.writes == []


def titles(story: Story) -> list[str]:
    return [run.output.title for run in story.runs(HEAD, CHARTER_CHECK)]


def test_a_green_charter_tells_its_signers_and_counts_them(proposed: Story) -> None:
    verdict, said, *_ = proposed.charter_check().split("\n\n")
    assert verdict == "**The charter is complete.**"
    assert said == f"Next: {ALL_FOUR} 0 of 4."
    proposed.review(DATA_SCIENCE)
    assert "Next: `bob-m`, `carol-s` and `dan-w` approve this pull request" in proposed.charter_check()
    assert "signature to start. 1 of 4." in proposed.charter_check()
    proposed.review(PLATFORM, PRODUCT)
    assert "Next: `dan-w` approves this pull request. That approval is the" in proposed.charter_check()
    proposed.review(SECURITY)
    assert "Signed to start: 4 of 4." in proposed.charter_check()
    assert set(titles(proposed)) == {"Charter complete"}


def test_a_charter_that_is_not_fine_asks_nobody_to_sign(story: Story) -> None:
    story.found(None, signed=False)
    story.pull(story.commit(HEAD, CHARTER.replace("accuracy >= 92 %", "be fast"), {}))
    assert "signature to start" not in story.charter_check()


def test_ordinary_work_asks_nobody_to_sign(story: Story) -> None:
    story.found(signed=False)
    story.pull(story.commit(HEAD, put={}))
    assert "signature to start" not in story.charter_check()


def test_who_signed_before_is_asked_about_what_got_easier(poc: Story) -> None:
    eased = CHARTER.replace("accuracy >= 92 %", "accuracy >= 90 %").replace("carol-s", "erin-x")
    poc.pull(poc.commit(HEAD, eased, {}))
    assert "Next: `alice-k` and `carol-s` approve this pull request" in poc.charter_check()
    assert "2 of 4." in poc.charter_check()


def test_who_is_missing_is_asked_for_a_review_once_where_that_is_granted(story: Story) -> None:
    story.found(None, signed=False)
    story.granted(pull_requests="write")
    story.repo.strangers.add(SECURITY)
    story.pull(story.commit(HEAD, CHARTER, {}), author=PLATFORM, sender=PLATFORM)
    asked = [str(call) for call in story.github.made("ask_reviewer")]
    assert asked == [f"ask_reviewer 5 {login}" for login in (DATA_SCIENCE, PRODUCT, SECURITY)]
    assert story.repo.reviewers == {(5, DATA_SCIENCE), (5, PRODUCT)}
    story.pull(story.commit(sha("next"), CHARTER, {}), action="synchronize")
    story.sweep()
    assert len(story.github.made("ask_reviewer")) == 3


@pytest.mark.parametrize("observed", [True, False], ids=["observing", "not granted"])
def test_nobody_is_asked_for_a_review_where_it_is_not_granted_or_only_observed(
    story: Story, observed: bool
) -> None:
    story.found(None, signed=False)
    if observed:
        story.granted(pull_requests="write")
        story.observe()
    story.pull(story.commit(HEAD, CHARTER, {}))
    assert ALL_FOUR in story.charter_check()
    assert story.github.made("ask_reviewer") == []


# By a command


def signed(story: Story) -> set[tuple[str, str, str | None]]:
    return set(story.rows("SELECT login, signs_for, behalf FROM signature WHERE withdrawn_at IS NULL"))


@pytest.fixture
def unsigned(story: Story) -> Story:
    """A POC whose charter nobody has signed."""
    story.found(signed=False)
    return story


def test_a_named_person_needs_no_write_access(unsigned: Story) -> None:
    unsigned.repo.permissions[SECURITY] = "read"
    unsigned.sign(SECURITY)
    assert signed(unsigned) == {(SECURITY, "security", None)}
    assert [call.method for call in unsigned.github.made("belongs")] == ["belongs"]


def test_who_does_not_belong_to_the_organisation_does_not_sign(unsigned: Story) -> None:
    unsigned.repo.permissions[SECURITY] = "read"
    unsigned.repo.strangers.add(SECURITY)
    unsigned.sign(SECURITY)
    assert signed(unsigned) == set()
    [said] = unsigned.comments()
    assert "dan-w is neither a member of it nor a collaborator of this repository" in said


# Deputies


@pytest.fixture
def deputised(unsigned: Story) -> Story:
    """The same, in an organisation whose policy names a deputy for security."""
    unsigned.execute(
        "INSERT INTO policy (installation_id, repository_id, good_text, read_at) "
        "VALUES (:installation, 99, :policy, :now)",
        installation=INSTALLATION,
        policy=f"policy: 1\ngroups:\n  security:\n    deputies: [{DEPUTY}, {OWNER}]\n",
    )
    return unsigned


def test_a_deputy_signs_for_the_named_person_and_the_record_says_so(deputised: Story) -> None:
    deputised.sign(DEPUTY, *SIGNERS[:3])
    assert (DEPUTY, "security", SECURITY) in signed(deputised)
    assert deputised.state_of_poc() == "building"
    deputised.commit(HEAD)
    deputised.ship_request()
    deputised.review(DEPUTY, *SIGNERS[:3])
    assert deputised.gate().conclusion == "success"
    assert "security (`eve-s for dan-w`)" in deputised.summary()


def test_a_deputys_signature_ends_when_somebody_else_is_named(deputised: Story) -> None:
    deputised.sign(DEPUTY, *SIGNERS[:3])
    deputised.land(sha("main"), CHARTER.replace("security: dan-w", "security: frank-y"))
    assert deputised.state_of_poc() == "proposed"


def test_an_owner_is_nobodys_deputy(deputised: Story) -> None:
    deputised.sign(OWNER)
    assert signed(deputised) == set()


# Accounts

OTHER = 4711


def test_another_account_under_a_signers_login_does_not_sign(proposed: Story) -> None:
    proposed.review(SECURITY, account_id=OTHER)
    assert signed(proposed) == set()
    assert "0 of 4." in proposed.charter_check()
    proposed.review(SECURITY, account_id=account_id(SECURITY))
    assert signed(proposed) == {(SECURITY, "security", None)}


def test_another_account_is_told_why_its_command_does_not_sign(proposed: Story) -> None:
    proposed.land(sha("main"), CHARTER, put={})
    proposed.tell_comment("/poc sign", SECURITY, number=1, on_pull=False, account_id=OTHER)
    proposed.work()
    assert (SECURITY, "security", None) not in signed(proposed)
    [said] = proposed.comments(1)
    assert "dan-w was another account then" in said


def test_another_account_does_not_sign_by_opening_a_pull_request(proposed: Story) -> None:
    proposed.github.renamed[SECURITY] = 1
    proposed.pull(proposed.commit(sha("next"), CHARTER, {}), number=6, author=SECURITY)
    assert signed(proposed) == set()
    found = [run.output for run in proposed.runs(sha("next"), CHARTER_CHECK)]
    assert "signature to start" in found[-1].summary


def test_another_account_under_a_signers_login_is_a_finding(proposed: Story) -> None:
    proposed.github.renamed[SECURITY] = 1
    proposed.pull(proposed.commit(sha("next"), CHARTER + "\nMore.\n", {}), action="synchronize")
    assert "`dan-w` isn't the account first named" in proposed.charter_check(sha("next"))
