"""Further groups sign beside the four, and one of the four may be left out by the policy alone."""

from __future__ import annotations

from tests.harness.charters import CHARTER, SIGNERS
from tests.harness.story import READY, Said, Story, open_signatures
from tests.harness.world import HEAD

FIVE = CHARTER.replace("  security: dan-w\n", "  security: dan-w\n  works_council: wim-k\n")
THREE = CHARTER.replace("security: dan-w", "security: n/a - we have no security group")


def test_a_fifth_signer_is_asked_like_the_four(story: Story) -> None:
    story.found(FIVE, signed=False)
    story.sign(*SIGNERS)
    assert story.state_of_poc() == "proposed"
    story.sign("wim-k")
    assert story.state_of_poc() != "proposed"
    story.commit(HEAD, FIVE)
    story.ship_request()
    assert story.gate() == open_signatures(5)
    story.review(*SIGNERS)
    assert story.gate() == open_signatures(1)
    assert "works council (`wim-k`)" in story.summary()
    story.review("wim-k")
    assert story.gate() == READY


def test_nobody_leaves_a_group_out_on_their_own(story: Story) -> None:
    story.found(THREE)
    story.commit(HEAD, THREE)
    story.ship_request()
    assert story.gate() == Said("failure", "Not ready to ship: the charter has errors")
