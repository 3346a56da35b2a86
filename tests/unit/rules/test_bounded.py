"""Work is bounded whatever the input: events that are read, lines that the grammar is asked to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.charter import hostile
from service.rules.charter.threshold import parse_threshold
from service.rules.checks.judge import judge
from service.rules.source.nodes import MOST_ITEMS
from service.rules.source.text import CharterFile, FileKind
from service.rules.source.traps import CHARTER

TODAY = date(2026, 11, 22)
MOST_READINGS = 2 * MOST_ITEMS * 3
"""Two lists; each line is read once for the charter, and then once more, and once fixed, for its finding."""


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How often the parser gave an event, and the grammar was asked to read a line."""
    counts: Counter[str] = Counter()
    events = yaml.parse

    def parse(*given: Any, **options: Any) -> Iterator[yaml.Event]:
        for event in events(*given, **options):
            counts["events"] += 1
            yield event

    def counting(read: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any) -> Any:
            counts["readings"] += 1
            return read(*given)

        return asked

    with (
        patch.object(yaml, "parse", parse),
        patch("service.rules.charter.reader.parse_threshold", counting(parse_threshold)),
        patch("service.rules.charter.lines.parse_threshold", counting(parse_threshold)),
        patch("service.rules.charter.suggestions.parse_threshold", counting(parse_threshold)),
    ):
        yield counts


def assert_bounded(data: bytes) -> None:
    with counted() as counts:
        judge(CharterFile(FileKind.FILE, data), today=TODAY)
    assert counts["events"] <= 2 * (CHARTER.events + 1)
    assert counts["readings"] <= MOST_READINGS


def test_it_counts() -> None:
    with counted() as counts:
        judge(CharterFile(FileKind.FILE, b"```yaml\npoc: 1\ndone:\n  - fast\n```\n"), today=TODAY)
    assert counts["events"] > 5
    assert counts["readings"] > 1


@pytest.mark.parametrize(
    ("name", "data"), tuple(hostile()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_what_is_meant_to_hurt_takes_bounded_work(name: str, data: bytes) -> None:
    assert name
    assert_bounded(data)


@given(
    st.sampled_from(["- ", "[", "{", "a: ", "  - a <= 3 k\n", "? ", "\n", "x" * 250]),
    st.integers(0, 4000),
    st.text(),
)
def test_any_text_takes_bounded_work(piece: str, times: int, text: str) -> None:
    for head in ("done:\n", "done:\n  - a\n", "stop_if: "):
        assert_bounded(f"```yaml\npoc: 1\n{head}{piece * times}{text}\n```\n".encode())
