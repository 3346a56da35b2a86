"""The weekly digest: what it says, when, to whom, and how often."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import respx

from service.ports import GitHubError
from service.rules.ball import Ball, Party, Wants
from service.rules.calendar import USUAL, Calendar, Freeze
from service.rules.charter.goalposts import Group
from service.rules.digest import PocLine, digest, is_time, week_of
from service.rules.lifecycle import State
from service.rules.retry import Failure, FailureKind
from service.rules.slips import slips
from service.rules.stall import Cause
from service.slack import Slack
from service.texts import Texts, find_templates
from tests.fakes import NOW, repository
from tests.test_policy_events import HOME, Org

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
LONG_AGO = MONDAY - timedelta(days=90)
LATELY = MONDAY - timedelta(days=3)
CENTRAL = repository(91, full_name="acme/portfolio", topics=["not-a-poc"])
CENTRALLY = "policy: 1\ncentral_repository: acme/portfolio\n"
GOLDENS = Path(__file__).parent / "texts" / "digest"
HOOK = "https://hooks.slack.example.com/services/T/B/secret"


def poc(name: str, state: State = State.BUILDING, **more: object) -> PocLine:
    line = PocLine(f"acme/{name}", state, LONG_AGO, LONG_AGO)
    return replace(line, **more)  # type: ignore[arg-type]


def with_security(since: date) -> Ball:
    at = datetime(since.year, since.month, since.day, tzinfo=UTC)
    return Ball(Party.SIGNER, Wants.SHIP_SIGNATURE, at, ("dan-w",), Group.SECURITY, 41)


STALLED = poc(
    "triage",
    State.EVALUATING,
    stalled_since=date(2026, 11, 9),
    cause=Cause.SILENT,
    rung=2,
    ball=with_security(date(2026, 11, 9)),
    ship_by=date(2027, 2, 26),
    slips=slips([date(2027, 1, 15), date(2027, 2, 1), date(2027, 2, 26)]),
)
FULL = (
    STALLED,
    poc("late", stalled_since=date(2026, 10, 1), cause=Cause.OVERDUE, rung=3, ship_by=date(2026, 10, 1)),
    poc("ready", State.SHIPPING, ship_by=date(2026, 12, 4)),
    poc("sooner", State.BUILDING, ship_by=date(2026, 12, 1)),
    poc("measured", State.EVALUATING, ship_by=date(2027, 1, 8)),
    poc("later", State.BUILDING, ship_by=date(2027, 3, 1)),
    poc("gone-live", State.SHIPPED, state_since=LATELY),
    poc("went-live-long-ago", State.SHIPPED),
    poc("given-up", State.STOPPED, state_since=LATELY),
    poc("<!channel>-@everyone", registered_at=LATELY, state=State.NONE, private=True),
)


def test_the_first_line_is_for_those_who_decide_and_the_nearest_dates_come_first() -> None:
    found = digest(FULL, MONDAY, USUAL)
    assert found is not None
    assert [each.full_name for each in found.decisions] == ["acme/late"]
    assert [each.full_name for each in found.stalled] == ["acme/triage"]
    assert [each.full_name for each in found.next_to_ship] == ["acme/ready", "acme/measured", "acme/sooner"]
    assert [each.full_name for each in found.shipped] == ["acme/gone-live"]
    assert (found.week, found.active) == ("2026-W48", 7)


def test_nothing_to_say_is_not_said() -> None:
    assert digest((poc("quiet"), poc("shipped", State.SHIPPED)), MONDAY, USUAL) is None


@pytest.mark.parametrize(
    ("now", "calendar", "expected"),
    [
        pytest.param(MONDAY, USUAL, True, id="Monday morning"),
        pytest.param(MONDAY.replace(hour=6), USUAL, False, id="too early"),
        pytest.param(MONDAY - timedelta(days=1), USUAL, False, id="a Sunday"),
        pytest.param(
            MONDAY, Calendar(freezes=(Freeze(date(2026, 11, 23), date(2026, 11, 23)),)), False, id="a freeze"
        ),
        pytest.param(MONDAY + timedelta(days=1), USUAL, True, id="the next working day will do"),
    ],
)
def test_when_it_is_time(now: datetime, calendar: Calendar, expected: bool) -> None:
    assert is_time(now, calendar) is expected


def test_a_week_is_named_by_iso() -> None:
    assert week_of(date(2027, 1, 3)) == "2026-W53"
    assert week_of(date(2027, 1, 4)) == "2027-W01"


@pytest.mark.parametrize("name", ["digest.md", "public.md", "slack.txt"])
def test_texts(name: str) -> None:
    texts, found = Texts(find_templates()), digest(FULL, MONDAY, USUAL)
    assert found is not None
    if name == "slack.txt":
        text = texts.digest_for_slack(found, "acme", "https://github.com")
    else:
        text = texts.digest(found, public=name == "public.md", web_url="https://github.com")
    if os.environ.get("WRITE_GOLDEN"):
        GOLDENS.mkdir(exist_ok=True)
        (GOLDENS / name).write_text(text)
    assert text == (GOLDENS / name).read_text()
    assert "<!channel>" not in text
    assert name == "slack.txt" or "@everyone" not in text


class Announced:
    """Where a digest is announced, with failures on demand."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.fail = False

    def announce(self, text: str) -> None:
        if self.fail:
            self.fail = False
            raise GitHubError(Failure(FailureKind.TRANSIENT, "Slack is not reachable"))
        self.texts.append(text)


