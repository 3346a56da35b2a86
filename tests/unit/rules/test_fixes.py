"""A `fix` is the line that was meant: what it keeps, what is only an example, and what is asked instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from service.rules.charter.examples import example_of
from service.rules.charter.lines import read_threshold
from service.rules.charter.metrics import TABLE
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.values.finding import Finding, Severity
from tests.harness.places import CHARTERS
from tests.unit.rules.samples import SAMPLE, judged

ERR = sorted((CHARTERS / "err").glob("*.md"))
LINES = [line.split("\t")[1] for line in (CHARTERS / "lines.tsv").read_text().splitlines()]
BEFORE, AFTER = re.split(r"(?<=done:\n)[\s\S]*(?=rollback:)", SAMPLE)


def refusal(line: str) -> Refusal:
    read = read_threshold(line)
    assert isinstance(read, Refusal), read
    return read


def meaning(line: str) -> tuple[object, ...]:
    read = parse_threshold(line)
    assert isinstance(read, Threshold), line
    bound = (read.op, read.canonical_value, read.canonical_unit)
    return (read.key, *bound, read.clauses.get("n"))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("recall@5 >= 0.8 on chunk-gold with n >= 200", "recall_at_5 >= 0.8 on chunk-gold with n >= 200"),
        ("NDCG@10 >= 0.62 on beir with n >= 323", "ndcg_at_10 >= 0.62 on beir with n >= 323"),
        ("pass@1 >= 42 % on swe with n >= 500", "pass_at_1 >= 42 % on swe with n >= 500"),
        ("mAP@50 >= 0.6 on cam with n >= 1500", "map_at_50 >= 0.6 on cam with n >= 1500"),
        ("mAP@[.5:.95] >= 0.37 on coco with n >= 5000", "map_at_50_95 >= 0.37 on coco with n >= 5000"),
        ("latency_p99.9 <= 25 ms at 20000 req/s", "latency_p999 <= 25 ms at 20000 req/s"),
        ("P95 latency <= 300 ms", "p95_latency <= 300 ms"),
        ("Average Handle Time (AHT) <= 12 min", "average_handle_time <= 12 min"),
        ("accuracy on holdout >= 92 %", "accuracy >= 92 % on holdout"),
        ("accuracy not below 92 %", "accuracy >= 92 %"),
        ("accuracy never under 92 %", "accuracy >= 92 %"),
        ("accuracy doesn't drop below 92 %", "accuracy >= 92 %"),
        ("accuracy does not fall below 92 %", "accuracy >= 92 %"),
        ("accuracy must not be less than 92 %", "accuracy >= 92 %"),
        ("accuracy no worse than 92 %", "accuracy >= 92 %"),
        ("latency_p95 no worse than 300 ms", "latency_p95 <= 300 ms"),
        ("latency_p95 must not exceed 300 ms", "latency_p95 <= 300 ms"),
        ("latency_p95 never exceeds 300 ms", "latency_p95 <= 300 ms"),
        ("latency_p95 not above 300 ms", "latency_p95 <= 300 ms"),
        ("latency_p95 within 300 ms", "latency_p95 <= 300 ms"),
        ("latency_p95 less than or equal to 300 ms", "latency_p95 <= 300 ms"),
        ("accuracy greater than or equal to 92 %", "accuracy >= 92 %"),
        ("accuracy over 92 %", "accuracy > 92 %"),
        ("accuracy must be at least 92 %", "accuracy >= 92 %"),
        ("92 % accuracy", "accuracy >= 92 %"),
        ("99.9 % uptime over 30 d", "uptime >= 99.9 % over 30 d"),
        ("at most 2 % error rate", "error_rate <= 2 %"),
        ("cost_per_ticket <= USD 0.05", "cost_per_ticket <= 0.05 USD"),
        ("cost_per_ticket <= 0,05 USD", "cost_per_ticket <= 0.05 USD"),
        ("throughput >= 8 patients/hr", "throughput >= 8 patients/h"),
        ("throughput >= 60 tokens per second", "throughput >= 60 tokens/second"),
        ("own_alarms <= 2 alarms per 24 h", "own_alarms <= 2 alarms/d"),
        ("latency_p95 ≦ 300 ms", "latency_p95 <= 300 ms"),
        ("latency_p95 <= ３００ ms", "latency_p95 <= 300 ms"),
        ("lаtency_p95 <= 300 ms", "latency_p95 <= 300 ms"),
    ],
)
def test_what_is_certain_is_the_fix(line: str, meant: str) -> None:
    assert meaning(refusal(line).meant or line) == meaning(meant)


@pytest.mark.parametrize(
    "line",
    [
        "answers must be fast with n >= 100",
        "answers are on time >= 92 %",
        "accuracy is not >= 92 %",
        "accuracy is not below >= 92 %",
        "own metric no worse than 3",
        "own_metric within 3",
        "bias no worse than 3",
        "localization_error <= 0.05 m",
        "uplink_bandwidth <= 10 Gb/s",
        "memory_peak <= 300 Mb",
        "memory_peak <= 2G",
        "own_size <= 300 MS",
        "throughput >= 100 TPS",
        "throughput >= 1,500 req/s",
        "accuracy >= 92 % with n >= many",
        "Cost per active session within agreed budget envelope",
        "latency <= 2 s for 95%",
        "latency_p95 <= 2x baseline",
        "csat > 4.5 out of 5",
        "δelay <= 3",
        "time on page of users <= 30 s",
        "Precision ≥ 95 % at Recall ≥ 85 %",
        "mttr <= 4 m",
        "latency_p95 over 7 d",
    ],
)
def test_what_is_not_certain_is_asked(line: str) -> None:
    assert refusal(line).meant is None


@pytest.mark.parametrize("line", ["mttr <= 4", "latency_p95 <= 0.3", "memory_peak <= 2"])
def test_no_unit_is_guessed(line: str) -> None:
    (said,) = [each for each in told(line) if each.code == "done-unit"]
    assert said.fix is None
    assert said.message.count("`") >= 4  # The candidates.


def told(line: str) -> list[Finding]:
    text = f"{BEFORE}  - '{line}'\n  - own_thing <= 3\n{AFTER}"
    return [each for each in judged(text).findings if each.line == BEFORE.count("\n") + 1]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_the_example_of_a_metric_is_right(name: str) -> None:
    example = example_of(TABLE[name])
    found = told(example)
    assert not [each for each in found if each.severity is not Severity.NOTICE], found


@pytest.mark.parametrize(
    ("line", "metric"),
    [
        ("latency must be acceptable", "latency_p95"),
        ("p95 latency is low enough, that is, fast", "latency_p95"),
        ("the response time is great", "latency_p95"),
        ("Customer satisfaction maintained", "csat"),
        ("Cost per active session within agreed budget envelope", "cost_per_session"),
        ("few hallucinations", "hallucination_rate"),
        ("Average Handle Time (AHT) down 20%", "handle_time"),
        ("memory_peak <= lots", "memory_peak"),
        ("faster than 2 s", "latency_p95"),
    ],
)
def test_the_example_is_of_the_metric_that_is_meant(line: str, metric: str) -> None:
    assert (refusal(line).example or "").split()[0] == metric


SLIPS: dict[str, Callable[[str], str]] = {
    "capitals": lambda line: line[0].upper() + line[1:],
    "at least": lambda line: line.replace(">=", "at least", 1) if ">=" in line.split(" with ")[0] else line,
    "not below": lambda line: line.replace(">=", "not below", 1) if ">=" in line.split(" with ")[0] else line,
    "not exceed": lambda line: line.replace("<=", "must not exceed", 1),
    "full stop": lambda line: f"{line}.",
    "ticks": lambda line: f"`{line}`",
    "full-width digits": lambda line: line.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    "words for signs": lambda line: line.replace("<=", "less than or equal to", 1),
    "percent": lambda line: line.replace(" %", " percent", 1),
    "clause in front": lambda line: re.sub(r"^(\w+) (.*?) (on \S+)", r"\1 \3 \2", line),
    "decimal comma": lambda line: re.sub(r"(\d)\.(\d)(?!\d\d\b)", r"\1,\2", line, count=1),
    "spaces in the name": lambda line: line.replace("_", " "),
    "reversed sign": lambda line: line.replace(">=", "=>").replace("<=", "=<"),
    "exponent": lambda line: re.sub(r"(\d) ", r"\1e0 ", line, count=1),
    "wrong alphabet": lambda line: line.replace("a", "а", 1),
}
NEIGHBOURS = [example_of(metric) for metric in TABLE.values()] + [
    line for line in LINES if isinstance(parse_threshold(line), Threshold)
]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_fix_keeps_metric_bound_unit_and_clauses(slip: str) -> None:
    answered = 0
    for line in NEIGHBOURS:
        read = read_threshold(SLIPS[slip](line))
        if isinstance(read, Refusal) and read.meant:
            answered += 1
            assert meaning(read.meant) == meaning(line), read.meant
    assert answered >= (0 if slip == "exponent" else 10)


def applied(lines: list[str], finding: Finding) -> str:
    """The file with the fix written into it."""
    written = list(lines)
    below = finding.insert_after
    start, end = (finding.line - 1, finding.line) if below is None else (below, below)
    written[start:end] = [finding.fix or ""]
    return "\n".join(written)


def numbers(line: str) -> list[str]:
    """The numbers of a line, however they are grouped."""
    return re.findall(r"\d+", re.sub(r"(?<=\d)[,.' _](?=\d)", "", line))


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_a_fix_leaves_fewer_findings(path: Path) -> None:
    text = path.read_bytes().decode(errors="replace")
    before = judged(text).findings
    for finding in before:
        if finding.fix is not None:
            after = judged(applied(text.split("\n"), finding)).findings
            assert len(after) < len(before), finding


def test_a_placeholder_stands_where_a_value_is_still_to_be_written() -> None:
    text = SAMPLE.replace("owner: jane-doe\n", "")
    (said,) = [each for each in judged(text).findings if each.code == "missing-key"]
    assert (said.fix, said.example, said.insert_after) == (None, "owner: <login>", said.line)
    lines = text.split("\n")
    lines.insert(said.line, said.example or "")
    assert "unfilled" in {each.code for each in judged("\n".join(lines)).errors}


def test_fix_and_example_are_told_apart() -> None:
    fix = Finding("a", Severity.ERROR, "b", 1, fix="c").proposal
    example = Finding("a", Severity.ERROR, "b", 1, example="c").proposal
    added = Finding("a", Severity.ERROR, "b", 7, example="c", insert_after=7).proposal
    assert [each and each[0] for each in (fix, example, added)] == [
        "Write",
        "For example",
        "Add below line 7, for example",
    ]


def test_a_mistake_in_yaml_does_not_hide_the_rest() -> None:
    text = SAMPLE.replace("owner: jane-doe", "owner: @jane-doe").replace("within: 10 min", "within: soon")
    text = text.replace("  auth: okta-oidc", "  auth: none")
    assert [each.code for each in judged(text).errors] == ["invalid-yaml", "target-auth", "rollback-within"]
    assert judged(text).charter is None


@pytest.mark.parametrize(
    ("was", "mistake", "codes"),
    [
        ("owner: jane-doe", "owner: &a jane-doe", ["yaml-anchor"]),
        ("owner: jane-doe", "owner: !x jane-doe", ["yaml-tag"]),
        ("owner: jane-doe", "owner: {{ owner }}", ["invalid-yaml"]),
        ("  environment: support-prod", "   environment: support-prod", ["invalid-yaml"]),
        ("  how: ", "\thow: ", ["invalid-yaml"]),
        ("owner: jane-doe", "owner: jane-doe\u0007", ["control-character"]),
    ],
)
def test_what_a_mistake_in_yaml_hides_is_only_its_own_line(was: str, mistake: str, codes: list[str]) -> None:
    text = SAMPLE.replace(was, mistake).replace("within: 10 min", "within: soon")
    found = [each.code for each in judged(text).errors]
    assert found[: len(codes)] == codes
    assert "rollback-within" in found
    assert "missing-key" not in found
