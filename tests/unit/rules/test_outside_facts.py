"""What a charter names outside itself: what is asked, when, and what is made of the answers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from service.rules.checks.judge import Judgement, judge
from service.rules.checks.surroundings import (
    Access,
    Gathered,
    Questions,
    RepositoryFacts,
    access_of,
    evidence_path,
    is_due,
    questions_of,
)
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.finding import Finding, Severity
from tests.harness.charters import GOOD as EXAMPLE
from tests.harness.github import NOW

TODAY = date(2026, 11, 22)
EVAL, K6 = ".github/workflows/eval.yml", "load/k6.json"
LONG = "a" * 39
ERROR, NOTICE = Severity.ERROR, Severity.NOTICE


def judged(text: str, outside: RepositoryFacts | None = None, before: str | None = None) -> Judgement:
    known = judged(before).charter if before is not None else None
    return judge(CharterFile(FileKind.FILE, text.encode()), before=known, today=TODAY, outside=outside)


def shown(findings: tuple[Finding, ...]) -> list[tuple[str, Severity, int]]:
    return [(finding.code, finding.severity, finding.line) for finding in findings]


def at(start: str) -> int:
    return next(n for n, line in enumerate(EXAMPLE.split("\n"), 1) if line.strip().startswith(start))


@pytest.mark.parametrize(
    "outside",
    [
        pytest.param(None, id="not gathered"),
        pytest.param(RepositoryFacts(), id="not known"),
        pytest.param(
            RepositoryFacts(Access.WRITE, frozenset({"support-prod", "support-staging", "x"}), frozenset()),
            id="fine",
        ),
        pytest.param(
            RepositoryFacts(environments=frozenset({"Support-PROD", "SUPPORT-staging"})),
            id="GitHub minds no case",
        ),
        pytest.param(RepositoryFacts(missing_paths=frozenset({"elsewhere.yml"})), id="another path"),
    ],
)
def test_nothing_to_complain_about(outside: RepositoryFacts | None) -> None:
    assert judged(EXAMPLE, outside).findings == ()


OWNER, PATH = RepositoryFacts(owner_access=Access.NONE), RepositoryFacts(missing_paths=frozenset({EVAL}))
STRANGER = RepositoryFacts(strangers=frozenset({"dan-w"}))
CASES = [
    pytest.param(OWNER, None, ("owner-access", ERROR, at("owner")), id="a new charter's owner"),
    pytest.param(OWNER, ("jane-doe", "john-roe"), ("owner-access", ERROR, at("owner")), id="another owner"),
    pytest.param(OWNER, ("2027-02-26", "2027-03-05"), ("owner-access", NOTICE, at("owner")), id="same owner"),
    pytest.param(OWNER, ("", ""), ("owner-access", NOTICE, at("owner")), id="no change"),
    pytest.param(
        RepositoryFacts(owner_access=Access.UNKNOWN), None, ("owner-access", ERROR, at("owner")), id="nobody"
    ),
    pytest.param(
        RepositoryFacts(owner_access=Access.SUSPENDED),
        ("", ""),
        ("owner-access", NOTICE, at("owner")),
        id="somebody suspended",
    ),
    pytest.param(STRANGER, None, ("signoffs-account", ERROR, at("security")), id="a new charter's signer"),
    pytest.param(
        STRANGER, ("dan-w", "eve-s"), ("signoffs-account", ERROR, at("security")), id="another signer"
    ),
    pytest.param(STRANGER, ("", ""), ("signoffs-account", NOTICE, at("security")), id="the same signers"),
    pytest.param(PATH, None, ("path-missing", ERROR, at("eval_pipeline")), id="a new charter's path"),
    pytest.param(PATH, (EVAL, "missing"), ("path-missing", ERROR, at("eval_pipeline")), id="a path written"),
    pytest.param(PATH, ("", ""), ("path-missing", NOTICE, at("eval_pipeline")), id="a path that went away"),
    pytest.param(
        PATH,
        ("deploy_process: missing", "deploy_process: x/y"),
        ("path-missing", NOTICE, at("eval_pipeline")),
        id="another entry written",
    ),
    pytest.param(
        RepositoryFacts(missing_paths=frozenset({K6})),
        None,
        ("path-missing", NOTICE, at("latency_p95: load")),
        id="evidence is to come",
    ),
    pytest.param(
        RepositoryFacts(environments=frozenset({"support-prod"})),
        None,
        ("environment-unknown", NOTICE, at("measured_in")),
        id="an environment",
    ),
]


@pytest.mark.parametrize(("outside", "edit", "expected"), CASES)
def test_a_complaint(
    outside: RepositoryFacts, edit: tuple[str, str] | None, expected: tuple[str, Severity, int]
) -> None:
    before = None if edit is None else EXAMPLE.replace(*edit) if edit[0] else EXAMPLE
    assert shown(judged(EXAMPLE, outside, before).findings) == [expected]


def test_every_environment_that_is_not_there_is_told_once() -> None:
    same = EXAMPLE.replace("support-staging", "support-prod")
    assert len(judged(EXAMPLE, RepositoryFacts(environments=frozenset())).findings) == 2
    assert len(judged(same, RepositoryFacts(environments=frozenset())).findings) == 1


def test_a_file_of_several_lines_of_evidence_is_told_once() -> None:
    text = EXAMPLE.replace("eval/metrics.json", K6)
    assert len(judged(text, RepositoryFacts(missing_paths=frozenset({K6}))).findings) == 1


def test_a_name_that_is_nearly_right_is_proposed() -> None:
    [finding] = judged(
        EXAMPLE, RepositoryFacts(environments=frozenset({"support-prod", "Support-Stage"}))
    ).findings
    assert finding.example == "  measured_in: Support-Stage"


@pytest.mark.parametrize(
    "outside",
    [
        RepositoryFacts(Access.NONE, frozenset(), frozenset({f"{LONG}/{LONG}.yml", f"{LONG}/{LONG}.json"})),
        RepositoryFacts(Access.UNKNOWN, frozenset({LONG[1:] + "b", LONG[2:] + "cc"})),
    ],
)
def test_a_message_is_short_however_long_the_names_are(outside: RepositoryFacts) -> None:
    text = EXAMPLE.replace("jane-doe", LONG).replace("support-prod", LONG).replace("support-staging", LONG)
    text = text.replace(EVAL, f"{LONG}/{LONG}.yml").replace(K6, f"{LONG}/{LONG}.json")
    findings = judged(text, outside).findings
    assert len(findings) >= 2
    assert all(len(finding.message) <= 120 for finding in findings)


def test_writing_the_proposed_line_settles_the_finding() -> None:
    [finding] = judged(EXAMPLE, PATH).findings
    assert finding.example is not None
    lines = EXAMPLE.split("\n")
    lines[finding.line - 1] = finding.example
    assert judged("\n".join(lines), PATH).findings == ()


def test_what_a_charter_asks_to_be_known() -> None:
    assert questions_of(judged(EXAMPLE).charter) == Questions(
        "jane-doe", (EVAL, K6, "eval/metrics.json"), True, ("alice-k", "bob-m", "carol-s", "dan-w")
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# Nothing\n", id="no charter"),
        pytest.param("```yaml\npoc: 1\n\tx: 1\n```\n", id="not readable"),
        pytest.param(
            "```yaml\npoc: 1\nowner: acme/team\ninfra:\n  eval_pipeline: missing\n```\n", id="names none"
        ),
        pytest.param(EXAMPLE.replace("poc: 1", "poc: 1\nstopped: 2026-11-20 - enough"), id="ended"),
    ],
)
def test_nothing_is_asked(text: str) -> None:
    assert questions_of(judged(text).charter).nothing


def test_a_bots_access_and_the_hundredth_path_are_not_asked_for() -> None:
    lines = "".join(f"  zz{n}: eval/{n}.json $.x\n" for n in range(100))
    text = EXAMPLE.replace("jane-doe", "renovate-bot").replace("evidence:\n", f"evidence:\n{lines}")
    wants = questions_of(judged(text).charter)
    assert (wants.owner, len(wants.paths), wants.paths[0]) == (None, 25, EVAL)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("eval/metrics.json $.accuracy", "eval/metrics.json"),
        ("out.json p95 of $.results[*].ms ms", "out.json"),
        ("  out.json", "out.json"),
        ("", None),
        ("$.accuracy", None),
        ("../secrets.json $.x", None),
        ("/etc/passwd $.x", None),
        ("https://example.com/m.json $.x", None),
    ],
)
def test_the_file_of_a_line_of_evidence(source: str, path: str | None) -> None:
    assert evidence_path(source) == path


@pytest.mark.parametrize(
    ("permission", "access"),
    [
        ("admin", Access.WRITE),
        ("write", Access.WRITE),
        ("read", Access.NONE),
        ("none", Access.NONE),
        (None, Access.UNKNOWN),
    ],
)
def test_access(permission: str | None, access: Access) -> None:
    assert access_of(permission) is access


ROUND, SECOND = timedelta(hours=7), timedelta(seconds=1)
"""When the next day of questions begins, after the first were asked."""
FINE, AMISS = (
    RepositoryFacts(Access.WRITE, None, frozenset()),
    RepositoryFacts(Access.WRITE, None, frozenset({EVAL})),
)


@pytest.mark.parametrize(
    ("known", "ref", "written", "again", "after", "due"),
    [
        pytest.param(None, "a", False, None, timedelta(0), True, id="never asked"),
        pytest.param(Gathered(FINE, "a", NOW), "a", True, None, ROUND - SECOND, False, id="within a day"),
        pytest.param(Gathered(FINE, "a", NOW), "a", True, None, ROUND, True, id="after a day"),
        pytest.param(Gathered(FINE, "a", NOW), "b", True, None, timedelta(0), False, id="a new commit"),
        pytest.param(Gathered(FINE, "a", NOW), "a", False, 6, timedelta(seconds=6), True, id="the button"),
        pytest.param(
            Gathered(FINE, "a", NOW),
            "a",
            False,
            5,
            timedelta(seconds=6),
            False,
            id="the same press, told late",
        ),
        pytest.param(
            Gathered(FINE, "a", NOW), "a", False, -9, timedelta(0), False, id="asked since for another run"
        ),
        pytest.param(Gathered(AMISS, "a", NOW), "a", True, None, timedelta(0), False, id="red, same commit"),
        pytest.param(Gathered(AMISS, "a", NOW), "b", True, None, timedelta(0), True, id="red, a new commit"),
        pytest.param(
            Gathered(AMISS, "a", NOW), "b", False, None, timedelta(0), False, id="a notice, a new commit"
        ),
        pytest.param(
            Gathered(FINE, "a", NOW, False), "a", True, None, timedelta(minutes=9), False, id="in part, yet"
        ),
        pytest.param(
            Gathered(FINE, "a", NOW, False),
            "a",
            True,
            None,
            timedelta(minutes=10),
            True,
            id="in part, again",
        ),
    ],
)
def test_when_to_ask(  # noqa: PLR0917 - pytest passes them by name
    known: Gathered | None, ref: str, written: bool, again: int | None, after: timedelta, due: bool
) -> None:
    again_at = None if again is None else NOW + timedelta(seconds=again)
    since = NOW + ROUND if after >= ROUND else NOW - SECOND
    assert (
        is_due(known, ref=ref, written=written, asked_again_at=again_at, now=NOW + after, since=since) is due
    )
