"""Processes that are kept: functions that end, hang or are killed, below a process of the test's own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.places import ROOT
from tests.harness.processes import alive, inherited
from tests.harness.waiting import eventually

BEGIN = """
import os, signal, sys
from service import processes
from service.parent import end_with_parent
from service.processes import Processes

processes.FIRST_WAIT, processes.LONGEST_WAIT, processes.GLANCE, processes.GRACE = 0.01, 0.05, 0.01, 0.1

def fails():
    sys.exit(3)

def lasts():
    end_with_parent()
    os.write(1, f"{os.getpid()}\\n".encode())  # at once: others write too
    while True:
        signal.pause()

def is_deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lasts()

"""


@contextmanager
def running(code: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A process that keeps the functions above."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code],
        cwd=ROOT,
        env=inherited() | env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


KEEPS_ONE = """
with Processes(None) as kept:
    kept.keep("one", lasts)
    sys.exit(kept.see_to())
"""
KEEPS_SOME = """
with Processes(None) as kept:
    for number in range(3):
        kept.keep(str(number), lasts)
    sys.exit(kept.see_to())
"""


def test_what_fails_at_once_is_started_again_after_growing_waits() -> None:
    with running('with Processes(None) as kept: kept.keep("one", fails); kept.see_to()') as process:
        said = [_line(process) for _ in range(4)]
    assert [float(re.findall(r"wait=\S*?([\d.]+)", line)[0]) for line in said] == [0.02, 0.04, 0.05, 0.05]
    assert all("process=one" in line and "code=3" in line for line in said)


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name
)
def test_what_is_ended_by_a_signal_is_started_again(number: signal.Signals) -> None:
    with running(KEEPS_ONE) as process:
        first = int(_line(process))
        os.kill(first, number)
        assert "ended, starting it again" in _line(process)
        assert int(_line(process)) != first


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_all_end_in_order(number: signal.Signals) -> None:
    with running(KEEPS_SOME) as process:
        pids = [int(_line(process)) for _ in range(3)]
        os.kill(process.pid, number)
        assert process.wait(20) == 0
        assert not any(map(alive, pids))
        assert _line(process) == ""


def test_what_does_not_end_in_time_is_killed() -> None:
    with running(KEEPS_ONE.replace("lasts", "is_deaf")) as process:
        pid = int(_line(process))
        process.terminate()
        assert process.wait(20) == 0
        assert not alive(pid)


def test_all_end_when_their_parent_is_killed_also_those_that_were_started_again() -> None:
    with running(KEEPS_SOME) as process:
        pids = [int(_line(process)) for _ in range(3)]
        os.kill(pids[0], signal.SIGKILL)
        assert "ended, starting it again" in _line(process)
        pids.append(int(_line(process)))
        process.kill()
        eventually(lambda: not any(map(alive, pids)), "all have ended")


@pytest.mark.parametrize("stopped", range(3))
def test_all_end_when_their_parent_is_killed_while_one_of_them_hangs(stopped: int) -> None:
    with running(KEEPS_SOME) as process:
        pids = [int(_line(process)) for _ in range(3)]
        os.kill(pids[stopped], signal.SIGSTOP)
        process.kill()
        try:
            eventually(
                lambda: not any(alive(pid) for pid in pids if pid != pids[stopped]), "the others ended"
            )
            if sys.platform == "linux":
                eventually(lambda: not alive(pids[stopped]), "the one that hung ended too")
        finally:
            if alive(pids[stopped]):
                os.kill(pids[stopped], signal.SIGKILL)


ORPHAN = """
import time

def is_late():
    while os.getppid() == parent:
        time.sleep(0.01)
    lasts()

parent = os.getpid()
with Processes(None) as kept:
    kept.keep("one", is_late)
    print(kept._processes[0].running.pid, flush=True)
    kept.see_to()
"""


def test_what_begins_after_its_parent_was_killed_ends_at_once() -> None:
    with running(ORPHAN) as process:
        pid = int(_line(process))
        process.kill()
        eventually(lambda: not alive(pid), "it has ended")


def test_it_ends_with_a_parent_that_holds_its_standard_input_open() -> None:
    with running(KEEPS_ONE, POC_GOVERNOR_SUPERVISED="1") as process:
        pid = int(_line(process))
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
        assert not alive(pid)


KEEPS_ONE_THAT_ENDS = """
def ends():
    if os.path.exists(os.environ["KILLED"]):
        sys.exit(4)
    open(os.environ["KILLED"], "x").close()
    os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    signal.pause()

with Processes(None) as kept:
    sys.exit(kept.see_to(kept.keep("one", ends, once=True)))
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, "-9"), (signal.SIGTERM, "143"), (signal.SIGINT, "130")]
)
def test_what_runs_once_is_started_again_only_if_a_signal_ended_it(
    tmp_path: Path, number: signal.Signals, code: str
) -> None:
    known = {"KILLED": str(tmp_path / "killed"), "SIGNAL": str(int(number))}
    with running(KEEPS_ONE_THAT_ENDS, **known) as process:
        assert process.wait(20) == 4
        assert f"code={code}" in _line(process)
        assert _line(process) == ""


REFUSED_ONCE = """
known = processes.Process.start
def start(self):
    if self._again._due is None and self.refused:
        processes.Process.refused = False
        raise BlockingIOError(11, "Resource temporarily unavailable")
    known(self)

processes.Process.refused = False
processes.Process.start = start
with Processes(None) as kept:
    kept.keep("one", lasts)
    processes.Process.refused = True
    sys.exit(kept.see_to())
"""


def test_a_process_that_the_system_refuses_is_tried_again() -> None:
    with running(REFUSED_ONCE) as process:
        os.kill(int(_line(process)), signal.SIGKILL)
        said = [_line(process) for _ in range(2)]
        assert ["ended, starting it again" in said[0], "process does not start" in said[1]] == [True, True]
        assert alive(int(_line(process)))
