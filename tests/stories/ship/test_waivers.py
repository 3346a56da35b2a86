"""`waived`: a threshold that may be missed for a while, signed like any goalpost, and over by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.harness.charters import CHARTER, SIGNERS, files
from tests.harness.story import READY, Said, Story, open_signatures, sha
from tests.harness.world import HEAD
from tests.stories.ship.orders import answers, ask

MISSED = files(accuracy=0.9)
WAIVED = CHARTER.replace(
    "signoffs:", "waived:\n  - accuracy until 2026-12-01 - the labels come late\nsignoffs:"
)
SHIPS = Said("success", "Ready to ship, accuracy waived until 1 December 2026")
MISSES = Said("failure", "Not ready to ship: 1 missed")
BRINGS, NEXT = sha("brings"), sha("next")


@pytest.fixture
def asked(poc: Story) -> Story:
    """A ship request that misses one bound, and that all four have signed."""
    poc.commit(HEAD, put=MISSED)
    poc.ship_request()
    poc.review(*SIGNERS)
    assert poc.gate() == MISSES
    return poc


def brought(story: Story, *people: str, charter: str = WAIVED) -> None:
    """A pull request that waives, approved by some, and merged."""
    story.pull(story.commit(BRINGS, charter, MISSED), number=6)
    if people:
        story.review(*people, number=6, head=BRINGS)
    story.land(BRINGS, charter, put=MISSED)
    story.pull(story.commit(NEXT, charter, MISSED), action="synchronize")


def test_a_waived_threshold_ships_once_those_who_answer_for_it_have_signed_again(asked: Story) -> None:
    brought(asked, "alice-k", "carol-s")
    assert asked.gate(NEXT) == open_signatures(2)
    asked.review("alice-k", "carol-s", head=NEXT)
    assert asked.gate(NEXT) == SHIPS
    assert "waived until 1 December 2026; missed by 2 points" in asked.summary(NEXT)
    assert "1 of 2 thresholds is met on this commit, 1 waived" in asked.summary(NEXT)
    answer = asked.ask_to_deploy(NEXT)
    assert answer is not None
    assert (answer.approved, "1 waived" in answer.comment) == (True, True)


def test_a_waiver_ends_without_anybodys_push(asked: Story) -> None:
    brought(asked, "alice-k", "carol-s")
    asked.review("alice-k", "carol-s", head=NEXT)
    asked.now += timedelta(days=8)
    asked.sweep()
    assert asked.gate(NEXT) == SHIPS
    asked.now += timedelta(days=1)
    asked.sweep()
    assert asked.gate(NEXT) == MISSES
    answer = asked.ask_to_deploy(NEXT)
    assert answer is not None
    assert not answer.approved


@pytest.mark.parametrize(
    "people", [(), ("alice-k",), ("bob-m", "dan-w")], ids=["nobody", "data science alone", "others"]
)
def test_a_waiver_that_is_not_signed_does_not_count(asked: Story, people: tuple[str, ...]) -> None:
    brought(asked, *people)
    assert asked.gate(NEXT).title.startswith("Not ready to ship: 1 missed")
    assert "Made easier, and not signed" in asked.summary(NEXT)
    assert "(now `waived until 2026-12-01`)" in asked.summary(NEXT)


def test_a_waiver_cannot_name_who_signs_it(asked: Story) -> None:
    theirs = WAIVED.replace("alice-k", "mallory").replace("carol-s", "trudy")
    brought(asked, "mallory", "trudy", charter=theirs)
    assert asked.gate(NEXT).title.startswith("Not ready to ship: 1 missed")


def test_the_command_answers_with_the_line(poc: Story) -> None:
    ask(poc, "/poc waive accuracy until 2026-12-18 the labels come late")
    [answer] = answers(poc)
    assert "waived:\n  - accuracy until 2026-12-18 - the labels come late" in answer
    assert "Data science (`alice-k`) and product (`carol-s`) sign again" in answer


def test_without_its_waiver_what_was_signed_before_holds_again(asked: Story) -> None:
    brought(asked, "alice-k", "carol-s")
    assert asked.gate(NEXT) == open_signatures(2)
    asked.land(sha("without"))
    asked.pull(asked.commit(sha("met"), put=files()), action="synchronize")
    assert asked.gate(sha("met")) == READY
