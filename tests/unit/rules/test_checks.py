"""The checks themselves: their examples, what they tell people to write, what time alone may do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from service.rules.charter.evidence import Source, parse_source
from service.rules.charter.quantity import Quantity, parse_duration, parse_quantity
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.checks import CHECKS
from service.rules.checks.check import Check, Example
from service.rules.values.finding import Finding, Severity
from tests.harness.places import CHARTERS
from tests.unit.rules.samples import (
    REMEDY,
    SAMPLE,
    TODAY,
    judged,
    last_clause,
    rendered,
)

EXAMPLES = [
    pytest.param(check, example, id=f"{check.code}-{number}")
    for check in CHECKS
    for number, example in enumerate(check.examples, start=1)
]
WRITTEN = re.compile(r"`([^`]+)`")
TOLD = re.compile(r"(?:for example|[Ww]rite|[Ll]ike|Add|as in|add)[^`]*$")
LINE = re.compile(r"(?P<key>[a-z_]+): (?P<value>\S.*)")
SECTIONS = {
    **dict.fromkeys(("environment", "measured_in", "load", "data", "auth"), "target"),
    **dict.fromkeys(("how", "within", "drilled"), "rollback"),
}


@pytest.mark.parametrize(("check", "example"), EXAMPLES)
def test_the_bad_lines_are_complained_of_and_the_good_ones_settle_it(check: Check, example: Example) -> None:
    bad = [
        finding for finding in judged(rendered(example, example.bad)).findings if finding.code == check.code
    ]
    assert bad
    assert check.severity in {finding.severity for finding in bad}
    assert judged(rendered(example, example.good)).findings == ()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_a_check_says_what_it_asks_and_why(check: Check) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.code)
    for sentence in (check.about, check.why):
        assert sentence.endswith(".")
        assert len(sentence) <= 140
    assert check.examples


def corpus() -> list[Finding]:
    texts = [path.read_bytes().decode(errors="replace") for path in sorted(CHARTERS.glob("*/*.md"))]
    texts += [rendered(example, example.bad) for check in CHECKS for example in check.examples]
    return [finding for text in texts for finding in judged(text).findings]


CORPUS = corpus()


def proposed() -> list[str]:
    """Every piece of code in a message that people are told to write."""
    found: set[str] = set()
    for finding in CORPUS:
        for match in WRITTEN.finditer(finding.message):
            before = finding.message[: match.start()]
            if TOLD.search(before.rpartition("`")[2]) and "<" not in match[1].replace("<=", "").replace(
                "< ", ""
            ):
                found.add(match[1])
    return sorted(found)


@pytest.mark.parametrize("line", proposed())
def test_what_a_message_tells_people_to_write_is_accepted(line: str) -> None:
    bare = line.removeprefix("- ")
    if "…" in line or "YYYY" in line:
        return
    if re.match(r"over \d|with n|at \d", line):
        assert isinstance(parse_threshold(f"f1 >= 90 % {line}"), Threshold)
    elif re.search(r"[<>=≤≥] ?-?\d", bare):
        assert isinstance(parse_threshold(bare), Threshold)
    elif match := LINE.fullmatch(line):
        example = Example(line, line, SECTIONS.get(match["key"], ""))
        left = judged(rendered(example, line)).errors
        assert not [finding for finding in left if finding.code != "missing-key"]
    elif line.startswith(("mean of", "eval/")) and "$" in line:
        source = line if line.startswith("eval/") else f"eval/metrics.json {line}"
        assert isinstance(parse_source(source), Source)
    elif re.fullmatch(r"-?[\d.]+ \S+", line):
        assert isinstance(parse_quantity(line), Quantity)
    elif re.fullmatch(r"[\d.]+ (min|s|h|d)", line):
        assert isinstance(parse_duration(line), Quantity)


def test_the_corpus_proposes_lines_of_every_kind() -> None:
    lines = " ".join(proposed())
    for part in ("latency_p95 <= 300 ms", "over 7 d", "mean of $", "50 req/s", "poc: 1"):
        assert part in lines


MESSAGES = {(finding.message, finding.fix is not None) for finding in CORPUS}


@pytest.mark.parametrize(
    ("message", "ends"),
    [
        pytest.param("Use is made of it: nothing helps", False, id="a verb before the end"),
        pytest.param("This is wrong: write it, perhaps", False, id="a clause behind the remedy"),
        pytest.param("This is `write it` wrong", False, id="a verb inside of code"),
        pytest.param("This is wrong: write a, `b` or c", True, id="a choice"),
        pytest.param("How many? Like `n >= 9`", True, id="an exact line"),
    ],
)
def test_a_remedy_is_looked_for_at_the_end(message: str, ends: bool) -> None:
    assert bool(REMEDY.search(last_clause(message))) is ends


@pytest.mark.parametrize(("message", "has_fix"), sorted(MESSAGES))
def test_a_message_is_short_and_ends_in_a_remedy(message: str, has_fix: bool) -> None:
    assert len(message) <= 120
    assert has_fix or REMEDY.search(last_clause(message))


@pytest.mark.parametrize(
    ("line", "days"),
    [
        pytest.param("ship_by: 2027-02-26", 200, id="the ship date passes"),
        pytest.param("paused: until 2026-12-18 - waiting for data", 30, id="a pause ends"),
        pytest.param("waived:\n  - error_rate until 2026-12-18 - late", 30, id="a waiver ends"),
    ],
)
def test_what_only_time_makes_false_is_an_error_on_the_change_that_writes_it(line: str, days: int) -> None:
    text = rendered(Example(line, line), line)
    before = judged(text).charter
    later = TODAY + timedelta(days=days)
    assert judged(text).findings == ()
    assert {finding.severity for finding in judged(text, before, later).findings} == {Severity.NOTICE}
    other = judged(SAMPLE.replace("2027-02-26", "2027-02-25")).charter
    assert judged(text, other, later).errors
    assert judged(text, None, later).errors
