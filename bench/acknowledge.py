"""Durable acknowledgements: our receiver against Probot's, alternating on one machine.

    python -m bench.acknowledge [--rounds 5] [--count 4000] [--connections 32]

Exits 1 where a budget is missed (RATE, P99, CPU), or a delivery that was answered 202 is not in the database.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench import cpu
from bench.bare_github import bare_github
from bench.client import Result
from bench.servers import Database, Server, ours, probot, scratch

RATE, P99, CPU = 1.0, 1.0, 1.0
"""Times Probot's: the rate at least, the others at most."""
WARM_UP = 1500
SETTLING = 0.5
"""Seconds that both get to finish what they do before their CPU is read."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run, and the CPU of all its processes until nothing was left to do."""

    result: Result
    cpu: Mapping[str, float]

    @property
    def cpu_ms(self) -> float:
        """CPU of a delivery, in milliseconds."""
        return sum(self.by_process.values())

    @property
    def by_process(self) -> Mapping[str, float]:
        """The same, by what the processes are."""
        count = sum(self.result.statuses.values())
        return {name: 1000 * seconds / count for name, seconds in self.cpu.items()}


@dataclass(frozen=True, slots=True)
class Pair:
    """One round: the same deliveries sent to both, one after the other."""

    ours: Run
    probot: Run


def main() -> int:
    """Measure, print, and say whether the budgets hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=4000, help="deliveries of a run")
    parser.add_argument("--connections", type=int, nargs="+", default=[32])
    parser.add_argument("--web-processes", help="in the place of the default")
    arguments = parser.parse_args()
    env = {"WEB_PROCESSES": arguments.web_processes} if arguments.web_processes else {}
    with ExitStack() as stack:
        folder, github = stack.enter_context(scratch()), stack.enter_context(bare_github())
        us, database = stack.enter_context(ours(folder, GITHUB_API_URL=github.url, **env))
        sides = Sides(us, database, stack.enter_context(probot(folder, LOG_LEVEL="error")))
        sides.ours(32, 0, WARM_UP)
        sides.probot(32, 0, WARM_UP)
        holds = [
            _compare(sides, connections, rounds=arguments.rounds, count=arguments.count)
            for connections in arguments.connections
        ]
        print(
            f"\n{database.deliveries()} deliveries answered 202, all in the database; "
            f"{database.looks()} subjects looked at, all clean; GitHub was asked {dict(github.calls)}"
        )
    return 0 if all(holds) else 1


@dataclass(frozen=True, slots=True)
class Sides:
    """The two servers, and the database of ours."""

    server: Server
    database: Database
    other: Server

    def pair(self, connections: int, seed: int, count: int, *, we_begin: bool) -> Pair:
        """One round."""
        if we_begin:
            mine = self.ours(connections, seed, count)
            return Pair(mine, self.probot(connections, seed, count))
        theirs = self.probot(connections, seed, count)
        return Pair(self.ours(connections, seed, count), theirs)

    def ours(self, connections: int, seed: int, count: int) -> Run:
        """A run on ours: every 202 must be a row, and the worker must come to an end."""
        before, stored = self._cpu(), self.database.deliveries()
        result = sent(self.server, connections, seed, count)
        if result.statuses != {"202": self.database.deliveries() - stored}:
            raise SystemExit(f"answers {result.statuses}, rows {self.database.deliveries() - stored}")
        drained = self.database.drained()
        time.sleep(SETTLING)
        run = Run(result, _difference(self._cpu(), before))
        parts = ", ".join(f"{name} {ms:.3f}" for name, ms in sorted(run.by_process.items()))
        _print("ours", [run], f"{parts}; drained after {drained:.1f} s")
        return run

    def probot(self, connections: int, seed: int, count: int) -> Run:
        """A run on Probot's."""
        before = cpu.seconds(self.other.pid)
        result = sent(self.other, connections, seed, count)
        time.sleep(SETTLING)
        run = Run(result, _difference(cpu.seconds(self.other.pid), before))
        _print("Probot", [run], "")
        return run

    def _cpu(self) -> Mapping[str, float]:
        return cpu.seconds(self.server.pid, without=frozenset({self.database.backend}))


def _compare(sides: Sides, connections: int, *, rounds: int, count: int) -> bool:
    print(f"\n{connections} connections, {count} deliveries a run")
    print(f"{'':8}{'acks/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}{'CPU ms':>8}{'client':>8}")
    # Who begins changes, so that neither always runs on the warmer machine.
    pairs = [
        sides.pair(connections, 100 * connections + number, count, we_begin=number % 2 == 0)
        for number in range(rounds)
    ]
    print(f"medians of {rounds} rounds:")
    _print("ours", [pair.ours for pair in pairs], "")
    _print("Probot", [pair.probot for pair in pairs], "")
    rate = median(pair.ours.result.rate / pair.probot.result.rate for pair in pairs)
    p99 = median(pair.ours.result.p99 / pair.probot.result.p99 for pair in pairs)
    took = median(pair.ours.cpu_ms / pair.probot.cpu_ms for pair in pairs)
    holds = rate >= RATE and p99 <= P99 and took <= CPU
    print(
        f"ours / Probot: rate {rate:.2f} (at least {RATE}), p99 {p99:.2f} (at most {P99}), CPU a delivery "
        f"{took:.2f} (at most {CPU}): {'holds' if holds else 'MISSED'}"
    )
    return holds


def _print(name: str, runs: Sequence[Run], more: str) -> None:
    fields = ("rate", "p50", "p99", "slowest")
    rate, p50, p99, slowest = (median(getattr(run.result, field) for run in runs) for field in fields)
    took, client = median(run.cpu_ms for run in runs), median(run.result.client_cpu for run in runs)
    print(
        f"{name:8}{rate:8.0f}{p50:8.1f}{p99:8.1f}{slowest:8.1f}{took:8.3f}{client:8.0%}   {more}",
        flush=True,
    )


def sent(server: Server, connections: int, seed: int, count: int) -> Result:
    """Send deliveries to a server, in a process of their own."""
    command = [sys.executable, "-m", "bench.client", str(server.port), server.path]
    command += [str(connections), str(seed), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result = Result(**json.loads(done.stdout))
    if set(result.statuses) - {"200", "202"}:
        raise SystemExit(f"{server.name} answered {result.statuses}")
    return result


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> Mapping[str, float]:
    return {name: after[name] - before.get(name, 0.0) for name in after}


if __name__ == "__main__":
    sys.exit(main())
