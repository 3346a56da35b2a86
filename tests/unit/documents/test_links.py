"""What the documents outside the service's own pages link to is there: files, folders and headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.web.docs import anchor
from tests.harness.places import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "bench" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
LINK = re.compile(r"\]\((?!https?://|mailto:|#\))([^)\s]*)\)")
CODE = re.compile(r"^ *(`{3,}).*?^ *\1$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text())):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    return {
        anchor(each) for each in re.findall(r"^#+ (.+)$", CODE.sub(_kept, page.read_text()), re.MULTILINE)
    }


def _kept(code: re.Match[str]) -> str:
    """A heading may have code in it; a fence has no headings."""
    return "" if code[1] else code[0]


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        links = {(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(page.read_text())}
        found = {link for link in links if link.suffix == ".md" and link.is_file()} - reached
        reached |= found
        ahead += found
    assert {page for page in (ROOT / "docs").glob("*.md") if page.resolve() not in reached} == set()
