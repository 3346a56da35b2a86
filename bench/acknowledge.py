"""Durable acknowledgements a second: our receiver against Probot's, alternating on one machine.

    python -m bench.acknowledge [--rounds 5] [--count 4000] [--connections 32 100]

Exits 1 where the budget (BUDGET) is missed, or a delivery that was answered 202 is not in the database.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from bench.client import Result
from bench.servers import Database, Server, ours, probot, scratch

BUDGET = 1.0
"""Of Probot's rate, for now; 1.5 comes later, with a p99 that is not above Probot's."""
WARM_UP = 1500


@dataclass(frozen=True, slots=True)
class Pair:
    """One round: the same deliveries sent to both, one after the other."""

    ours: Result
    probot: Result


def main() -> int:
    """Measure, print, and say whether the budget holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=4000, help="deliveries of a run")
    parser.add_argument("--connections", type=int, nargs="+", default=[32, 100])
    arguments = parser.parse_args()
    with scratch() as folder, ours(folder) as (us, database), probot(folder, LOG_LEVEL="error") as them:
        _ours(us, database, 32, 1, WARM_UP)
        _send(them, 32, 1, WARM_UP)
        holds = [
            _compare((us, them, database), connections, rounds=arguments.rounds, count=arguments.count)
            for connections in arguments.connections
        ]
        print(
            f"\n{database.deliveries()} deliveries answered 202, all in the database; "
            f"{database.looks()} subjects looked at, all clean"
        )
    return 0 if all(holds) else 1


def _compare(servers: tuple[Server, Server, Database], connections: int, *, rounds: int, count: int) -> bool:
    us, them, database = servers
    print(f"\n{connections} connections, {count} deliveries a run")
    print(f"{'':8}{'acks/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}{'client':>8}")
    pairs = []
    for number in range(rounds):
        seed = 1000 * connections + number
        # Who begins changes, so that neither always runs on the warmer machine.
        if number % 2:
            theirs = _send(them, connections, seed, count)
            pairs.append(Pair(_ours(us, database, connections, seed, count), theirs))
        else:
            mine = _ours(us, database, connections, seed, count)
            pairs.append(Pair(mine, _send(them, connections, seed, count)))
    for name, results in (("ours", [p.ours for p in pairs]), ("Probot", [p.probot for p in pairs])):
        rate, p50, p99 = (median(getattr(r, field) for r in results) for field in ("rate", "p50", "p99"))
        print(f"{name:8}{rate:8.0f}{p50:8.1f}{p99:8.1f}   medians of {rounds} rounds")
    rate = median(pair.ours.rate / pair.probot.rate for pair in pairs)
    p99 = median(pair.ours.p99 / pair.probot.p99 for pair in pairs)
    holds = rate >= BUDGET
    print(
        f"ours / Probot: rate {rate:.2f} (at least {BUDGET}), p99 {p99:.2f}: {'holds' if holds else 'MISSED'}"
    )
    return holds


def _ours(server: Server, database: Database, connections: int, seed: int, count: int) -> Result:
    """A run on ours: every 202 must be a row, and the worker must come to an end."""
    before = database.deliveries()
    result = _send(server, connections, seed, count)
    if result.statuses != {"202": database.deliveries() - before}:
        raise SystemExit(f"answers {result.statuses}, rows {database.deliveries() - before}")
    if (seconds := database.drained()) > 1:
        print(f"        (drained after {seconds:.1f} s)")
    return result


def _send(server: Server, connections: int, seed: int, count: int) -> Result:
    command = [sys.executable, "-m", "bench.client", str(server.port), server.path]
    command += [str(connections), str(seed), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result = Result(**json.loads(done.stdout))
    if set(result.statuses) - {"200", "202"}:
        raise SystemExit(f"{server.name} answered {result.statuses}")
    print(
        f"{server.name:8}{result.rate:8.0f}{result.p50:8.1f}{result.p99:8.1f}{result.slowest:8.1f}"
        f"{result.client_cpu:8.0%}",
        flush=True,
    )
    return result


if __name__ == "__main__":
    sys.exit(main())
