"""What newcomers write, answered at its place by what is wrong; and true statements, which are taken."""

from __future__ import annotations

import re

import pytest

from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.charter.values import parse_stop
from service.rules.values.finding import Finding, Severity
from tests.unit.rules.samples import SAMPLE, judged

BEFORE, AFTER = re.split(r"(?<=done:\n)[\s\S]*(?=rollback:)", SAMPLE)
OTHERS = "  - own_thing <= 3\n  - other_thing <= 3\n"
SHIP_BY = next(re.finditer(r"ship_by: \S+", SAMPLE))[0]


def first_error(text: str) -> Finding:
    return judged(text).errors[0]


@pytest.mark.parametrize(
    ("line", "says", "proposal"),
    [
        ("* accuracy >= 92 %", "`-` instead of `*`", "  - accuracy >= 92 %"),
        ("- [ ] accuracy >= 92 %", "isn't a task", "  - accuracy >= 92 %"),
        ("- [x] accuracy >= 92 %", "isn't a task", "  - accuracy >= 92 %"),
        ("- accuracy: at least 92 %", "a mapping", "  - accuracy >= 92 %"),
        ("- Model accuracy: >95%", "in small letters", "  - model_accuracy >95%"),
        ("- accuracy >= 92 % and recall >= 80 %", "Two bounds", None),
        ("- accuracy >= 92 %, latency_p95 <= 300 ms", "Two bounds", None),
        ("- accuracy ≧ ９２ ％", "plain ones", "  - accuracy >= 92 %"),
        ("- latency_p95 <= 500 ms (end to end)", "brackets", "  - latency_p95 <= 500 ms"),
        ("- accuracy >= 92 % during pilot", "`during` doesn't begin a condition", None),
        ("- errors = 0", "`=` isn't a bound", "  - errors == 0"),
        ("- accuracy >= 92 % on golden set", "isn't one word", "  - accuracy >= 92 % on golden-set"),
        ("- csat >= 4.3/5", "scale in the prose", None),
        ("- {{ threshold }}", "template", None),
        ("- false_alarms <= 2 per week", "what it counts", "  - false_alarms <= 2 alarms/week"),
        (
            "- deployment_frequency >= 2 per week",
            "what it counts",
            "  - deployment_frequency >= 2 deployments/week",
        ),
        ("- active users at least 200 a day", "what it counts", "  - active_users >= 200 users/d"),
        ("- mttr <= 2 per week", "as in `releases >= 2 releases/week`", None),
        ("- access <= 2/h", "as in `releases >= 2 releases/h`", None),
        ("- tokens_per_second >= 50 TPS", "what it counts", "  - tokens_per_second >= 50 tokens/s"),
        ("- throughput >= 50 TPS", "Transactions or tokens", None),
        ("- 2 s for 95 % of requests", "for example `latency_p95 <= 2 s`", None),
        ("- within 300 ms in 99.9 % of cases", "for example `latency_p999 <= 300 ms`", None),
        ("- 95 % of requests within 2 s", "for example `latency_p95 <= 2 s`", None),
        ("- 99 percent of all answers come in less than 800 ms", "for example `latency_p99 <= 800 ms`", None),
        ("- cost <= $0.05 per request", "with `/`", "  - cost <= $0.05/request"),
        (
            "- cost_per_request <= 0.05 USD per request",
            "with `/`",
            "  - cost_per_request <= 0.05 USD/request",
        ),
        ("- cost <= 50 EUR per month", "with `/`", "  - cost <= 50 EUR/month"),
        ("- cost <= $0.05 per resolved ticket", "for example `cost_per_ticket < 0.02 USD`", None),
    ],
)
def test_a_line_of_done_is_answered(line: str, says: str, proposal: str | None) -> None:
    said = first_error(f"{BEFORE}  {line}\n{OTHERS}{AFTER}")
    assert says in said.message
    assert said.line == BEFORE.count("\n") + 1
    assert (said.proposal[1] if said.proposal else None) == proposal


