"""Charters broken at random: nothing raises, each finding stands on a line, each fix is a line of the file.

It runs for as long as FUZZ_SECONDS says: `FUZZ_SECONDS=600 pytest tests/unit/rules/test_fuzz.py` tries
some hundred thousand, other ones each time. Without it they are always the same, so that no change is
refused by chance. What fails is printed, to become a case of tests/charters/err.
"""

from __future__ import annotations

import os
import random
import time

import pytest

from service.rules.charter.examples import LONGEST_MESSAGE
from tests.harness.places import CHARTERS
from tests.unit.rules.samples import judged

LONGEST_NAME = 32
"""What a name that is told in full may add."""
SECONDS = float(os.environ.get("FUZZ_SECONDS", "30"))
CORPUS = [path.read_bytes().decode(errors="replace") for path in sorted(CHARTERS.glob("*/*.md"))]
LINES = [line.split("\t")[1] for line in (CHARTERS / "lines.tsv").read_text().splitlines()]
PIECES = [
    *"-:#%@&*!|>[]{}\"'`~<=≤≥$€,.;/()\\ \t\n\r0123456789kMmx\u00a0\u200b\ufeff\u2028\x00\x07é字а٣３",
    *(
        "poc: 1",
        "```",
        "---",
        "...",
        "<=",
        ">= ",
        "not below ",
        "at least ",
        " over 7 d",
        " with n >= 0",
        "{{ x }}",
    ),
    *("n/a - ", "missing - ", "TODO", "<!--", "https://", "\n  - ", "\n\n", ": ", "? ", "9" * 40, "a" * 400),
]


def broken(chance: random.Random) -> str:
    """One charter of the corpus, or two, with a few random changes."""
    text = chance.choice(CORPUS)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        lines = text.split("\n")
        row = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[at + chance.randint(1, 12) :]
            case 2:
                lines[row] = chance.choice(lines)
                text = "\n".join(lines)
            case 3:
                lines[row] = f"{chance.choice(('  - ', '', '    '))}{chance.choice(LINES)}"
                text = "\n".join(lines)
            case 4:
                other = chance.choice(CORPUS)
                text = text[:at] + other[chance.randrange(len(other) + 1) :][:300] + text[at:]
            case _:
                lines[row] = f"{chance.choice(PIECES)}{lines[row]}{chance.choice(PIECES)}"
                text = "\n".join(lines)
    return text


@pytest.mark.slow
def test_nothing_that_is_broken_breaks_it() -> None:
    usual = time.time_ns() if "FUZZ_SECONDS" in os.environ else 1
    seed = int(os.environ.get("FUZZ_SEED", usual))
    chance, until, tried = random.Random(seed), time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        text = broken(chance)
        count = text.count("\n") + 1
        try:
            for finding in judged(text).findings:
                assert 1 <= finding.line <= count, finding
                assert len(finding.message) <= LONGEST_MESSAGE + LONGEST_NAME, finding
                assert finding.message.isprintable(), finding
                for line in (finding.fix, finding.example):
                    assert line is None or "\n" not in line, finding
        except Exception as error:
            raise AssertionError(f"FUZZ_SEED={seed}, number {tried}: {error}\n{text!r}") from error
        tried += 1
    assert tried > 20 * SECONDS, f"only {tried}"