@pytest.fixture
def org(database_url: str) -> Iterator[Org]:
    """An organisation with a central repository, one POC that waits for a signature, and Slack."""
    made = Org(database_url)
    made.services = replace(made.services, announcer=Announced())
    made.github.add(HOME)
    made.github.add(CENTRAL)
    made.github.add(repository()).write(None, "main")
    made.write_policy(CENTRALLY)
    made.now = NOW - timedelta(days=3)
    made.install(HOME, CENTRAL, repository())
    made.now = NOW
    yield made
    made.services.engine.dispose()


def said(org: Org) -> list[str]:
    return [comment.body for comment in org.github.repos[CENTRAL.id].comments]


def announced(org: Org) -> Announced:
    assert isinstance(org.services.announcer, Announced)
    return org.services.announcer


def test_once_a_week_to_the_central_issue_and_to_slack(org: Org) -> None:
    org.sweep()
    org.sweep()
    (issue,) = org.github.repos[CENTRAL.id].issues.values()
    assert issue.labels == ("poc-digest",)
    (comment,) = said(org)
    assert "acme/poc" in comment
    assert len(announced(org).texts) == 1
    org.now += timedelta(days=7)
    org.sweep()
    assert len(org.github.repos[CENTRAL.id].issues) == 1
    assert len(said(org)) == len(announced(org).texts)


def test_a_week_without_news_has_none(org: Org) -> None:
    org.sweep()
    org.now += timedelta(days=8)
    org.sweep()
    assert len(said(org)) == 1


def test_observing_says_nothing(org: Org) -> None:
    org.push_policy(CENTRALLY + "mode: observe\n")
    org.sweep()
    assert said(org) == announced(org).texts == []


def test_slack_that_was_not_reached_is_told_later_and_the_issue_not_twice(org: Org) -> None:
    announced(org).fail = True
    org.sweep()
    org.work(waited=True)
    assert len(said(org)) == 1
    assert len(announced(org).texts) == 1


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        pytest.param(httpx.Response(200, text="ok"), False, id="taken"),
        pytest.param(httpx.Response(429), True, id="too many"),
        pytest.param(httpx.Response(502), True, id="broken"),
        pytest.param(httpx.Response(404, text="no_service"), False, id="the webhook is gone: given up"),
        pytest.param(httpx.ReadTimeout("slow"), False, id="unknown: not repeated"),
        pytest.param(httpx.ConnectError("refused"), True, id="never sent"),
    ],
)
def test_what_slack_says(answer: httpx.Response | Exception, again: bool) -> None:
    with respx.mock:
        route = respx.post(HOOK)
        route.side_effect = answer if isinstance(answer, Exception) else [answer]
        if again:
            with pytest.raises(GitHubError):
                Slack(HOOK).announce("hello")
        else:
            Slack(HOOK).announce("hello")
        assert route.call_count == 1
