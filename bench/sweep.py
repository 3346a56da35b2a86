"""What a day without any event costs: the calls and the CPU of each hourly sweep.

    python -m bench.sweep [--pocs 120] [--repositories 1200] [--hours 24]

Every POC has a charter that all have signed, every second one an open pull request. GitHub is within this
process and counts its calls; the clock is the bench's own. Exits 1 if an hour takes more calls than its
budget, or the median hour more CPU for each POC.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean, median

import structlog

from bench import cpu
from service.sweep import mark_due
from service.worker import reconcile_while_dirty
from tests.harness.charters import CHARTER, SIGNERS
from tests.harness.database import serving
from tests.harness.deliveries import described
from tests.harness.github import PAGE, repository
from tests.harness.world import BASE, HEAD, INSTALLATION, World

SPARE_CALLS = 5
"""Of a sweep, beside one for each hundred repositories."""
UNEVEN, FEW = 1.5, 3
"""How far an hour may exceed its share of the daily listings: chance plays a part in a small organisation."""
CPU_MS = 1.0
"""For each POC in the median hour, beside the daily looks."""
LISTING = "open_pull_requests"
DAILY = (LISTING, "permission", "is_suspended", "environments", "existing_paths", "account_ids")
"""What is asked once a day of each POC: its open pull requests, and what its charter names."""


class Organisation(World):
    """POCs among other repositories; once it is found, nothing happens in it."""

    def found(self, pocs: int, repositories: int) -> None:
        """Register the POCs with their charters, signatures and pull requests; the others are known."""
        made = [repository(number, f"acme/poc-{number}") for number in range(1, pocs + 1)]
        for each in made:
            self.github.add(each).write(CHARTER, BASE, HEAD, "main")
        self.install(*made)
        for each in made:
            for number, login in enumerate(SIGNERS):
                self.deliver(
                    "issue_comment",
                    action="created",
                    comment={
                        "id": each.id * len(SIGNERS) + number,
                        "created_at": self.now.isoformat(),
                        "body": "/poc sign",
                        "user": {"login": login},
                    },
                    issue={"id": 1, "number": 1, "updated_at": self.now.isoformat()},
                    repository=described(each),
                    sender={"login": login},
                )
            if each.id % 2:
                self.pull_request(repository=each)
        self.work()
        numbers = range(pocs + 1, repositories + 1)
        others = [repository(number, f"acme/other-{number}", topics=["not-a-poc"]) for number in numbers]
        for begin in range(0, len(others), PAGE):
            self.services.store.repositories.listed(INSTALLATION, others[begin : begin + PAGE])
        for each in others:
            self.github.add(each)

    def sweep_once(self) -> Hour:
        """The hourly sweep, and what it marked."""
        self.github.forget_calls()
        self.app.described.clear()
        of_pocs = ("repository:", "pull_request:")
        began = _seconds()
        keys = mark_due(self.services)
        for key in (key for key in keys if not key.startswith(of_pocs)):
            reconcile_while_dirty(self.services, key)
        own = _seconds() - began
        for key in (key for key in keys if key.startswith(of_pocs)):
            reconcile_while_dirty(self.services, key)
        looked = _seconds() - began - own
        calls = Counter(call.method for call in self.github.calls)
        calls["describe"] += len(self.app.described)
        calls["installation_ids"] += 1
        looks = sum(key.startswith(of_pocs) for key in keys)
        return Hour(self.now.hour, looks, calls, own, looked)


def _seconds() -> float:
    """The CPU of this process, and of PostgreSQL below it as the system counts it, in hundredths."""
    its = cpu.seconds(os.getpid()).get("postgres", 0.0)
    return time.process_time() + its


@dataclass(frozen=True, slots=True)
class Hour:
    """A sweep: how many POCs and pull requests it looked at, its calls, and its seconds of CPU."""

    hour: int
    looks: int
    calls: Counter[str]
    own: float
    """For finding what is due, and for the organisation itself."""
    looked: float
    """For the POCs and pull requests that were due."""

    @property
    def own_calls(self) -> int:
        """Its calls without what is asked once a day."""
        return sum(number for method, number in self.calls.items() if method not in DAILY)

    @property
    def asked(self) -> int:
        """What is asked once a day, but for the listings."""
        return sum(self.calls[method] for method in DAILY if method != LISTING)


def main() -> int:
    """Measure, print, and say whether the budget holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pocs", type=int, default=120)
    parser.add_argument("--repositories", type=int, default=1200)
    parser.add_argument("--hours", type=int, default=24)
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with serving() as server, server.database() as url:
        world = Organisation(url)
        world.found(arguments.pocs, arguments.repositories)
        hours = list(_hours(world, arguments.hours))
        world.shut_down()
    return 0 if report(hours, arguments.pocs, arguments.repositories) else 1


def _hours(world: Organisation, count: int) -> Iterator[Hour]:
    """Let all of it settle for a few sweeps, then measure."""
    for _ in range(3):
        world.now += timedelta(hours=1)
        world.sweep_once()
    for _ in range(count):
        world.now += timedelta(hours=1)
        yield world.sweep_once()


def report(hours: Sequence[Hour], pocs: int, repositories: int) -> bool:
    """Print each hour, and whether the budgets hold."""
    print(f"{pocs} POCs among {repositories} repositories\n")
    print(f"{'':39}CPU, ms a POC")
    print(f"{'hour':>4}{'looks':>7}{'calls':>7}{'listings':>10}{'asked':>7}{'own':>10}{'looks':>8}")
    for each in hours:
        listed, own_ms, looked_ms = each.calls[LISTING], 1000 * each.own / pocs, 1000 * each.looked / pocs
        print(
            f"{each.hour:4}{each.looks:7}{each.own_calls:7}{listed:10}{each.asked:7}{own_ms:10.2f}{looked_ms:8.2f}"
        )
    own_cpu = median(1000 * each.own / pocs for each in hours)
    of_looks = sorted(1000 * each.looked / pocs for each in hours)
    a_look = 1000 * sum(each.looked for each in hours) / max(1, sum(each.looks for each in hours))
    most_calls = repositories / PAGE + SPARE_CALLS
    most_listed = pocs / 24 * UNEVEN + FEW
    own, listed = max(each.own_calls for each in hours), max(each.calls[LISTING] for each in hours)
    print(
        f"\ncalls of an hour: {own} (at most {most_calls:.0f}), "
        f"with {listed} listings (at most {most_listed:.0f}, {pocs / 24:.0f} if all hours had as many)\n"
        f"CPU, ms a POC: {own_cpu:.2f} its own in the median hour (at most {CPU_MS}); its looks "
        f"{median(of_looks):.2f} in the median hour, {of_looks[-1]:.2f} when a day begins, "
        f"{fmean(of_looks):.2f} on the average; {a_look:.1f} ms a look"
    )
    holds = own <= most_calls and listed <= most_listed and own_cpu <= CPU_MS
    print("holds" if holds else "MISSED")
    return holds


if __name__ == "__main__":
    sys.exit(main())
