"""Every policy in tests/policies: ok/ is silent, err/ says what stands in the .out file beside it."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.rules.policy.keys import POLICY, Key
from service.rules.policy.model import (
    NO_POLICY,
    Exceptions,
    GroupPolicy,
    Limits,
    Mode,
    Policy,
    Selector,
    WhenUnjudged,
)
from service.rules.policy.reading import MAX_BYTES, read_policy
from service.rules.values.calendar import Calendar, Freeze
from service.rules.values.finding import Finding
from service.rules.values.groups import Group, Level
from tests.harness.golden import assert_golden
from tests.harness.places import EXAMPLES, POLICIES
from tests.unit.rules.samples import REMEDY, last_clause

OK = sorted((POLICIES / "ok").glob("*.yml"))
ERR = sorted((POLICIES / "err").glob("*.yml"))
EXAMPLE = EXAMPLES / "poc-policy.yml"
LONGEST_MESSAGE = 120


def diagnostic(finding: Finding) -> str:
    fix = f"    {finding.fix}\n" if finding.fix is not None else ""
    place = f"{finding.line}:{finding.column}"
    return f"{place}: {finding.severity}: {finding.message} [{finding.code}]\n{fix}"


def findings(path: Path) -> tuple[Finding, ...]:
    return read_policy(path.read_bytes()).findings


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_a_good_policy_is_silent(path: Path) -> None:
    reading = read_policy(path.read_bytes())
    assert [diagnostic(finding) for finding in reading.findings] == []
    assert reading.policy is not None


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_a_bad_policy_says_what_its_out_file_says(path: Path) -> None:
    said = "".join(map(diagnostic, findings(path)))
    assert_golden(path.with_suffix(".out"), said)
    assert said
    assert read_policy(path.read_bytes()).policy is None


def test_the_corpus_is_complete() -> None:
    assert {path.stem for path in (POLICIES / "err").glob("*.out")} == {path.stem for path in ERR}


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_a_message_is_short_located_and_ends_in_a_remedy(path: Path) -> None:
    lines = path.read_bytes().count(b"\n") + 1
    for finding in findings(path):
        assert len(finding.message) <= LONGEST_MESSAGE
        assert finding.line <= lines
        assert "charter" not in finding.message
        assert finding.fix is not None or REMEDY.search(last_clause(finding.message)), finding.message


def same(finding: Finding, among: tuple[Finding, ...]) -> int:
    return sum((each.code, each.message) == (finding.code, finding.message) for each in among)


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_writing_the_proposed_line_settles_the_finding(path: Path) -> None:
    for finding in findings(path):
        if finding.fix is None:
            continue
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[finding.line - 1] = finding.fix
        again = read_policy("\n".join(lines)).findings
        assert same(finding, again) < same(finding, findings(path))
        assert "invalid-yaml" not in {each.code for each in again if each.line == finding.line}


def test_what_the_example_decides() -> None:
    assert read_policy(EXAMPLE.read_bytes()).policy == Policy(
        mode=Mode.ENFORCE,
        observed=Exceptions(
            Selector(names=("lab-*",)), frozenset({"done-sample", "rollback"}), date(2027, 3, 1)
        ),
        enforced=Exceptions(Selector(frozenset({"gated"}))),
        select=Selector(
            frozenset({"poc", "proof-of-concept"}), ("poc-*", "*-poc"), {"stage": frozenset({"poc"})}
        ),
        exclude=Selector(frozenset({"not-a-poc"}), ("sandbox-*",)),
        limits=Limits(Decimal("0.15"), 7, 20, 5, 10),
        calendar=Calendar(
            frozenset({5, 6}),
            (Freeze(date(2026, 12, 21), date(2027, 1, 3), "year end"),),
            ZoneInfo("Europe/Berlin"),
        ),
        groups={Group.SECURITY: GroupPolicy(frozenset({"dan-w", "eve-s"}), "sec-lead")},
        environments=frozenset({"support-prod"}),
        evidence_days=14,
        evidence_level=Level.MEASURED,
        when_unjudged=WhenUnjudged.FAILURE,
        issues_a_day=5,
        central_repository="acme/poc-portfolio",
        portfolio_readers=("acme/leaders",),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", NO_POLICY, id="nothing else: the defaults"),
        pytest.param(
            "select:\n  topics: [ai]",
            Policy(select=Selector(frozenset({"ai"}))),
            id="a selector that is written replaces the default, its names as well",
        ),
        pytest.param(
            "when_unjudged: neutral",
            Policy(when_unjudged=WhenUnjudged.NEUTRAL),
            id="what can't be judged need not be red",
        ),
        pytest.param(
            "signoffs:\n  of_head: true",
            Policy(of_head=True),
            id="only approvals of the newest commit count for shipping",
        ),
        pytest.param("exclude: {}", Policy(exclude=Selector()), id="nothing excluded by the policy"),
        pytest.param(
            "groups:\n  platform:\n    members: [Bob-M, bob-m]",
            Policy(groups={Group.PLATFORM: GroupPolicy(frozenset({"bob-m"}))}),
            id="logins do not differ by case",
        ),
        pytest.param(
            "environments: [Support-Prod]",
            Policy(environments=frozenset({"support-prod"})),
            id="nor do environments",
        ),
        pytest.param("evidence:\n  max_age: 2 weeks", NO_POLICY, id="an age in another unit"),
        pytest.param(
            "calendar:\n  weekend: []", Policy(calendar=Calendar(frozenset())), id="no days off at all"
        ),
        pytest.param(
            "calendar:\n  freezes: [2026-12-24]",
            Policy(calendar=Calendar(freezes=(Freeze(date(2026, 12, 24), date(2026, 12, 24)),))),
            id="a freeze of one day",
        ),
        pytest.param(
            "calendar:\n  freezes: [2026-12-24 - 2026-12-26]",
            Policy(calendar=Calendar(freezes=(Freeze(date(2026, 12, 24), date(2026, 12, 26)),))),
            id="a freeze without a reason",
        ),
    ],
)
def test_what_a_policy_decides(text: str, expected: Policy) -> None:
    assert read_policy(f"policy: 1\n{text}\n").policy == expected


def test_an_error_anywhere_leaves_no_policy() -> None:
    reading = read_policy("policy: 1\nmode: observe\nlimits:\n  waiting: 0\n")
    assert reading.policy is None
    assert [finding.line for finding in reading.findings] == [4]


def written(path: str, value: str) -> str:
    """A policy that decides one thing."""
    *sections, name = path.split(".")
    lines = [f"{'  ' * depth}{section}:" for depth, section in enumerate(sections)]
    return "\n".join(["policy: 1", *lines, f"{'  ' * len(sections)}{name}: {value}", ""])


LEAVES = [(path, key) for path, key in POLICY.leaves() if path != "policy"]


@pytest.mark.parametrize(("path", "key"), LEAVES, ids=[path for path, _ in LEAVES])
def test_the_example_of_every_key_is_read_and_its_default_is_the_default(path: str, key: Key) -> None:
    assert read_policy(written(path, key.example)).findings == ()
    if key.default and not path.startswith(("select.", "exclude.")):
        assert read_policy(written(path, key.default)).policy == NO_POLICY
    if not key.default:
        assert read_policy(written(path, key.example)).policy != NO_POLICY


def test_the_defaults_of_the_selectors_are_the_defaults() -> None:
    lines = [f"policy: 1\n{name}:\n" for name in ("select", "exclude")]
    for at, section in enumerate(("select", "exclude")):
        for path, key in LEAVES:
            if path.startswith(f"{section}.") and key.default:
                lines[at] += f"  {key.name}: {key.default}\n"
    for text in lines:
        assert read_policy(text).policy == NO_POLICY


def test_utc_is_utc() -> None:
    policy = read_policy("policy: 1\ncalendar:\n  time_zone: Etc/UTC\n").policy
    assert policy is not None
    assert policy.calendar.zone is UTC


def test_zones_are_known_where_the_machine_knows_none() -> None:
    zoneinfo.reset_tzpath([])
    ZoneInfo.clear_cache()
    try:
        assert read_policy(EXAMPLE.read_bytes()).policy is not None
    finally:
        zoneinfo.reset_tzpath()
        ZoneInfo.clear_cache()


SECTIONS = {path.partition(".")[0] for path, _ in LEAVES}
LINE = st.sampled_from([
    *(f"{section}:" for section in sorted(SECTIONS)),
    *(f"  {key.name}: {key.example}" for _, key in LEAVES),
    "    members: [dan-w]", "policy: 1", "---", "  - x",
    "&a", "*a", "!!x", "{", "[", "]", "\t", '"', "? x", "%YAML",
])  # fmt: skip


@given(st.lists(st.one_of(LINE, st.text(max_size=20)), max_size=15).map("\n".join))
@example("policy: 1\n" + "[" * 5_000)
@example("policy: 1\n" + "{a: " * 200)
@example("\ud800")
def test_nothing_makes_it_raise(text: str) -> None:
    reading = read_policy(text)
    assert (reading.policy is None) is bool(reading.findings)
    assert len(reading.findings) <= 200
    lines = text.count("\n") + text.count("\r") + 1
    for finding in reading.findings:
        assert finding.line <= lines
        assert finding.fix is None or "\n" not in finding.fix


@given(st.binary(max_size=300))
def test_nor_do_bytes(data: bytes) -> None:
    assert isinstance(read_policy(data).findings, tuple)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("policy: 1\n" + "a: [" * 10_000, id="nested"),
        pytest.param("policy: 1\nselect:\n  names: [" + "'*', " * 20_000 + "]", id="a long line"),
        pytest.param("policy: 1\n" + "".join(f"k{n}: 1\n" for n in range(1_900)), id="unknown keys"),
        pytest.param("policy: 1\n" + "mode: observe\n" * 1_900, id="one key again and again"),
        pytest.param("policy: 1\n" + "x" * (MAX_BYTES + 1), id="too large"),
    ],
)
def test_what_is_told_is_bounded(text: str) -> None:
    told = read_policy(text).findings
    assert 1 <= len(told) <= 150
    assert all(len(finding.message) <= LONGEST_MESSAGE for finding in told)


def test_a_stranger_s_words_stand_in_code() -> None:
    for finding in findings(POLICIES / "err" / "hostile.yml"):
        bare = re.sub(r"`[^`]*`", "", finding.message)
        assert "@" not in bare
        assert "#12" not in bare
        assert "<img" not in bare


def test_events_that_outsiders_cause_are_taken_where_the_policy_lists_them() -> None:
    policy = read_policy("policy: 1\nevidence:\n  events: [pull_request_target, workflow_run]\n").policy
    assert policy is not None
    assert policy.evidence_events == frozenset({"pull_request_target", "workflow_run"})
