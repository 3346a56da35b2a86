"""The digest as people read it: for the central repository, for a public one, for Slack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from service.rules.digest.week import Digest, LastDigest, PocLine, digest
from service.rules.gate.lifecycle import State
from service.rules.stall.stalls import Cause
from service.rules.stall.time_spent import ship_date_changes
from service.rules.stall.waiting_on import Party, WaitingOn, Wants
from service.rules.values.calendar import USUAL
from service.rules.values.groups import Group
from service.texts.render import MOST_ROWS
from tests.harness.golden import assert_golden
from tests.harness.places import GOLDEN
from tests.unit.texts.reading import TEXTS

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
LONG_AGO = MONDAY - timedelta(days=90)
LATELY = MONDAY - timedelta(days=3)
LAST = LastDigest(MONDAY - timedelta(days=7), frozenset({"stalled:30"}))
GOLDENS = GOLDEN / "digest"
ISSUES = "https://github.com/acme/triage/issues/"
PRIVATE, HOSTILE = "acme/secret-plan", "acme/<!channel>|*-@everyone"


def poc(number: int, name: str, state: State = State.BUILDING, **more: object) -> PocLine:
    line = PocLine(number, name if "/" in name else f"acme/{name}", state, LONG_AGO, LONG_AGO)
    return replace(line, **more)  # type: ignore[arg-type]


def with_security(*people: str) -> WaitingOn:
    at = datetime(2026, 11, 3, tzinfo=UTC)
    return WaitingOn(Party.SIGNER, Wants.SHIP_SIGNATURE, at, people, Group.SECURITY, 41)


SLIPPED = ship_date_changes([date(2027, 1, 15), date(2027, 2, 1), date(2027, 2, 26)])
BLOCKED = WaitingOn(Party.BLOCKER, Wants.UNBLOCK, LONG_AGO, (), about="acme/secret-plan#3")
FULL = (
    poc(
        1,
        "triage",
        State.EVALUATING,
        stalled_since=date(2026, 11, 3),
        cause=Cause.SILENT,
        rung=2,
        issue_url=f"{ISSUES}5",
        waiting_on=with_security("dan-w"),
        ship_by=date(2027, 2, 26),
        slips=SLIPPED,
    ),
    poc(
        2,
        "late",
        stalled_since=date(2026, 10, 1),
        cause=Cause.OVERDUE,
        rung=3,
        issue_url=f"{ISSUES}6",
        waiting_on=WaitingOn(Party.OWNER, Wants.WORK, LATELY, ("jane-doe",)),
        ship_by=date(2026, 10, 1),
    ),
    poc(
        3,
        PRIVATE,
        stalled_since=date(2026, 11, 9),
        cause=Cause.SILENT,
        private=True,
        waiting_on=BLOCKED,
        rung=1,
    ),
    poc(4, HOSTILE, stalled_since=date(2026, 11, 10), cause=Cause.SILENT, waiting_on=with_security("<b>|x")),
    poc(5, "resting", waiting_on=WaitingOn(Party.NOBODY, Wants.NOTHING, LATELY), ship_by=date(2026, 11, 20)),
    poc(6, "ready", State.SHIPPING, ship_by=date(2026, 12, 4)),
    poc(7, "measured", State.EVALUATING, ship_by=date(2027, 1, 8)),
    poc(8, "gone-live", State.SHIPPED, state_since=LATELY),
    poc(9, "went-live-long-ago", State.SHIPPED),
    poc(10, f"{PRIVATE}-2", State.SHIPPED, state_since=LATELY, private=True),
    poc(11, f"{PRIVATE}-3", State.SHIPPED, state_since=LATELY, private=True),
    poc(12, "given-up", State.STOPPED, state_since=LATELY, reason="data: @dan-w may not see it."),
    poc(13, f"{HOSTILE}-2", State.NONE, registered_at=LATELY),
    poc(30, "moved-on", acted_at=LATELY),
)
CROWD = (
    *(
        poc(n, f"poc-{n:02}", stalled_since=date(2026, 11, 9), waiting_on=with_security("dan-w"))
        for n in range(17)
    ),
    *(poc(n, f"new-{n:02}", registered_at=LATELY) for n in range(20, 32)),
    *(poc(n, f"{PRIVATE}-{n}", registered_at=LATELY, private=True) for n in range(40, 43)),
)


def text_of(name: str, found: Digest) -> str:
    if name.endswith(".txt"):
        return TEXTS.digest_for_slack(found, "acme", "https://github.com")
    return TEXTS.digest(found, public="public" in name, web_url="https://github.com")


@pytest.mark.parametrize(
    ("name", "pocs"),
    [
        pytest.param("digest.md", FULL, id="all there is"),
        pytest.param("public.md", FULL, id="all there is, in a public repository"),
        pytest.param("slack.txt", FULL, id="all there is, for Slack"),
        pytest.param("crowd-public.md", CROWD, id="many, in a public repository"),
        pytest.param("crowd-slack.txt", CROWD, id="many, for Slack"),
    ],
)
def test_texts(name: str, pocs: tuple[PocLine, ...]) -> None:
    found = digest(pocs, MONDAY, USUAL, LAST)
    assert found is not None
    text = text_of(name, found)
    assert_golden(GOLDENS / name, text)


@pytest.mark.parametrize("name", ["digest.md", "public.md", "slack.txt"])
def test_what_people_wrote_does_nothing(name: str) -> None:
    found = digest(FULL, MONDAY, USUAL, LAST)
    assert found is not None
    text = text_of(name, found)
    assert "<!channel>" not in text
    assert "<b>" not in text
    assert name == "slack.txt" or "@everyone" not in text


def test_a_public_repository_names_no_private_one() -> None:
    found = digest(FULL, MONDAY, USUAL, LAST)
    assert found is not None
    assert PRIVATE in text_of("digest.md", found)
    assert PRIVATE not in text_of("public.md", found)


def test_ten_rows_and_how_many_more() -> None:
    found = digest(CROWD, MONDAY, USUAL)
    assert found is not None
    text = text_of("digest.md", found)
    assert MOST_ROWS == 10
    assert sum(line.startswith("| [acme/poc-") for line in text.splitlines()) == 10
    assert "And 7 more." in text
