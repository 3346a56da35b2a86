"""What people read in the check run `POC ship gate`: a golden text for every verdict."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.rules.evidence.values import Conditions, Unread
from service.rules.gate.verdict import Occasion
from service.rules.values.actions import Conclusion
from service.rules.values.groups import Group, Level
from service.texts.gate import LONGEST
from tests.harness.places import GOLDEN
from tests.unit.texts.gates import (
    COMPARE_URL,
    COMPLETE,
    EXAMPLE,
    HEAD,
    NOW,
    PAUSED,
    PLACES,
    STAGING,
    WORST,
    Case,
    assert_does_nothing,
    hostile,
    number,
    quantity,
)
from tests.unit.texts.reading import (
    CHARTER_URL,
    NASTY,
    assert_golden,
    assert_reads_well,
)


def ordinary(name: str, title: str, **different: object) -> Case:
    case = Case(name, title, Conclusion.NEUTRAL, occasion=Occasion.ORDINARY, asked=False)
    return replace(case, **different)  # type: ignore[arg-type]


NEUTRAL = Conclusion.NEUTRAL
LEAD = "Not ready to ship: "
DATASET = Conditions(environment=STAGING, dataset="tickets-2026q3", n=200)
BY_HAND = replace(
    number("cost_per_request", "0.013 USD", Conditions(environment=STAGING)), level=Level.SELF_REPORTED
)
WAIVED = COMPLETE.replace(
    "signoffs:",
    "waived:\n  - accuracy until 2027-02-26 - the labels come late\n"
    "  - error_rate until 2027-03-12 - the logs come late\nsignoffs:",
)
CASES = [
    Case("ready", "Ready to ship", Conclusion.SUCCESS),
    Case(
        "not-ready",
        f"{LEAD}1 missed, 1 not measured, deploy_process missing, 2 signatures open",
        readings={"accuracy": number("accuracy", "91.4 %"), "error_rate": None},
        text=EXAMPLE,
        signed=(Group.DATA_SCIENCE, Group.PRODUCT),
    ),
    Case(
        "newer-commits",
        "Ready to ship",
        Conclusion.SUCCESS,
        newer={"a" * 40: 3, "b" * 40: 1, "c" * 40: None},
    ),
    Case(
        "of-an-earlier-commit",
        f"{LEAD}3 signatures open",
        signed=(Group.SECURITY,),
        outdated=(Group.DATA_SCIENCE, Group.PLATFORM, Group.PRODUCT),
        newer={"a" * 40: 3, "b" * 40: 1},
    ),
    Case("missed", f"{LEAD}1 missed", readings={"latency_p95": number("latency_p95", "340 ms")}),
    Case(
        "waived",
        "Ready to ship, accuracy and error_rate waived",
        Conclusion.SUCCESS,
        readings={"accuracy": number("accuracy", "91.4 %"), "error_rate": None},
        text=WAIVED,
    ),
    Case(
        "waived-in-part",
        f"{LEAD}1 missed",
        readings={"accuracy": number("accuracy", "91.4 %"), "latency_p95": number("latency_p95", "340 ms")},
        text=WAIVED,
    ),
    Case("not-measured", f"{LEAD}1 not measured", readings={"error_rate": None}),
    Case(
        "unread",
        f"{LEAD}1 not measured",
        readings={"accuracy": Unread("`eval/metrics.json` is no JSON: write the metrics again")},
    ),
    Case(
        "too-old",
        f"{LEAD}1 too old",
        readings={"accuracy": number("accuracy", "93.9 %", at=datetime(2027, 1, 11, tzinfo=UTC))},
    ),
    Case(
        "environment-by-hand",
        "Ready to ship",
        Conclusion.SUCCESS,
        readings={"cost_per_request": BY_HAND},
    ),
    Case(
        "environment-by-hand-does-not-count",
        f"{LEAD}3 only self-reported",
        readings={"cost_per_request": BY_HAND},
        level=Level.MEASURED,
    ),
    Case(
        "wrong-environment",
        f"{LEAD}1 from another environment",
        readings={"cost_per_request": number("cost_per_request", "0.013 USD", Conditions(environment="dev"))},
    ),
    Case(
        "wrong-load",
        f"{LEAD}1 under other conditions",
        readings={
            "latency_p95": number(
                "latency_p95", "212 ms", Conditions(environment=STAGING, load=quantity("5 req/s"))
            )
        },
    ),
    Case(
        "too-few", f"{LEAD}1 with too few samples", readings={"accuracy": number("accuracy", "95 %", DATASET)}
    ),
    Case(
        "inside-the-error-bar",
        "Ready to ship",
        Conclusion.SUCCESS,
        readings={"accuracy": number("accuracy", "92.3 %")},
    ),
    Case("implausible", f"{LEAD}1 implausible", readings={"accuracy": number("accuracy", "93.9")}),
    Case("self-reported-only", f"{LEAD}2 only self-reported", level=Level.MEASURED),
    Case("every-number-from-files", "Ready to ship", Conclusion.SUCCESS, readings={
        "cost_per_request": number("cost_per_request", "0.013 USD"),
        "error_rate": number("error_rate", "0.0021"),
    }),
    Case("infra-missing", f"{LEAD}deploy_process missing", text=EXAMPLE),
    Case(
        "rollback-not-drilled",
        f"{LEAD}rollback not drilled",
        text=COMPLETE.replace("  drilled: 2026-11-12 in 4 min\n", ""),
    ),
    Case("signatures-open", f"{LEAD}4 signatures open", signed=()),
    Case(
        "paused",
        f"{LEAD}paused until 1 March 2027",
        text=PAUSED,
    ),
    Case(
        "stopped",
        f"{LEAD}stopped on purpose",
        text=COMPLETE.replace("poc: 1\n", "poc: 1\nstopped: 2027-01-29 - the baseline was good enough\n"),
    ),
    Case("no-charter", f"{LEAD}no charter", none=True),
    Case("errors", f"{LEAD}the charter has errors", text=COMPLETE.replace("okta-oidc", "none")),
    Case(
        "eased",
        f"{LEAD}1 missed",
        text=COMPLETE.replace(">= 92 %", ">= 88 %").replace("2027-02-26", "2027-04-01"),
        before=COMPLETE,
        readings={"accuracy": number("accuracy", "89.1 %")},
    ),
    Case("observing", f"{LEAD}1 not measured (observing)", NEUTRAL, {"error_rate": None}, observe=True),
    ordinary("ordinary-numbers-met", "Numbers met"),
    ordinary(
        "ordinary",
        "Missing for shipping: 2 of 4 thresholds, deploy_process, a rollback drill",
        readings={"accuracy": number("accuracy", "91.4 %"), "error_rate": None},
        text=EXAMPLE.replace("  drilled: 2026-11-12 in 4 min\n", ""),
    ),
    ordinary("ordinary-no-charter", "Missing for shipping: a charter", none=True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_ship_gate_summary(case: Case) -> None:
    output = case.output
    assert_golden(f"gate/{case.name}", output.summary)
    assert (output.conclusion, output.title) == (case.conclusion, case.title)
    assert output.annotations == ()
    compared = [f"{COMPARE_URL}{sha}...{HEAD}" for sha in case.newer]
    assert_reads_well(output.summary, links_to=(CHARTER_URL, *compared))


def test_the_golden_files_are_those_of_the_table() -> None:
    assert {path.stem for path in (GOLDEN / "gate").glob("*.md")} == {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_next_day_says_the_same(case: Case) -> None:
    assert replace(case, now=NOW + timedelta(days=1)).output == case.output


@given(st.sampled_from(PLACES), NASTY, NASTY, NASTY)
@example(PLACES[0], WORST, WORST, WORST)
@example(PLACES[-1], WORST, WORST, WORST)
def test_nobodys_text_can_do_anything_to_the_summary(
    place: str, nasty: str, reason: str, environment: str
) -> None:
    output = hostile(place, nasty, reason, environment).output
    assert_does_nothing(output.summary, (CHARTER_URL,))
    assert len(output.title) <= LONGEST


def test_a_title_leaves_out_what_does_not_fit() -> None:
    text = COMPLETE.replace("  drilled: 2026-11-12 in 4 min\n", "")
    text = text.replace("done:\n", "done:\n  - groundedness >= 90 % on golden-set with n >= 300\n")
    text = text.replace("poc: 1\n", "poc: 1\npaused: until 2027-03-01 - waiting\n")
    text = re.sub(r"(feature_store|model_registry|eval_pipeline|deploy_process): .*", r"\1: missing", text)
    readings = {
        "groundedness": number("groundedness", "93"),
        "accuracy": number("accuracy", "95 %", DATASET),
        "latency_p95": number("latency_p95", "900 ms"),
        "cost_per_request": number("cost_per_request", "0.013 USD", Conditions(environment="dev")),
        "error_rate": None,
    }
    title = Case("", "", text=text, readings=readings, signed=()).output.title
    assert len(title) <= LONGEST
    assert title.startswith(f"{LEAD}paused until 1 March 2027, 1 missed, 1 not measured")
    assert title.endswith(" missing, and more")
