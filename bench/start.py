"""How long `serve` takes to be ready and what it takes up then, and how long a whole `check` takes beside it.

    python -m bench.start [--rounds 15]

`serve` is started on an existing DATA_DIR and has started when /readyz answers 200. Both are the installed
program, with their bytecode written, in alternation. Exits 1 if START, MEMORY or BUDGET is missed.
"""

from __future__ import annotations

import argparse
import http.client
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench import cpu
from bench.servers import START_TIMEOUT, environment, free_port, scratch, settings

START = 1.5
"""Seconds until `serve` is ready."""
MEMORY = 200.0
"""Megabytes of all its processes together, idle."""
IDLE = 5.0
"""Seconds after which it is."""
BUDGET = 0.1
"""Of the start of `serve`, for `check`."""
PROGRAM = str(Path(sys.executable).with_name("poc-governor"))
CHARTER = str(Path(__file__).parent.parent / "docs" / "examples" / "POC.md")
SHORT = {"check": ["check", "--as-of", "2026-11-22", CHARTER], "schema": ["schema"]}
PAUSE = 0.005


def main() -> int:
    """Measure, print, and say whether the budget holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    took: dict[str, list[float]] = {"serve": [], **{name: [] for name in SHORT}}
    with scratch() as folder:
        for number in range(rounds + 1):
            started, sizes = serve(folder, idle=IDLE if number == rounds else 0.0)
            ran = {name: whole(words) for name, words in SHORT.items()}
            if number:  # the first makes the DATA_DIR and the bytecode
                took["serve"].append(started)
                for name, seconds in ran.items():
                    took[name].append(seconds)
    middle = {name: median(times) for name, times in took.items()}
    for name, seconds in middle.items():
        print(f"{name:8}{seconds * 1e3:8.0f} ms{seconds / middle['serve']:8.3f} of `serve`")
    total = sum(sizes.values())
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sorted(sizes.items()))
    print(f"{total:.0f} MB idle: {parts}")
    holds = {
        f"`serve` ready in {START} s, medians of {rounds} rounds": middle["serve"] <= START,
        f"all of it idle in {MEMORY:.0f} MB": total <= MEMORY,
        f"`check` in {BUDGET} of `serve`": middle["check"] <= BUDGET * middle["serve"],
    }
    for what, held in holds.items():
        print(f"{what}: {'holds' if held else 'MISSED'}")
    return 0 if all(holds.values()) else 1


def serve(folder: Path, *, idle: float) -> tuple[float, Mapping[str, float]]:
    """The seconds from the start of `serve` until it is ready, and its memory `idle` seconds later."""
    port = free_port()
    env = settings(folder, port)
    with (folder / "service.log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen([PROGRAM, "serve"], env=env, stdout=log, stderr=log)
    try:
        while not is_ready(port):
            if process.poll() is not None or time.perf_counter() - began > START_TIMEOUT:
                raise SystemExit(f"`serve` did not start:\n{(folder / 'service.log').read_text()}")
            time.sleep(PAUSE)
        took = time.perf_counter() - began
        time.sleep(idle)
        return took, cpu.memory(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def is_ready(port: int) -> bool:
    """Whether deliveries can be stored; asked with little work, for the service shares the processor."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def whole(words: list[str]) -> float:
    """The seconds that a command takes as a process."""
    began = time.perf_counter()
    subprocess.run([PROGRAM, *words], env=environment(), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
