"""Which part of a file is the charter, decided on its text."""

from __future__ import annotations

import pytest

from service.rules.source.block import Block, find_block, lines_of


def found(text: str) -> Block | None:
    return find_block(text, lines_of(text))


@pytest.mark.parametrize(
    ("text", "first_line"),
    [
        pytest.param("---\npoc: 1\n---\n", 2, id="front matter"),
        pytest.param("---\r\npoc: 1\r\n---\r\n", 2, id="front matter with CRLF"),
        pytest.param(
            "---\nname: x\n---\n```yaml\npoc: 1\n```\n", 5, id="a block after front matter of another kind"
        ),
        pytest.param("text\n```yml\na: b\npoc: 1\n```\n", 3, id="yml, poc not first"),
        pytest.param("```yaml\na: 1\n```\n```yaml\npoc: 1\n```\n", 5, id="the first that declares itself"),
        pytest.param("```YAML title=x\npoc: 1\n```\n", 2, id="info string with more words"),
        pytest.param("```yaml\npoc: 1\n````\n", 2, id="closed by a longer fence"),
        pytest.param("<!-- a note -->\n```yaml\npoc: 1\n```\n", 3, id="after a comment"),
        pytest.param("<!--\nnote\n--> x\n```yaml\npoc: 1\n```\n", 5, id="after a long comment"),
        pytest.param(
            "<!--\n```yaml\npoc: 2\n```\n-->\n```yaml\npoc: 1\n```\n", 7, id="after one in a comment"
        ),
        pytest.param("<!-->\n```yaml\npoc: 1\n```\n", 3, id="after an empty comment"),
        pytest.param("```html\n<!--\n```\n```yaml\npoc: 1\n```\n", 5, id="after code with a comment"),
        pytest.param("text <!--\n```yaml\npoc: 1\n```\n", 3, id="a comment that the fence ends"),
        pytest.param("    <!--\n\n```yaml\npoc: 1\n```\n", 4, id="after code that is indented"),
        pytest.param("<details>\n\n```yaml\npoc: 1\n```\n</details>\n", 4, id="folded, but shown"),
        pytest.param("<!DOCTYPE x>\n<?a?>\n```yaml\npoc: 1\n```\n", 4, id="after a declaration"),
        pytest.param("<prefix>\n```yaml\npoc: 1\n```\n", 3, id="a tag that only begins like `pre`"),
        pytest.param(
            "~~~\n```yaml\npoc: 2\n```\n~~~\n```yaml\npoc: 1\n```\n", 7, id="not one inside another fence"
        ),
    ],
)
def test_the_charter_is_found(text: str, first_line: int) -> None:
    block = found(text)
    assert block
    assert block.first_line == first_line
    assert "poc: 1" in block.lines


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("poc: 1\n", id="bare text"),
        pytest.param("```\npoc: 1\n```\n", id="a block of no language"),
        pytest.param("```json\npoc: 1\n```\n", id="another language"),
        pytest.param("```yaml\n  poc: 1\n```\n", id="poc inside something else"),
        pytest.param("```yaml\npoc_id: 1\n```\n", id="another key"),
        pytest.param("<!--\n```yaml\npoc: 1\n```\n-->\n", id="in a comment"),
        pytest.param("<!-- x\n\n```yaml\npoc: 1\n```\n", id="in a comment without an end"),
        pytest.param("   <!-- x\n```yaml\npoc: 1\n```\n-->", id="in a comment that is indented"),
        pytest.param("- <!-- x\n  ```yaml\n  poc: 1\n  ```\n  -->", id="in a comment in a list"),
        pytest.param("> <!-- x\n```yaml\npoc: 1\n```\n-->", id="in a comment in a quote"),
        pytest.param("<STYLE>\n```yaml\npoc: 1\n```\n</style>\n", id="in a style sheet"),
        pytest.param("<script\n```yaml\npoc: 1\n```\n</script>\n", id="in a script"),
        pytest.param("<?php\n```yaml\npoc: 1\n```\n?>\n", id="in an instruction"),
        pytest.param("<![CDATA[\n```yaml\npoc: 1\n```\n]]>\n", id="in raw data"),
        pytest.param("<!X\n```yaml\npoc: 1\n```\n>\n", id="in a declaration"),
        pytest.param("text\n---\npoc: 1\n---\n", id="front matter that is not at the top"),
        pytest.param("    ```yaml\n    poc: 1\n    ```\n", id="indented code"),
    ],
)
def test_anything_else_is_no_charter(text: str) -> None:
    assert found(text) is None
