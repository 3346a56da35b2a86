"""What people read on a commit that could not be judged, and where there is nothing to judge."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.rules.checks.verdict import Unjudged
from service.rules.policy.model import WhenUnjudged
from service.texts.render import TITLE_LIMIT
from tests.unit.texts.reading import ACTIVE, TEXTS, assert_golden, assert_reads_well

AT = datetime(2026, 11, 23, 9, 17, tzinfo=UTC)
TOO_LONG = (
    "comparing 1111111 with 2222222 in acme/poc-triage: GitHub says 422, "
    "Server Error: Sorry, this diff is taking too long to generate."
)
FAILURE, NEUTRAL = WhenUnjudged
SHOWN = {
    "failure": Unjudged(TOO_LONG, AT, FAILURE, leaves_charter=False, observe=False),
    "neutral": Unjudged(TOO_LONG, AT, NEUTRAL, leaves_charter=True, observe=False),
    "may-touch": Unjudged(TOO_LONG, AT, NEUTRAL, leaves_charter=False, observe=False),
    "observing": Unjudged(TOO_LONG, AT, FAILURE, leaves_charter=False, observe=True),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_commit_that_could_not_be_judged(name: str) -> None:
    output = TEXTS.unjudged(SHOWN[name])
    assert output.title == (
        "Couldn't be judged: GitHub says 422, Server Error: Sorry, this diff is taking too long to generate"
    )
    text = output.summary + output.footnote
    assert_golden(f"unjudged/{name}", text)
    assert_reads_well(text)


def test_when_it_is_tried_again_is_no_part_of_the_verdict() -> None:
    one = TEXTS.unjudged(SHOWN["failure"])
    other = TEXTS.unjudged(Unjudged(TOO_LONG, AT.replace(hour=10), FAILURE, False, False))
    assert one.footnote != other.footnote
    assert one.digest == other.digest


def test_what_github_says_does_nothing() -> None:
    said = "reading POC.md: GitHub says 451, @dan-w closes #5 https://example.com <b>" + "x" * 400
    output = TEXTS.unjudged(Unjudged(said, AT, FAILURE, leaves_charter=False, observe=False))
    assert not ACTIVE.search(output.title)
    assert not ACTIVE.search(output.summary)
    assert len(output.title) <= TITLE_LIMIT


@pytest.mark.parametrize(("name", "reason"), [("not-a-poc", "topic not-a-poc"), ("not-a-poc-at-all", None)])
def test_a_repository_that_is_no_poc(name: str, reason: str | None) -> None:
    output = TEXTS.not_a_poc(reason)
    assert (output.conclusion, output.title) == ("success", "Not a POC")
    assert_golden(f"unjudged/{name}", output.summary)
    assert_reads_well(output.summary)
