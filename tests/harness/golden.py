"""The one comparison with golden files; with WRITE_GOLDEN=1 they are written anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

WRITING = bool(os.environ.get("WRITE_GOLDEN"))
HOW = "if the new text is right: WRITE_GOLDEN=1 make test"


def assert_golden(golden: Path, text: str) -> None:
    """The text is what stands in the file."""
    if WRITING:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text(), f"{golden}: {HOW}"


def assert_current(document: Path, fill: Callable[[str], str]) -> str:
    """The generated parts of a document are what the code says; returns the document."""
    if WRITING:
        document.write_text(fill(document.read_text()))
    written = document.read_text()
    assert fill(written) == written, f"{document}: {HOW}"
    return written