@pytest.mark.parametrize(
    ("was", "written", "says", "fix"),
    [
        ("product: carol-s", "product: ?", "still open", None),
        ("owner: jane-doe", "owner:\u00a0jane-doe", "U+00A0", "owner: jane-doe"),
        ("  load: 50", "\u00a0\u00a0load: 50", "U+00A0", "  load: 50 req/s"),
        (
            "owner: jane-doe",
            "owner: [jane-doe](https://github.com/jane-doe)",
            "isn't a Markdown link",
            "owner: jane-doe",
        ),
        (
            "owner: jane-doe",
            "owner: https://github.com/jane-doe?tab=stars",
            "Only the login",
            "owner: jane-doe",
        ),
        ("owner: jane-doe", "owner: <https://github.com/jane-doe>", "Only the login", "owner: jane-doe"),
        ("owner: jane-doe", "owner: {{ owner }}", "template", None),
        ("owner: jane-doe", "owner: ${OWNER}", "still open", None),
        ("owner: jane-doe", "owner: jane@acme.com", "e-mail", None),
        ("security: dan-w", "security: dan@acme.com", "e-mail", None),
        (SHIP_BY, "ship_by: 31/03/2027", "2027-03-31", "ship_by: 2027-03-31"),
        (SHIP_BY, "ship_by: 12/03/2027", "isn't a date", None),
        ("load: 50 req/s", "load: 50+ req/s", "Digits", "  load: 50 req/s"),
        ("drilled: 2026-11-12 in 4 min", "drilled: not yet", "leave the line out", None),
    ],
)
def test_a_value_is_answered(was: str, written: str, says: str, fix: str | None) -> None:
    assert was in SAMPLE
    said = first_error(SAMPLE.replace(was, written))
    assert says in said.message
    assert said.fix == fix


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SAMPLE.replace("```yaml", "~~~yaml").replace("```", "~~~"), "`~~~`"),
        (SAMPLE.replace("```yaml", "```"), "doesn't say that it's YAML"),
        ("\n".join(f"    {line}" for line in SAMPLE.split("\n")), "indented"),
        (SAMPLE.replace("```yaml\n", "").replace("```", ""), "isn't inside a block"),
    ],
)
def test_a_block_that_is_none_is_answered_where_it_begins(text: str, says: str) -> None:
    said = first_error(text)
    assert says in said.message
    assert "poc: 1" in "".join(text.split("\n")[said.line - 1 : said.line + 1])


@pytest.mark.parametrize(
    ("was", "written"),
    [
        ("data: 180000 tickets/day", "data: 12000 documents"),
        ("data: 180000 tickets/day", "data: 10 GB"),
        ("load: 50 req/s", "load: 50 concurrent users"),
        ("auth: okta-oidc", "auth: n/a - a nightly batch under a service account"),
        ("deploy_process: missing", "deploy_process: missing - JIRA-123"),
        ("deploy_process: missing", "deploy_process: missing - https://acme.atlassian.net/browse/OPS-7"),
    ],
)
def test_a_true_statement_is_taken(was: str, written: str) -> None:
    text = SAMPLE if was in SAMPLE else re.sub(r"deploy_process: .*", "deploy_process: missing", SAMPLE)
    assert was in text
    said = judged(text.replace(was, written)).findings
    assert [each for each in said if each.severity is not Severity.NOTICE] == []


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("power_draw_p95 <= 15 W", "15 W"),
        ("own_power <= 1.5 kW", "1500 W"),
        ("energy_per_token <= 3 J", "3 J"),
        ("own_energy <= 3 kWh", "3000 Wh"),
        ("carbon_per_query <= 1 gCO2e", "1 gCO2e"),
        ("snr >= 15 dB", "15 dB"),
        ("control_loop_rate >= 50 Hz", "50 Hz"),
        ("temperature_error_p95 <= 2 °C", "2 °C"),
        ("own_distance <= 5 mm", "0.005 metre"),
        ("own_distance <= 5 metres", "5 metre"),
        ("own_yield >= 3 mmol", "0.003 mol"),
        ("uplink_bandwidth >= 10 Gbit/s", "10000000000 bit/s"),
        ("fairness_gap <= 5 pp", "0.05 ratio"),
        ("recall_gap <= 5 percentage points", "0.05 ratio"),
        ("own_sessions >= 50 concurrent sessions", "50 session"),
    ],
)
def test_units_that_people_have(line: str, canonical: str) -> None:
    read = parse_threshold(line)
    assert isinstance(read, Threshold), read
    assert f"{read.canonical_value.normalize():f} {read.canonical_unit}" == canonical


@pytest.mark.parametrize(
    "line", ["latency_p95 <= 300 W", "accuracy >= 92 dB", "cost_per_request <= 3 Hz", "accuracy >= 5 pp"]
)
def test_a_metric_of_the_table_takes_none_of_them(line: str) -> None:
    assert judged(f"{BEFORE}  - {line}\n{OTHERS}{AFTER}").errors


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("data: the contract never came", "data"),
        ("elsewhere: bought instead", "elsewhere"),
        ("the baseline was good enough", None),
        ("weather: it rained", None),
        ("data", None),
    ],
)
def test_a_stop_may_name_the_class_of_its_reason(reason: str, cause: str | None) -> None:
    stop = parse_stop(f"2026-11-12 - {reason}")
    assert stop is not None
    assert stop.reason == reason
    assert stop.cause == cause
