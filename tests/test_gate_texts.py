"""What people read in the check run `POC ship gate`: a golden text for every verdict."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.rules.charter.goalposts import moved
from service.rules.charter.model import Charter
from service.rules.charter.quantity import Quantity, parse_quantity
from service.rules.charter.threshold import Threshold
from service.rules.charter.units import NO_UNIT, unit_of
from service.rules.checks.judge import judge
from service.rules.evidence.judging import judge_all
from service.rules.evidence.values import Conditions, Demands, Measurement, Reading, Result, Unread
from service.rules.gate.signoffs import Round, Signature, enforced_charter
from service.rules.gate.verdict import Gate, GateFacts, Occasion, gate
from service.rules.values.actions import CheckRunOutput, Conclusion
from service.rules.values.groups import Group, Level
from service.texts.gate import LONGEST, gate_view
from tests.fakes import charter_file
from tests.test_texts import (
    ACTIVE,
    CHARTER_URL,
    CHARTERS,
    GOLDEN,
    MARKDOWN,
    NASTY,
    TEXTS,
    assert_golden,
    assert_reads_well,
    inline,
    links,
)

NOW = datetime(2027, 2, 8, 9, tzinfo=UTC)
ASKED = date(2027, 2, 1)
REQUEST_URL = "https://github.com/acme/poc-triage/pull/41"
EXAMPLE = (CHARTERS / "ok" / "example.md").read_text()
COMPLETE = EXAMPLE.replace("deploy_process: missing", "deploy_process: .github/workflows/deploy.yml")
SIGNERS = {Group.DATA_SCIENCE: "alice-k", Group.PLATFORM: "bob-m", Group.PRODUCT: "carol-s",
           Group.SECURITY: "dan-w"}  # fmt: skip
FILES = {
    "latency_p95": "load/k6.json $.metrics.http_req_duration",
    "accuracy": "eval/metrics.json $.accuracy.value",
}
PAUSED = COMPLETE.replace("poc: 1\n", "poc: 1\npaused: until 2027-03-01 - waiting for the data contract\n")
STAGING = "support-staging"
OTHER = "https://github.com/acme/poc-triage/actions/runs/9/attempts/1"


def charter_of(text: str) -> Charter:
    charter = judge(charter_file(text), today=NOW.date()).charter
    assert charter is not None
    return charter


def quantity(text: str) -> Quantity:
    found = parse_quantity(text)
    assert isinstance(found, Quantity)
    return found


def number(
    metric: str, text: str, conditions: Conditions | None = None, *, at: datetime | None = None
) -> Measurement:
    """A file's number, or with conditions the number of a workflow run."""
    value, _, unit = text.partition(" ")
    return Measurement(
        metric=metric,
        value=Decimal(value),
        unit=unit_of(unit) or NO_UNIT,
        level=Level.SELF_REPORTED if conditions is None else Level.MEASURED,
        source=FILES.get(metric, "eval/metrics.json $.x") if conditions is None else OTHER,
        at=at or datetime(2027, 2, 5, 14, tzinfo=UTC),
        conditions=conditions,
    )


LATENCY = number("latency_p95", "212 ms")
ACCURACY = number("accuracy", "93.9 %")
COST = number("cost_per_request", "0.013 USD", Conditions(environment=STAGING))
ERRORS = number("error_rate", "0.21 %", Conditions(environment=STAGING, window=quantity("7 d")))
MET: Mapping[str, Reading] = {
    "latency_p95": LATENCY, "accuracy": ACCURACY, "cost_per_request": COST, "error_rate": ERRORS,
}  # fmt: skip


def signatures(*groups: Group) -> dict[Group, Signature | None]:
    at = datetime(2027, 2, 2, tzinfo=UTC)
    return {
        group: Signature(login, group, Round.SHIP, "h", at, 41, "review:1") if group in groups else None
        for group, login in SIGNERS.items()
    }


@dataclass(frozen=True)
class Case:
    """One verdict: what was measured in place of what meets everything, and what else is different."""

    name: str
    title: str
    conclusion: Conclusion = Conclusion.FAILURE
    readings: Mapping[str, Reading | None] = field(default_factory=dict)
    text: str = COMPLETE
    before: str | None = None
    occasion: Occasion = Occasion.SHIP_REQUEST
    signed: tuple[Group, ...] = tuple(Group)
    asked: bool = True
    none: bool = False
    valid: bool = False
    """Judged by its charter even if that has errors."""
    level: Level = Level.SELF_REPORTED
    observe: bool = False
    now: datetime = NOW

    def results(self, charter: Charter) -> tuple[Result, ...]:
        found = {**MET, **self.readings}
        readings = [self.readings_of(line, found) for line in charter.done]
        target = charter.target
        named = tuple(place.value for place in (target.measured_in, target.environment) if place)
        return judge_all(charter.done, readings, Demands(self.now, self.level, 14, named))

    def readings_of(self, line: Threshold, found: Mapping[str, Reading | None]) -> tuple[Reading, ...]:
        reading = found.get(line.metric)
        return () if reading is None else (reading,)

    @property
    def gate(self) -> Gate:
        judgement = judge(charter_file(self.text), today=self.now.date())
        charter = None if self.none else judgement.charter
        before = charter_of(self.before) if self.before else None
        unsigned = tuple(move for move in moved(before, charter) if move.eases) if before and charter else ()
        if before and charter:
            charter = enforced_charter(before, charter, unsigned)
        return gate(
            GateFacts(
                occasion=self.occasion,
                today=self.now.date(),
                charter=charter,
                valid=self.valid or judgement.valid,
                results=self.results(charter) if charter else (),
                signatures=signatures(*self.signed) if self.asked else {},
                request_number=41 if self.asked else None,
                asked_on=ASKED if self.asked else None,
                unsigned=unsigned,
                observe=self.observe,
            )
        )

    @property
    def output(self) -> CheckRunOutput:
        view = gate_view(
            self.gate,
            base_ref="main",
            charter_url=CHARTER_URL,
            request_url=REQUEST_URL if self.asked else None,
        )
        return TEXTS.gate_check(self.gate, view)


