"""The service's own commands with short waits: `python -m tests.harness.program serve`.

What the processes do is the product's; only a worker's `Waits` are others. Three variables are read here and
nowhere in the product: `HARNESS_PACE`, the seconds between two writes that people are notified of, and
`HARNESS_UNTOUCHED`, the seconds after which a forgotten subject is woken. Without the second it is the
product's, which is longer than a test waits: a wake-up that got lost must not go unnoticed. A third,
`HARNESS_DEADLINE`, is the seconds that a request has to arrive. With a fourth,
`HARNESS_SPAWNS`, processes are started as on macOS.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from service import processes
from service.cli.app import _examine, cli
from service.cli.environment import completed, counting_in_files, opened_database, with_or_without_app

if TYPE_CHECKING:
    from service.config.settings import Settings
    from service.services import Waits

PROGRAM = "tests.harness.program"
PACE, UNTOUCHED, DEADLINE = "HARNESS_PACE", "HARNESS_UNTOUCHED", "HARNESS_DEADLINE"
SPAWNS = "HARNESS_SPAWNS"
ROOT = Path(__file__).parents[2]


def quick(environment: Mapping[str, str]) -> Waits:
    """Waits for tests: retries are not spread, and what a timer wakes is seen at once."""
    from service.rules.queue import Pace
    from service.services import Waits  # not before the folder of the counters is known, as in the product

    pace = float(environment.get(PACE, "0.05"))
    waits = Waits(
        poll=0.1,
        answer=6,
        pace=Pace(apart=timedelta(seconds=pace), margin=timedelta(seconds=2 * pace)),
        jitter=_no_jitter,
    )
    if UNTOUCHED in environment:
        untouched = timedelta(seconds=float(environment[UNTOUCHED]))
        waits = replace(waits, untouched=untouched, wake="* * * * * *")
    return waits


def _no_jitter() -> float:
    return 0.0


def _serve(port: str = "", *options: str) -> None:
    """As the command does."""
    settings = with_or_without_app({"PORT": port} if port else {})
    if SPAWNS in os.environ:
        processes.CONTEXT = multiprocessing.get_context("spawn")
    with counting_in_files():
        from service.serve import serve
        from service.web.bodies import Limits

        limits = Limits(seconds=float(os.environ.get(DEADLINE, "10")))
        serve(
            settings,
            worker=None if "--no-worker" in options else _worker,
            limits=limits,
            examine=_examine,
        )


def _work() -> None:
    """As the command does."""
    given = with_or_without_app()
    run = _worker()
    with opened_database(given, "work", may_make=True) as url:
        run(completed(given, url, wait=True), url)


def _worker() -> Callable[[Settings, str], None]:
    from service.wiring import run_worker

    return partial(run_worker, waits=quick(os.environ))


def main(words: list[str]) -> None:
    """Serve and work are run here; every other command is the product's own."""
    match words:
        case ["serve", "--port", port, *options]:
            _serve(port, *options)
        case ["serve", *options]:
            _serve("", *options)
        case ["work"]:
            _work()
        case _:
            cli(words)


if __name__ == "__main__":
    main(sys.argv[1:])
