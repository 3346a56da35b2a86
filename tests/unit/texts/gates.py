"""Ship gates whose texts the tests read, and texts of strangers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from service.rules.charter.model import Charter
from service.rules.charter.quantity import Quantity, parse_quantity
from service.rules.charter.threshold import Threshold
from service.rules.charter.units import NO_UNIT, unit_of
from service.rules.checks.judge import judge
from service.rules.evidence.judging import judge_all, waive
from service.rules.evidence.values import Conditions, Demands, Measurement, Reading, Result, Unread
from service.rules.gate.agreement import Agreement, applied
from service.rules.gate.signoffs import Round, Signature
from service.rules.gate.verdict import Gate, GateFacts, Occasion, gate
from service.rules.values.actions import CheckRunOutput, Conclusion
from service.rules.values.groups import FOUR, Group, Level
from service.texts.gate import gate_view
from tests.harness.github import charter_file
from tests.harness.places import CHARTERS
from tests.unit.texts.reading import (
    ACTIVE,
    CHARTER_URL,
    MARKDOWN,
    TEXTS,
    inline,
    links,
)

NOW = datetime(2027, 2, 8, 9, tzinfo=UTC)
ASKED = date(2027, 2, 1)
COMPARE_URL = "https://github.com/acme/poc-triage/compare/"
HEAD = "d" * 40
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
        group: Signature(login, group, Round.SHIP, "h", at, 41, "review:1", APPROVED[group])
        if group in groups
        else None
        for group, login in SIGNERS.items()
    }


APPROVED = dict(zip(FOUR, ("a" * 40, "a" * 40, "b" * 40, "c" * 40), strict=True))


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
    outside: str = ""
    protected: frozenset[str] = frozenset()
    level: Level = Level.SELF_REPORTED
    observe: bool = False
    newer: Mapping[str, int | None] = field(default_factory=dict)
    outdated: tuple[Group, ...] = ()
    now: datetime = NOW

    def results(self, charter: Charter) -> tuple[Result, ...]:
        found = {**MET, **self.readings}
        readings = [self.readings_of(line, found) for line in charter.done]
        target = charter.target
        named = tuple(place.value for place in (target.measured_in, target.environment) if place)
        judged = judge_all(charter.done, readings, Demands(self.now, self.level, 14, named))
        return waive(judged, charter, self.now.date())

    def readings_of(self, line: Threshold, found: Mapping[str, Reading | None]) -> tuple[Reading, ...]:
        reading = found.get(line.metric)
        return () if reading is None else (reading,)

    @property
    def gate(self) -> Gate:
        judgement = judge(charter_file(self.text), today=self.now.date())
        charter = None if self.none else judgement.charter
        before = charter_of(self.before) if self.before else None
        held = applied(Agreement(before), charter, ()) if before and charter else None
        charter = held.charter if held else charter
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
                unsigned=held.unsigned if held else (),
                holders=held.holders if held else {},
                outside=self.outside,
                protected=self.protected,
                outdated={
                    group: each for group, each in signatures(*self.outdated).items() if each is not None
                },
                newer=self.newer,
                head_sha=HEAD,
                observe=self.observe,
            )
        )

    @property
    def output(self) -> CheckRunOutput:
        view = gate_view(self.gate, base_ref="main", charter_url=CHARTER_URL, compare_url=COMPARE_URL)
        return TEXTS.gate_check(self.gate, view)


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
    assert not any(ACTIVE.search(shown) for shown in texts)
