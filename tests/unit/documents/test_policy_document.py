"""docs/policy.md is what the code says: its keys, its example, its codes."""

from __future__ import annotations

import re

import pytest

from service.rules.policy.keys import MOST_FREEZES, MOST_ISSUES, MOST_WORKING_DAYS, POLICY, Key
from service.rules.policy.model import POLICY_PATH, POLICY_REPOSITORY
from service.rules.policy.reading import MAX_BYTES, MAX_LINES, read_policy
from service.rules.policy.values import LONGEST_FREEZE
from service.rules.values.actions import POLICY_CHECK
from tests.harness.golden import assert_current
from tests.harness.places import POLICIES, ROOT
from tests.unit.documents.reference import MARKED, table

DOCUMENT = ROOT / "docs" / "policy.md"
EXAMPLE = ROOT / "docs" / "examples" / "poc-policy.yml"
CORPUS = POLICIES / "err"


def keys() -> str:
    """Each key of a policy."""
    rows = [
        f"| `{path}` | {key.decides} | {code(key.example)} | {default(key)} |"
        for path, key in POLICY.leaves()
    ]
    return table("| key | decides | for example | default |", rows)


def code(text: str) -> str:
    return f"`{text}`" if text else "none"


def default(key: Key) -> str:
    return "must be there" if key.name == "policy" else code(key.default)


def fill(document: str) -> str:
    return MARKED.sub(lambda match: f"{match['begin']}{keys()}{match['end']}", document)


def test_it_is_current() -> None:
    written = assert_current(DOCUMENT, fill)
    assert [match["name"] for match in MARKED.finditer(written)] == ["policy"]


def test_the_example_is_the_file_and_is_read() -> None:
    [shown] = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert shown == EXAMPLE.read_text() == (CORPUS.parent / "ok" / "example.yml").read_text()
    assert read_policy(shown).findings == ()


def test_the_example_has_every_section_and_limits_of_every_kind() -> None:
    written = EXAMPLE.read_text()
    for key in POLICY.keys:
        assert re.search(rf"^{key.name}:", written, re.MULTILINE), key.name


def codes() -> set[str]:
    """The codes that the corpus of bad policies shows."""
    told = "".join(path.read_text() for path in CORPUS.glob("*.out"))
    return set(re.findall(r"\[([a-z-]+)\]$", told, re.MULTILINE))


@pytest.mark.parametrize("found", sorted(codes()))
def test_a_code_is_documented(found: str) -> None:
    text = DOCUMENT.read_text() + (ROOT / "docs" / "charter.md").read_text()
    assert re.search(rf"`{found}`|^### {found}\b", text, re.MULTILINE)


def test_every_code_of_the_table_is_met_in_the_corpus() -> None:
    _, _, findings = DOCUMENT.read_text().partition("## Findings")
    told = set(re.findall(r"^\| `([a-z-]+)` \|", findings, re.MULTILINE))
    assert told <= codes()


def test_its_numbers_and_names_are_the_codes() -> None:
    text = DOCUMENT.read_text()
    for part in (
        f"`{POLICY_PATH}`",
        f"`{POLICY_REPOSITORY}` repository",
        f"`{POLICY_CHECK}`",
        f"{MAX_BYTES // 1024} KiB, {MAX_LINES:,} lines".replace(",000", " 000"),
        f"{MOST_FREEZES} freezes of at most {LONGEST_FREEZE} days",
        f"{MOST_WORKING_DAYS} working days",
        f"{MOST_ISSUES} issues",
    ):
        assert part in text


def test_every_link_leads_somewhere() -> None:
    text = DOCUMENT.read_text()
    for target in re.findall(r"\]\(([^)]*)\)", text):
        path, _, anchor = target.partition("#")
        page = DOCUMENT.parent / path if path else DOCUMENT
        headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE) if page.suffix == ".md" else []
        assert page.exists()
        anchors = {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings}
        assert not anchor or anchor in anchors, target
