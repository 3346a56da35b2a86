"""Where a branch began, by what the lists of commits show."""

from __future__ import annotations

import pytest

from service.rules.values.ancestry import merge_base


def listed(text: str) -> dict[str, tuple[str, ...]]:
    """`c:b,x b:a a:` is a list of three commits, each with its parents."""
    rows = (row.partition(":") for row in text.split())
    return {sha: tuple(filter(None, parents.split(","))) for sha, _, parents in rows}


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        pytest.param("c:b b:a a:", "y:x x:b b:a a:", "b", id="a branch that is behind"),
        pytest.param("c:b b:a a:", "y:x x:c c:b b:a a:", "c", id="a branch that isn't"),
        pytest.param("c:b b:a a:", "b:a a:", "b", id="a commit of the base"),
        pytest.param("c:b b:a a:", "c:b b:a a:", "c", id="the base itself"),
        pytest.param("c:b b:a a:", "z:y,c y:x x:a c:b b:a a:", "c", id="the base was merged in"),
        pytest.param("d:c c:b b:a a:", "z:y,c y:x x:a c:b b:a a:", "c", id="an older base was merged in"),
        pytest.param(
            "m:c,q c:b q:b b:a a:", "y:q q:b b:a a:", "q", id="another branch was merged to the base"
        ),
        pytest.param("c:b b:a", "y:x x:a a:", None, id="the base's list ends before it"),
        pytest.param("c:b b:a a:", "y:x x:w", None, id="the branch's list ends before it"),
        pytest.param("c:b b:a a:", "y:x x:", None, id="they have nothing in common"),
        pytest.param("", "y:x x:", None, id="a list is empty"),
        pytest.param("c:b", "", None, id="the other is empty"),
        pytest.param(
            "c:b b:a a:", "y:x,b b:a a:", None, id="an old date hides the way that meets the base later"
        ),
        pytest.param("c:b b:a a:", "y:x,b b:a a: x:c", "c", id="once that way is listed it is known"),
        pytest.param(
            "n:m,k m:j,l k:j j: l:j",
            "y:m,k m:j,l k:j j: l:j",
            "m",
            id="of two that neither leads to, the newer",
        ),
    ],
)
def test_where_it_began(base: str, head: str, expected: str | None) -> None:
    assert merge_base(listed(base), listed(head)) == expected
