"""The draft: filled in as far as it can be, the rest marked, and short enough for a link."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

import pytest

from service.rules.charter.draft import draft
from service.rules.checks.judge import judge
from service.rules.source.text import CharterFile, FileKind

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("owner", "environments"),
    [
        pytest.param("jane-doe", ("support-staging", "support-prod"), id="all known"),
        pytest.param("jane-doe", ("prod: eu #1",), id="a name that YAML would misread"),
        pytest.param("jane-doe", ("staging",), id="only a staging"),
        pytest.param(None, (), id="nothing known"),
    ],
)
def test_its_findings_are_its_open_lines(owner: str | None, environments: tuple[str, ...]) -> None:
    text = draft(repository="acme/poc-ticket-triage", owner=owner, environments=environments, today=TODAY)
    judgement = judge(CharterFile(FileKind.FILE, text.encode()), before=None, today=TODAY)
    lines = text.split("\n")
    block = lines.index("```yaml")
    open_lines = {n for n, line in enumerate(lines, start=1) if "TODO" in line and n > block}
    assert {finding.line for finding in judgement.errors} == open_lines
    assert {finding.code for finding in judgement.errors} == {"unfilled"}
    assert len(quote(text)) < 1500


def test_environments_are_told_apart_by_their_names() -> None:
    text = draft(repository="a/b", owner="x", environments=("dev", "staging", "production"), today=TODAY)
    assert "  environment: production\n  measured_in: staging\n" in text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("acme/poc-ticket-triage", "# Ticket triage\n"),
        ("acme/search_poc", "# Search\n"),
        ("a/poc", "# Poc\n"),
    ],
)
def test_the_title_is_the_name_without_poc(name: str, title: str) -> None:
    assert draft(repository=name, owner="x", today=TODAY).startswith(title)
