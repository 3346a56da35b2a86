"""The CPU time and the memory that a process and all that it started have taken, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _CUTIME = 1, 11, 13
"""Places in /proc/PID/stat, counted after the name."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it stood: its own time, and that of the children it has waited for."""

    pid: int
    parent: int
    user: float
    system: float
    name: str
    command: str


def seconds(root: int, without: frozenset[int] = frozenset()) -> dict[str, float]:
    """User and system time together, by what the processes are.

    Time of processes that have ended is with whoever waited for them. `without` leaves out single processes.
    """
    times: dict[str, float] = defaultdict(float)
    for process in _tree(root):
        if process.pid not in without:
            times[_kind(process)] += process.user + process.system
    return dict(times)


def memory(root: int) -> dict[str, float]:
    """Megabytes, by what the processes are; each page that several share is divided among them (PSS)."""
    sizes: dict[str, float] = defaultdict(float)
    for process in _tree(root):
        sizes[_kind(process)] += _pss(process.pid) / 1024
    return dict(sizes)


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it has ended
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _tree(root: int) -> Iterator[Process]:
    known = [found for path in Path("/proc").iterdir() if path.name.isdigit() and (found := _read(path))]
    children = defaultdict(list)
    for process in known:
        children[process.parent].append(process)
    waiting = [process for process in known if process.pid == root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children[process.pid]


def _read(path: Path) -> Process | None:
    try:
        stat = (path / "stat").read_text()
        command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None  # it has ended
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    user, system, waited_user, waited_system = (int(each) / _TICKS for each in fields[_UTIME : _CUTIME + 2])
    return Process(
        int(path.name), int(fields[_PPID]), user + waited_user, system + waited_system, name, command.strip()
    )


def _kind(process: Process) -> str:
    if process.name == "postgres" or "/bin/postgres" in process.command:
        return "postgres"
    if process.name == "governor worker":
        return "worker"
    return "web" if "service.cli" in process.command or "poc-governor serve" in process.command else "node"
