"""The JSON Schema and the checks agree: every golden charter is held to both."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from service.rules.charter.keys import CHARTER
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.checks import CHECKS
from service.rules.checks.judge import judge
from service.rules.checks.schema import charter_schema, printed
from service.rules.source.loader import load
from service.rules.source.nodes import Mapping, Node, Scalar
from service.rules.source.text import CharterFile, FileKind
from service.web.app import create_app
from tests.harness.places import CHARTERS, ROOT

TODAY = date(2026, 11, 22)
OK = sorted((CHARTERS / "ok").glob("*.md"))
ERR = sorted((CHARTERS / "err").glob("*.md"))
SCHEMA = charter_schema()
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())

STRUCTURAL = {
    "missing-key", "unknown-key", "wrong-shape", "unfilled", "version", "owner", "ship-date",
    "target-environment", "target-quantity", "target-auth", "done-count", "done-threshold", "rollback-how",
    "rollback-within", "rollback-drilled", "infra-entry", "signoffs-people", "paused-format",
    "stopped-format", "waived-format",
    "budget",
}  # fmt: skip
"""What a schema sees as well: a charter with such an error is refused by both."""

BEYOND = {
    "owner-signs": "compares two fields",
    "ship-date-passed": "depends on the day",
    "ship-date-far": "depends on the day; a warning",
    "measured-in": "a notice",
    "owner-access": "GitHub knows",
    "environment-unknown": "GitHub knows",
    "path-missing": "GitHub knows",
    "done-unit": "needs the table of metrics",
    "done-range": "needs the table of metrics",
    "done-duplicate": "compares two lines",
    "done-contradiction": "compares two lines",
    "done-idle": "compares two lines",
    "stop-if-success": "compares two lines",
    "signoffs-not-needed": "the policy knows",
    "signoffs-further": "the policy knows",
    "waived-metric": "compares two fields",
    "waived-until": "depends on the day",
    "number-thousands": "a notice",
    "done-direction": "a warning",
    "done-trivial": "a warning",
    "done-statistic": "a warning",
    "done-sample": "a warning",
    "done-window": "a warning",
    "done-quality": "a warning",
    "done-operation": "a warning",
    "done-free-scale": "a notice",
    "done-unknown-metric": "a notice",
    "evidence-source": "JSONPath is a language of its own",
    "evidence-metric": "compares two fields",
    "evidence-unit": "compares two fields",
    "rollback-slow": "compares two fields; a warning",
    "environment-not-allowed": "is about the organisation's policy",
    "signoffs-account": "GitHub knows",
    "signoffs-not-member": "is about the organisation's policy",
    "signoffs-distinct": "compares four fields; a warning",
    "paused-long": "depends on the day; a warning",
    "body-missing": "is about the Markdown; a notice",
    "body-vague": "is about the Markdown; a notice",
    "smart-quotes": "to a schema the marks are text, refused only where a pattern is narrow, as in a login",
}
"""Findings that a schema cannot have, and why."""

PARTLY = {
    "paused-over": "depends on the day",
    "stopped-tomorrow": "depends on the day",
    "rollback-drilled-tomorrow": "depends on the day",
    "signoffs-alone": "compares four fields",
    "done-no-such-percentile": "needs the table of metrics",
    "done-recall-at-none": "needs the table of metrics",
    "done-two-units": "compares the sign with the unit",
}
"""Cases in which a check that a schema shares asks for more than a pattern can."""


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {entry.key.value: plain(entry.value) for entry in node.entries}
    return [plain(item) for item in node.items]


def root_of(path: Path) -> Any:
    root = load(CharterFile(FileKind.FILE, path.read_bytes())).root
    return None if root is None else plain(root)


def refusals(charter: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(charter)]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(printed()) == SCHEMA


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_a_good_charter_is_valid(path: Path) -> None:
    assert refusals(root_of(path)) == []


@pytest.mark.parametrize("path", [p for p in ERR if root_of(p) is not None], ids=lambda path: path.stem)
def test_a_bad_charter_is_refused_or_is_listed_as_beyond_a_schema(path: Path) -> None:
    errors = judge(CharterFile(FileKind.FILE, path.read_bytes()), today=TODAY).errors
    codes = {finding.code for finding in errors}
    refused = refusals(root_of(path))
    if codes & STRUCTURAL and path.stem not in PARTLY:
        assert refused != []
    elif "smart-quotes" not in codes:
        assert refused == []


def test_every_check_is_in_the_schema_or_listed_as_beyond_it() -> None:
    assert {check.code for check in CHECKS} == STRUCTURAL | BEYOND.keys()
    assert not BEYOND.keys() & STRUCTURAL
    assert PARTLY.keys() <= {path.stem for path in ERR}


def test_its_keys_are_those_of_the_language() -> None:
    assert list(SCHEMA["properties"]) == [field.name for field in CHARTER.fields]
    for field in CHARTER.fields:
        if field.fields:
            assert list(SCHEMA["properties"][field.name]["properties"]) == [
                each.name for each in field.fields
            ]


def patterns(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
        return own + [each for value in node.values() for each in patterns(value)]
    return [each for value in node for each in patterns(value)] if isinstance(node, list) else []


@pytest.mark.parametrize("pattern", sorted(set(patterns(SCHEMA))), ids=lambda pattern: pattern[:30])
def test_a_pattern_is_one_in_every_language(pattern: str) -> None:
    re.compile(pattern)
    assert not re.search(r"\(\?P|\(\?[aiLmsux]|\\[AZ]|\\[-#&~ ]", pattern)


LINE = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(
        [
            "accuracy",
            "latency_p95 ",
            "rmse ",
            "power_draw_p95 ",
            "p95_mae",
            "unknown_thing",
            "cost_per_call  ",
        ]
    ),
    st.sampled_from(["<=", ">= ", "== ", "≤", "<"]),
    st.sampled_from(["92", "0.5", "-1.25 ", "$0.02", "€ 3"]),
    st.sampled_from(
        ["", " %", "ms", " ratio", " req / s", " tickets/day", " USD/month", " °C", " GiB", "µs", " m", " Q"]
    ),
    st.sampled_from(
        ["", " at 50 req/s", " on a-b", " with n=20", " over 7 d", " for eu", " over 2", " at peak"]
    ),
    st.sampled_from(["", " with n >= 3", " on x  ", " for y", " on a on b"]),
)


@given(LINE)
def test_a_line_that_the_grammar_reads_is_valid(line: str) -> None:
    pattern = SCHEMA["$defs"]["running"]["properties"]["done"]["items"]["pattern"]
    if isinstance(parse_threshold(line), Threshold):
        assert re.search(pattern, line)


def test_an_editor_shows_words_and_no_pattern() -> None:
    def told(node: Any) -> list[bool]:
        below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        own = ["patternErrorMessage" in node] if isinstance(node, dict) and "pattern" in node else []
        return own + [each for value in below for each in told(value)]

    assert told(SCHEMA)
    assert all(told(SCHEMA))
    assert "{" not in SCHEMA["properties"]["stopped"].get("patternErrorMessage", "")


@given(st.sampled_from(patterns(SCHEMA)), st.text(max_size=40), st.integers(1, 300))
def test_no_pattern_is_slow(pattern: str, text: str, times: int) -> None:
    re.search(pattern, (text * times)[:300])


async def fetch(path: str) -> httpx.Response:
    app = create_app(Mock(), Mock(), webhook_secret="secret", evidence=Mock(), bodies=Mock(), beside=Mock())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.get(path)


def test_it_is_served_and_printed_alike() -> None:
    answer = asyncio.run(fetch("/schema/poc-1.json"))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/schema+json")
    command = [sys.executable, "-m", "service.cli.app", "schema"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.text == done.stdout == printed()
