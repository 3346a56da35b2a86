"""A charter that is printed reads back as the same value, whatever was done to it before."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rules.source.loader import MAX_BLOCK_BYTES
from tests.harness.places import CHARTERS
from tests.unit.rules.printing import print_charter
from tests.unit.rules.samples import SAMPLE, judged

FILES = sorted(CHARTERS.glob("*/*.md"))
LINES = SAMPLE.split("\n")
SLIPS = st.sampled_from(
    [
        "x",
        " ",
        "  ",
        '"',
        "'",
        ":",
        " #",
        "\\",
        "é",
        "🚀",
        "\u200b",
        "\xad",
        "TODO",
        "- ",
        "12",
        "`",
        "%",
        "<",
        "~",
        "n/a - ",
    ]
)
VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300)


TEXTS = (
    "auth: okta-oidc",
    "how: turn flag ai_triage off, tickets go back to the manual queue",
    "environment: support-prod",
    "feature_store: n/a - retrieval only, no features",
)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


def assert_prints_back(text: str) -> None:
    charter = judged(text).charter
    if charter:
        printed = judged(print_charter(charter))
        if [finding.code for finding in printed.findings] != ["block-too-large"]:
            assert printed.charter == charter
        else:
            assert len(text.encode()) > MAX_BLOCK_BYTES / 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_charter_of_the_corpus_prints_back(path: Path) -> None:
    assert_prints_back(path.read_bytes().decode(errors="replace"))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 70), SLIPS), min_size=1, max_size=5))
def test_a_charter_with_slips_prints_back(slips: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for row, column, slip in slips:
        lines[row] = f"{lines[row][:column]}{slip}{lines[row][column:]}"
    assert_prints_back("\n".join(lines))


@given(st.sampled_from(TEXTS), VALUE)
def test_any_value_prints_back(line: str, value: str) -> None:
    key = line.partition(":")[0]
    prefix = "n/a - " if key == "feature_store" else ""
    lines = "\\\n    ".join(
        quoted(prefix + value)[at : at + 200] for at in range(0, 10 * len(value) + 99, 200)
    )
    assert_prints_back(SAMPLE.replace(line, f"{key}: {lines}"))


@pytest.mark.parametrize("sign", ['"', "\\", "\u200b", "é", "x "])
def test_only_a_long_value_that_must_be_escaped_may_print_too_long(sign: str) -> None:
    lines = "\n    ".join([sign * 120] * 25)
    assert_prints_back(SAMPLE.replace(TEXTS[1], f"how: {lines}"))
    longest = "\n    ".join([sign * 120] * (15_000 // len(sign.encode()) // 120))
    assert_prints_back(SAMPLE.replace(TEXTS[1], f"how: x {longest}"))


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_prose_prints_back(prose: str, title: str) -> None:
    block = SAMPLE[SAMPLE.index("```yaml") :]
    assert_prints_back(f"# {title}\n\n{prose}\n\n{block}")
    assert_prints_back(f"{prose}\n{title}\n\n{block}")
