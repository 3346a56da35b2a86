"""The CPU of a steady `pull_request.synchronize`: our service against a Probot app, alternating in one run.

    python -m bench.look [--rounds 5] [--count 120] [--in-flight 8] [--only cpu|count]

Exits 1 if the service takes more than BUDGET times Probot's CPU, if its check runs are visible later than
Probot's, one event at a time, or if an event takes more statements, sessions or GitHub calls than its budget.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import counted
from bench.counted import statements
from bench.github import GitHub, github
from bench.proxy import Call
from bench.servers import probot, scratch, serving
from bench.sides import Ours, Run, Side, service_settings

BUDGET = 2.0
"""Times Probot's CPU."""
STATEMENTS, SESSIONS, CALLS = 40, 8, 3
REPOSITORIES = 20
"""So many that no two events under way are of one, whose looks at the repository would be one look."""
IDLE = 15.0
THROTTLED = 6
"""Events with Octokit's throttle on: each takes two seconds."""
ALONE = 20


def main() -> int:
    """Measure, print, and say whether the budgets hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=120, help="pull requests, each with one event a run")
    parser.add_argument("--in-flight", type=int, default=8, help="events under way at a time")
    parser.add_argument("--only", choices=("cpu", "count"), help="measure the CPU only, or only count")
    arguments = parser.parse_args()
    holds = True
    with scratch() as folder, github() as hub:
        hub.found(REPOSITORIES, -(-arguments.count // REPOSITORIES))
        if arguments.only != "count":
            holds &= compare(folder, hub, arguments)
        if arguments.only != "cpu":
            holds &= count(folder, hub, first=arguments.only == "count")
    return 0 if holds else 1


def compare(folder: Path, hub: GitHub, arguments: argparse.Namespace) -> bool:
    """Run both in alternation, and print what they took."""
    its = {
        "APP_ID": str(hub.emulator.app_id),
        "PRIVATE_KEY": hub.emulator.private_key,
        "WEBHOOK_SECRET": hub.emulator.webhook_secret,
        "API_URL": hub.api_url,
    }
    with ExitStack() as stack:
        server, url = stack.enter_context(serving(folder, service_settings(folder, hub)))
        us = Ours(server, hub, url)
        them = Side(stack.enter_context(probot(folder, "look.js", PACE="off", **its)), hub)
        us.register()
        sides: tuple[Side, Side] = (us, them)
        for side in sides:
            side.run(hub.move(arguments.count), arguments.in_flight)
        print(
            f"{arguments.count} events a run, each of another pull request, {arguments.in_flight} at a time"
        )
        print(
            f"{'':14}{'CPU s':>8}{'CPU ms':>8}{'wall ms':>9}{'p50 ms':>8}{'calls':>7}  ms, calls: per event"
        )
        pairs = []
        for number in range(arguments.rounds):
            bodies = hub.move(arguments.count)
            # Who begins changes, so that neither always runs on the warmer machine.
            order = sides if number % 2 == 0 else (them, us)
            runs = {side.server.name: side.run(bodies, arguments.in_flight) for side in order}
            for name in ("ours", "Probot"):
                _print(name, runs[name])
            pairs.append((runs["ours"], runs["Probot"]))
        print("one at a time:")
        bodies = hub.move(min(ALONE, arguments.count))
        alone = {side.server.name: side.run(bodies, 1) for side in sides}
        for name, run in alone.items():
            _print(name, run)
        throttled = stack.enter_context(probot(folder, "look.js", **its))
        print(f"Probot with Octokit's throttle, as it comes, {THROTTLED} events:")
        _print("Probot", Side(throttled, hub).run(hub.move(THROTTLED), arguments.in_flight))
        shares = [f"{side.server.name} {side.idle(IDLE):.1%}" for side in sides]
        print(f"idle, of one core: {', '.join(shares)} (in the figures above, not taken off)")
    parts: Counter[str] = Counter()
    for ours, _ in pairs:
        parts.update(ours.cpu)
    whole = sum(parts.values())
    print(
        "ours, of the CPU: " + ", ".join(f"{name} {part / whole:.0%}" for name, part in parts.most_common())
    )
    print("ours, calls: " + _calls([call for ours, _ in pairs for call in ours.calls]))
    ratio = median(ours.cpu_ms / theirs.cpu_ms for ours, theirs in pairs)
    visible = {name: 1000 * median(run.latencies) for name, run in alone.items()}
    holds = ratio <= BUDGET and visible["ours"] <= visible["Probot"]
    mine, theirs = (median(pair[side].cpu_ms for pair in pairs) for side in (0, 1))
    print(
        f"ours / Probot: {ratio:.2f} times the CPU (at most {BUDGET}; {mine:.1f} and {theirs:.1f} ms, "
        f"medians of {arguments.rounds} rounds); one at a time, visible after {visible['ours']:.0f} ms (at "
        f"most Probot's {visible['Probot']:.0f}): {'holds' if holds else 'MISSED'}"
    )
    return holds


def count(folder: Path, hub: GitHub, *, first: bool) -> bool:
    """Count the statements, sessions and GitHub calls of one steady event; the first to run registers."""
    env = service_settings(folder, hub) | counted.environment(folder)
    with serving(folder, env) as (server, url):
        us = Ours(server, hub, url)
        if first:
            us.register()
        for setting in ("log_statement = 'all'", "log_line_prefix = '%p '", "log_parameter_max_length = 0"):
            us.database.execute(f"ALTER SYSTEM SET {setting}".encode())
        us.database.execute("SELECT pg_reload_conf()")
        us.run(hub.move(ALONE), 1)
        log = folder / "data" / "postgresql.log"
        before, checkouts = log.stat().st_size, len(counted.checkouts(env))
        time.sleep(IDLE)
        idle = statements(log, before)
        pooled = counted.checkouts(env)[checkouts:]
        print(
            f"\nidle for {IDLE:.0f} s: {sum(idle.values())} statements ({_kinds(idle)}), "
            f"{len(pooled)} checkouts"
        )
        events = [_one(us, log, env) for _ in range(ALONE)]
    names = sorted({name for found, _, _ in events for name in found})
    print(f"one steady event, from its delivery to the end of its job, medians of {ALONE}:")
    total = median(sum(found.values()) for found, _, _ in events)
    for name in names:
        print(f"  {name:24}{median(found[name] for found, _, _ in events):6.0f}")
    print(f"  {'statements in all':24}{total:6.0f}   (at most {STATEMENTS})")
    sessions = median(len(pooled) for _, pooled, _ in events)
    of_service = median(pooled.count("service") for _, pooled, _ in events)
    print(
        f"  {'sessions':24}{of_service:6.0f}   (at most {SESSIONS}; checkouts from a pool, "
        f"and {sessions - of_service:.0f} of Procrastinate's)"
    )
    calls = median(len(made) for _, _, made in events)
    print(f"  {'GitHub calls':24}{calls:6.0f}   (at most {CALLS}: {_calls(events[-1][2])})")
    holds = total <= STATEMENTS and of_service <= SESSIONS and calls <= CALLS
    print("holds" if holds else "MISSED")
    return holds


def _one(us: Ours, log: Path, env: dict[str, str]) -> tuple[Counter[str], list[str], list[Call]]:
    bodies = us.hub.move(1)
    begin, checkouts = log.stat().st_size, len(counted.checkouts(env))
    run = us.run(bodies, 1)
    return statements(log, begin), counted.checkouts(env)[checkouts:], list(run.calls)


def _kinds(found: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.most_common())


def _print(name: str, run: Run) -> None:
    print(
        f"{name:14}{sum(run.cpu.values()):8.2f}{run.cpu_ms:8.1f}{1000 * run.wall / run.count:9.1f}"
        f"{1000 * median(run.latencies):8.0f}{run.calls_each:7.2f}",
        flush=True,
    )


def _calls(calls: Sequence[Call]) -> str:
    made = Counter(f"{call.method} …/{_place(call.path)}" for call in calls)
    return ", ".join(f"{number} {what}" for what, number in made.most_common())


def _place(path: str) -> str:
    return "/".join(path.partition("?")[0].split("/")[4:]) or path


if __name__ == "__main__":
    sys.exit(main())