def ordinary(name: str, title: str, **different: object) -> Case:
    case = Case(name, title, Conclusion.NEUTRAL, occasion=Occasion.ORDINARY, asked=False)
    return replace(case, **different)  # type: ignore[arg-type]


NEUTRAL = Conclusion.NEUTRAL
LEAD = "Not ready to ship: "
DATASET = Conditions(environment=STAGING, dataset="tickets-2026q3", n=200)
CASES = [
    Case("ready", "Ready to ship", Conclusion.SUCCESS),
    Case(
        "not-ready",
        f"{LEAD}1 missed, 1 not measured, deploy_process missing, 2 signatures open",
        readings={"accuracy": number("accuracy", "91.4 %"), "error_rate": None},
        text=EXAMPLE,
        signed=(Group.DATA_SCIENCE, Group.PRODUCT),
    ),
    Case("missed", f"{LEAD}1 missed", readings={"latency_p95": number("latency_p95", "340 ms")}),
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
        f"{LEAD}paused until 2027-03-01",
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
    ordinary("ordinary-numbers-met", "Numbers met; nobody has asked to ship this"),
    ordinary(
        "ordinary",
        "Missing for shipping: 2 of 4 thresholds, deploy_process, a rollback drill",
        readings={"accuracy": number("accuracy", "91.4 %"), "error_rate": None},
        text=EXAMPLE.replace("  drilled: 2026-11-12 in 4 min\n", ""),
    ),
    ordinary("ordinary-asked-elsewhere", "Missing for shipping: 1 signature", asked=True,
             signed=(Group.DATA_SCIENCE, Group.PRODUCT, Group.PLATFORM)),
    ordinary("ordinary-ready", "Ready to ship", asked=True),
    ordinary("ordinary-no-charter", "Missing for shipping: a charter", none=True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_ship_gate_summary(case: Case) -> None:
    output = case.output
    assert_golden(f"gate/{case.name}", output.summary)
    assert (output.conclusion, output.title) == (case.conclusion, case.title)
    assert output.annotations == ()
    assert_reads_well(output.summary, links_to=(CHARTER_URL, REQUEST_URL))


def test_the_golden_files_are_those_of_the_table() -> None:
    assert {path.stem for path in (GOLDEN / "gate").glob("*.md")} == {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_next_day_says_the_same(case: Case) -> None:
    assert replace(case, now=NOW + timedelta(days=1)).output == case.output


PLACES = (
    "environment: support-prod",
    "on tickets-2026q3",
    "owner: jane-doe",
    "within: 10 min",
    "waiting for the data contract",
)


WORST = "@dan-w closes #12 <img src=x> [a](https://x) **b**"


def hostile(place: str, nasty: str, reason: str, environment: str) -> Case:
    """A charter, a file and a workflow run that say something nasty."""
    sent = Conditions(environment=environment, load=quantity("50 req/s"))
    return Case(
        "",
        "",
        text=PAUSED.replace(place, f"{place}{' '.join(nasty.split())}"),
        readings={"accuracy": Unread(reason), "latency_p95": number("latency_p95", "3 ms", sent)},
        valid=True,
    )


def assert_does_nothing(text: str, links_to: Collection[str] = ()) -> None:
    tokens = MARKDOWN.parse(text)
    assert set(links(tokens)) <= set(links_to)
    assert not [token for token in tokens if token.type in ("html_block", "heading_open", "fence")]
    assert not [token for token in inline(tokens) if token.type == "html_inline"]
    texts = [token.content for token in inline(tokens) if token.type == "text"]
    texts = [shown for shown in texts if shown != "#41"]  # the link to the ship request
    assert not any(ACTIVE.search(shown) for shown in texts)


@given(st.sampled_from(PLACES), NASTY, NASTY, NASTY)
@example(PLACES[0], WORST, WORST, WORST)
@example(PLACES[-1], WORST, WORST, WORST)
def test_nobodys_text_can_do_anything_to_the_summary(
    place: str, nasty: str, reason: str, environment: str
) -> None:
    output = hostile(place, nasty, reason, environment).output
    assert_does_nothing(output.summary, (CHARTER_URL, REQUEST_URL))
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
    assert title.startswith(f"{LEAD}paused until 2027-03-01, 1 missed, 1 not measured")
    assert title.endswith("rollback not drilled, and more")
