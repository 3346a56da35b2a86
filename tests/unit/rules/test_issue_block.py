"""Our block in an issue's body: replaced in place, what people wrote around it kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.values.actions import STALL_MARKER, stall_opening
from service.texts.markdown import STALL_END, enclosed, replace_block

OLD, NEW = enclosed(7, "It waits.\n"), enclosed(7, "It still waits.\n")
BARE = NEW.rstrip("\n")
START = stall_opening(7)


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        pytest.param("", NEW, id="an empty body"),
        pytest.param(" \r\n", NEW, id="a blank body"),
        pytest.param(OLD, NEW, id="ours alone"),
        pytest.param(f"Mine.\n\n{OLD}\nMine too.", f"Mine.\n\n{NEW}\nMine too.", id="words around it"),
        pytest.param(OLD.replace("\n", "\r\n"), f"{BARE}\r\n", id="saved by a browser"),
        pytest.param("Mine.", f"{BARE}\n\nMine.", id="ours was taken out"),
        pytest.param(f"{START}\nMine.", f"{BARE}\n\n{START}\nMine.", id="its end was taken out"),
        pytest.param(
            f"Mine.\n{STALL_END}", f"{BARE}\n\nMine.\n{STALL_END}", id="its beginning was taken out"
        ),
        pytest.param(f"{STALL_END}\n{START}", f"{BARE}\n\n{STALL_END}\n{START}", id="the wrong way round"),
        pytest.param(f"{OLD}Mine.\n{OLD}", f"{NEW}Mine.\n{OLD}", id="doubled: the first counts"),
        pytest.param(f"{STALL_END}\n{OLD}", f"{STALL_END}\n{NEW}", id="an end too many before it"),
        pytest.param(f"{OLD}{STALL_END}\n", f"{NEW}{STALL_END}\n", id="an end too many after it"),
        pytest.param(f"{START}\nMine.\n{OLD}", f"{START}\nMine.\n{NEW}", id="a beginning too many: kept"),
    ],
)
def test_the_block_is_replaced(present: str, wanted: str) -> None:
    assert replace_block(present, NEW) == wanted


def test_a_text_cannot_end_its_block() -> None:
    block = enclosed(7, f"a\n{STALL_END}\nb {STALL_MARKER} c")
    assert replace_block(block, NEW) == NEW
    assert block.count(STALL_MARKER) == block.count(STALL_END) == 1


PIECES = st.sampled_from([STALL_MARKER, STALL_END, START, "<!--", "-->", "\n", "\r\n", "Mine.", "@dan-w"])
ANYTHING = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30)
WORDS = st.text(max_size=30).filter(lambda text: "<!--" not in text)


@given(WORDS, WORDS)
def test_what_people_wrote_around_it_stays(before: str, after: str) -> None:
    assert replace_block(f"{before}{OLD}{after}", NEW) == f"{before}{NEW}{after}"


@given(ANYTHING, ANYTHING)
def test_any_body_holds_the_block_once_it_is_replaced(present: str, text: str) -> None:
    block = enclosed(7, text)
    once = replace_block(present, block)
    assert replace_block(once, block) == once
    rest = once.replace(block.rstrip("\n"), "", 1)
    assert rest == replace_block(once, "")
    assert rest.strip() == replace_block(present, "").strip()
