"""How long judging takes: the example, 100 000 random mutations of good charters, and inputs meant to hurt.

    python -m bench.charter [MUTATIONS]

Exits 1 where a finding stands on no line of its file, or a budget is missed.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from service.rules.checks.judge import judge
from service.rules.source.text import CharterFile, FileKind

TODAY = date(2026, 11, 22)
GOOD = Path(__file__).parent.parent / "tests" / "charters" / "ok"
MUTATIONS = 100_000
MEDIAN_BUDGET, SLOWEST_BUDGET = 0.002, 0.010
REPEATS = 500
MIB = 1 << 20
PIECES = (
    "\t", "- ", ": ", "'", '"', "{", "[", "]", "}", "&a ", "*a ", "!!x ", "# ", "```", "---", "\n",
    "\r", "\u2028",
    "\ufeff", "poc:", "@", "`", "%", "|", ">", "? ", "\0", "é", "~", ",", "k", "9" * 40, "$", "..",
    "[*]", " of ",
    " with n >= 9", " on x", " at 5 req/s", " over 7 d", " for eu", "<=", "≥", "TODO", "“", "-0", "/", "n/a",
)  # fmt: skip


def forget() -> None:
    """Empty every cache of the rules: a file that was judged before costs nothing."""
    for function in CACHED:
        function.cache_clear()


def cached() -> list[Any]:
    """The functions of the rules that remember what they were asked."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("service.rules.")]
    found = {
        id(each): each for module in modules for each in vars(module).values() if hasattr(each, "cache_clear")
    }
    return list(found.values())


CACHED = cached()


def timed(data: bytes) -> float:
    """The seconds that judging takes; stops the run where a finding stands outside of the file."""
    file = CharterFile(FileKind.FILE, data)
    forget()
    start = time.process_time()
    judgement = judge(file, today=TODAY)
    took = time.process_time() - start
    last = data.count(b"\n") + 1
    outside = [finding for finding in judgement.findings if not 1 <= finding.line <= last]
    if outside:
        sys.exit(f"a finding on no line of the file: {outside[0]}\n{data!r}")
    return took


def best_of(data: bytes, times: int) -> float:
    """The shortest of several runs: what the code takes, not what the machine was busy with."""
    return min(timed(data) for _ in range(times))


def mutated(rng: random.Random, good: list[str]) -> bytes:
    """A good charter with one to four slips."""
    text = rng.choice(good)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        end = at + rng.choice((0, 0, 1, 3, 20))
        piece = rng.choice(
            (rng.choice(PIECES), "", text[slice(*sorted(rng.choices(range(len(text)), k=2)))][:400])
        )
        text = f"{text[:at]}{piece}{text[end:]}"
    return text.encode()


def hostile() -> Iterator[tuple[str, bytes]]:
    """Files that are made to take long."""
    head, tail = b"```yaml\npoc: 1\n", b"\n```\n"
    bad = (
        b"  - latency about 200 ms, 1,000 k ~3 between \xe2\x80\x9cx\xe2\x80\x9d => at at at on on for over 3"
    )
    sources = (f"  m{at}: a/b.json mean of $" + ".a['b'][?@.k=='x']" * 12 for at in range(60))
    yield "1 MiB of fence lines", b"poc:\n" + b"```\n" * (MIB // 4 - 9)
    yield "1 MiB of yaml fences", b"poc:\n" + b"```yaml\n```\n" * (MIB // 12 - 9)
    yield "1 MiB of line ends", b"poc:" + b"\n" * (MIB - 9)
    yield "1 MiB in one line", head + b"a" * (MIB - 99) + tail
    yield "1 MiB of `poc:`", b"poc:\n" * (MIB // 5 - 9)
    yield "900 unknown keys", head + b"\n".join(b"ownr%d: x" % at for at in range(900)) + tail
    yield "900 empty items", head + b"done:\n" + b"  -\n" * 900 + tail
    yield "900 lines of `done`", head + b"done:\n" + b"  - x fast\n" * 900 + tail
    yield "100 bad lines", head + b"done:\n" + b"\n".join([bad] * 100) + tail
    yield "long bad lines", head + b"done:\n" + b"\n".join([b"  - " + b"a " * 145] * 50) + tail
    yield "lines of spaces", head + b"done:\n" + b"\n".join([b"  - a <= 3 " + b" " * 280 + b"x"] * 50) + tail
    yield "lines of digits", head + b"done:\n" + b"\n".join([b"  - a <= " + b"1," * 140] * 50) + tail
    yield "60 long sources", head + b"evidence:\n" + "\n".join(sources).encode() + tail
    yield "900 sources", head + b"evidence:\n" + b"\n".join(b"  m%d: a" % at for at in range(900)) + tail
    yield "3000 brackets", head + b"[" * 3000 + tail
    yield "quotes never closed", head + b"a: 'x\n" * 2000 + tail
    yield "invisible characters", head + b"\x01 \x02\n" * 4000 + tail
    yield "tabs", head + b"a: b\t\tc\n" * 1500 + tail
    yield "marks of lists", b"poc:\n" + (b"- " * 4000 + b"<x\n") * 100
    yield "comments", b"<!--\n" * 100_000 + head + tail


def main(mutations: int) -> int:
    """Measure, print, and say whether the budgets hold."""
    good = [path.read_text(encoding="utf-8") for path in sorted(GOOD.glob("*.md"))]
    example = (GOOD / "example.md").read_bytes()
    median = statistics.median(timed(example) for _ in range(REPEATS))
    print(f"example charter     {median * 1e3:8.2f} ms at the median of {REPEATS}")
    worst = ("", 0.0)
    for name, data in hostile():
        took = best_of(data, 5)
        worst = max(worst, (name, took), key=lambda each: each[1])
        print(f"{name:<20}{took * 1e3:8.2f} ms")
    rng = random.Random(20261122)
    times: list[float] = []
    slowest = 0.0
    gc.disable()
    for count in range(mutations):
        data = mutated(rng, good)
        took = timed(data)
        if took > slowest:
            took = min(took, best_of(data, 3))
        slowest = max(slowest, took)
        times.append(took)
        if count % 1000 == 0:
            gc.collect()
    middle = statistics.median(times) if times else 0.0
    print(f"{mutations} mutations {slowest * 1e3:8.2f} ms the slowest, {middle * 1e3:.2f} ms at the median")
    print("every finding on a line of its file")
    kept = median < MEDIAN_BUDGET and max(slowest, worst[1]) < SLOWEST_BUDGET
    print("within the budgets" if kept else f"over budget; slowest input meant to hurt: {worst[0]}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MUTATIONS))
