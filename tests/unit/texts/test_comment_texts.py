"""What people read beside a deployment, under a command, and at the end: golden texts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.rules.charter.model import Charter
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.commands.parsing import Refusal, Verb, authorise, parse_commands
from service.rules.evidence.judging import judge_line
from service.rules.evidence.values import Conditions, Demands
from service.rules.gate.verdict import Occasion, answer_deployment
from service.rules.values.groups import Group, Level
from service.texts.render import DEPLOYMENT_LIMIT
from tests.harness.places import GOLDEN
from tests.unit.texts.gates import (
    COMPLETE,
    EXAMPLE,
    OTHER,
    PLACES,
    WORST,
    Case,
    assert_does_nothing,
    charter_of,
    hostile,
    number,
)
from tests.unit.texts.reading import CHARTER_URL, NASTY, TEXTS, assert_golden, assert_reads_well

UNBOUND = COMPLETE.replace("  measured_in: support-staging\n", "")
STOPPED = COMPLETE.replace("poc: 1\n", "poc: 1\nstopped: 2027-01-29 - the baseline was good enough\n")
EASED = COMPLETE.replace(">= 92 %", ">= 90 %").replace("  measured_in: support-staging\n", "")
HELD = frozenset({"support-prod"})
MISSING = {"accuracy": number("accuracy", "91.4 %"), "error_rate": None}


def case(**different: object) -> Case:
    return replace(Case("", "", occasion=Occasion.DEPLOYMENT), **different)  # type: ignore[arg-type]


DEPLOYMENTS = {
    "ready": (case(), True),
    "not-ready": (case(text=EXAMPLE, readings=MISSING, signed=(Group.PRODUCT,)), False),
    "nobody-asked": (case(asked=False), False),
    "rollback-not-drilled": (case(text=COMPLETE.replace("  drilled: 2026-11-12 in 4 min\n", "")), False),
    "paused": (
        case(text=COMPLETE.replace("poc: 1\n", "poc: 1\npaused: until 2027-03-01 - waiting\n")),
        False,
    ),
    "stopped": (case(text=STOPPED), False),
    "errors": (case(text=COMPLETE.replace("okta-oidc", "none")), False),
    "no-charter": (case(none=True), True),
    "charter-gone": (case(none=True, protected=HELD), False),
    "left": (case(outside="topic `not-a-poc`", protected=HELD), False),
    "left-and-free": (case(outside="topic `not-a-poc`"), True),
    "another-environment": (case(readings=MISSING), True),
    "not-bound-yet": (case(text=UNBOUND, readings={"error_rate": None}, asked=False), True),
    "eased": (case(text=EASED, before=COMPLETE, readings=MISSING), False),
    "rollback": (case(readings=MISSING, now=datetime(2027, 2, 22, 9, tzinfo=UTC)), True),
    "observing": (case(readings=MISSING, observe=True), True),
}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_comment_on_a_deployment(name: str) -> None:
    told, approved = DEPLOYMENTS[name]
    environment = "sandbox" if name == "another-environment" else "support-prod"
    shipped_on = date(2027, 2, 9) if name == "rollback" else None
    answer = answer_deployment(told.gate, environment, shipped_on=shipped_on)
    text = TEXTS.deployment_comment(told.gate, answer, environment)
    assert_golden(f"comments/deployment-{name}", text)
    assert answer.approved == approved
    assert len(text) <= DEPLOYMENT_LIMIT
    assert "|" not in text
    assert_reads_well(text, links_to=())


def test_a_comment_on_a_deployment_names_as_many_thresholds_as_fit() -> None:
    lines = "".join(f"  - recall >= 9{n % 9} % on {'x' * 40}{n} with n >= 2000\n" for n in range(8))
    told = case(text=COMPLETE.replace("done:\n", f"done:\n{lines}"), asked=False)
    text = TEXTS.deployment_comment(told.gate, answer_deployment(told.gate, "support-prod"), "support-prod")
    assert 700 < len(text) <= DEPLOYMENT_LIMIT
    assert "more of the thresholds: the check `POC ship gate` lists them" in text
    assert "nobody has asked to ship" in text


@given(st.sampled_from(PLACES), NASTY, NASTY, NASTY)
@example(PLACES[0], WORST, WORST, WORST)
@example(PLACES[1], "e" * 255, "`|" * 100, "e" * 255)
def test_nobodys_text_can_do_anything_beside_a_deployment(
    place: str, nasty: str, reason: str, environment: str
) -> None:
    told = replace(hostile(place, nasty, reason, environment), occasion=Occasion.DEPLOYMENT)
    for name in (environment, "support-prod"):
        text = TEXTS.deployment_comment(told.gate, answer_deployment(told.gate, name), name)
        assert len(text) <= DEPLOYMENT_LIMIT
        assert_does_nothing(text)
    shipped = TEXTS.shipped(told.gate, environment, "4c51fe0", date(2027, 2, 8))
    assert_does_nothing(shipped)


@given(NASTY, NASTY)
@example(WORST, WORST)
def test_nobodys_text_can_do_anything_in_a_refusal(text: str, reason: str) -> None:
    assert_does_nothing(TEXTS.refused_command(text, reason))


REFUSALS = {
    "no-write-access": ("/poc ship", "mallory", "read", True),
    "no-such-command": ("/poc stip now `@dan-w` closes #12", "jane-doe", "write", True),
    "ship-in-an-issue": ("/poc ship", "jane-doe", "write", False),
    "ship-by-somebody-else": ("/poc ship", "alice_acme", "admin", True),
    "sign-on-a-pull-request": ("/poc sign", "dan-w", "write", True),
    "sign-by-somebody-else": ("/poc sign", "mallory", "write", False),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_command(name: str) -> None:
    comment, login, permission, pull = REFUSALS[name]
    [command] = parse_commands(comment)
    refusal = authorise(
        command, permission=permission, login=login, charter=charter_of(COMPLETE), is_pull_request=pull
    )
    assert isinstance(refusal, Refusal)
    text = TEXTS.refused_command(command.text, refusal.reason)
    assert_golden(f"comments/refused-{name}", text)
    assert_reads_well(text, links_to=())
    assert_does_nothing(text)


def test_a_reason_that_does_not_name_the_command_gets_it_in_front() -> None:
    text = TEXTS.refused_command("/poc ship @dan-w", "Nothing to ship.")
    assert text == "`/poc ship @dan-w` wasn't followed: Nothing to ship.\n"


def test_the_help() -> None:
    text = TEXTS.help_text()
    assert_golden("comments/help", text)
    assert_reads_well(text, links_to=())


@pytest.mark.parametrize("verb", Verb)
def test_the_help_has_every_command(verb: Verb) -> None:
    assert re.search(rf"^\| `/poc {verb}\b[^`|]*` \|", TEXTS.help_text(), re.MULTILINE)


def test_what_is_said_once_when_it_shipped() -> None:
    text = TEXTS.shipped(case().gate, "support-prod", "4c51fe0" + "0" * 33, date(2027, 2, 8))
    assert_golden("comments/shipped", text)
    assert_reads_well(text, links_to=())


def stop_line(text: str) -> Threshold:
    line = parse_threshold(text)
    assert isinstance(line, Threshold)
    return line


def test_a_stop_criterion() -> None:
    demands = Demands(datetime(2027, 2, 8, tzinfo=UTC), Level.SELF_REPORTED, 14, ("support-staging",))
    taken = number("cost_per_request", "0.061 USD", Conditions(environment="support-staging"))
    result = judge_line(stop_line("cost_per_request > 0.05 USD"), [taken], demands)
    title, body = TEXTS.stop_criterion(result, "jane-doe", "carol-s", charter_url=CHARTER_URL)
    assert_golden("comments/stop-criterion", f"{title}\n\n{body}")
    assert_reads_well(body, links_to=(CHARTER_URL,))
    assert OTHER in body
    nobody = TEXTS.stop_criterion(result, None, None)
    assert "@" not in nobody[1]


@pytest.mark.parametrize("reason", ["", "topic `not-a-poc`"], ids=["charter-gone", "left"])
def test_an_environment_that_stays_held(reason: str) -> None:
    title, body = TEXTS.left_behind(charter_of(COMPLETE), "support-prod", "acme/poc-triage", reason)
    assert_golden(f"comments/held-{'left' if reason else 'charter-gone'}", f"{title}\n\n{body}")
    assert_reads_well(body, links_to=())
    assert "@jane-doe (owner), @carol-s (product):" in body
    assert "@" not in TEXTS.left_behind(Charter(line=1), "support-prod", "acme/poc-triage", reason)[1]


def test_the_golden_files_are_those_of_the_tables() -> None:
    names = {f"deployment-{name}" for name in DEPLOYMENTS} | {f"refused-{name}" for name in REFUSALS}
    names |= {"help", "held-charter-gone", "held-left", "shipped", "stop-criterion"}
    assert {path.stem for path in (GOLDEN / "comments").glob("*.md")} == names
