"""Several processes of the web on one port: each may be killed, and all of them end with their parent."""

from __future__ import annotations

import signal
import socket
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from service.demo.emulator import Emulator
from tests.durability.conftest import push
from tests.harness.processes import Process, Serve, alive, children, environment, kill, serving
from tests.harness.waiting import eventually
from tests.harness.webhooks import deliver

pytestmark = pytest.mark.slow


def accepting(serve: Serve, number: int) -> list[int]:
    """The pids of so many processes of the web, once they accept."""

    def found() -> list[int]:
        pids = children(serve.pid, "governor web")
        return pids if len(pids) == number and all(_started(pid) for pid in pids) else []

    return eventually(found, f"{number} processes of the web accept")


def _started(pid: int) -> bool:
    """Whether it accepts from the socket that it was given: its event loop watches it."""
    with suppress(OSError):
        return any("eventpoll" in str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_deliveries_are_stored_whichever_process_answers_and_counted_once(
    emulator: Emulator, folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"), WEB_PROCESSES="3")
    with serving(folder / "log", env) as serve:
        pids = accepting(serve, 3)
        # With the others stopped, the one that is left must answer.
        for n, answering in enumerate(pids):
            others = [pid for pid in pids if pid != answering]
            for pid in others:
                kill(pid, signal.SIGSTOP)
            try:
                assert _deliver_anew(serve, n) == 202
            finally:
                for pid in others:
                    kill(pid, signal.SIGCONT)
        assert serve.deliveries() == 3
        shown = [_metrics_anew(serve) for _ in range(12)]
        assert all('poc_governor_deliveries_total{event="push",status="202"} 3.0' in text for text in shown)
        lines = {line for text in shown for line in text.splitlines()}
        began = [line for line in lines if line.startswith("process_start_time_seconds ")]
        assert len(began) == 1


def test_a_process_that_is_killed_is_started_again_and_the_port_answers_meanwhile(
    emulator: Emulator, folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"), WEB_PROCESSES="2")
    with serving(folder / "log", env) as serve:
        for number in (signal.SIGKILL, signal.SIGTERM):
            pid = accepting(serve, 2)[0]
            kill(pid, number)
            eventually(partial(_gone, pid), "it ended")
            assert all(_deliver_anew(serve, n) == 202 for n in range(5))
        assert "process=web" in serve.said
        assert serve.deliveries() == 10


def test_the_only_process_that_is_killed_is_started_again_and_the_port_waits_for_it(
    emulator: Emulator, folder: Path
) -> None:
    with serving(folder / "log", environment(emulator, DATA_DIR=str(folder / "data"))) as serve:
        worker, [pid] = serve.worker(), accepting(serve, 1)
        kill(pid)
        eventually(partial(_gone, pid), "it ended")
        assert _deliver_anew(serve, 1) == 202
        assert accepting(serve, 1) != [pid]
        assert (serve.worker(), serve.deliveries()) == (worker, 1)


def test_killing_their_parent_ends_all_and_the_port_serves_again_at_once(
    emulator: Emulator, folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"), WEB_PROCESSES="2")
    with serving(folder / "log", env) as serve:
        parts = [*accepting(serve, 2), serve.worker(), serve.postgres()]
        port = httpx.URL(serve.url).port
        assert _deliver_anew(serve, 1) == 202
        serve.kill()
        eventually(lambda: not any(map(alive, parts)), "all its processes ended", within=5)
        again = Process(folder / "again.log", env, "service.cli.app", "serve", "--port", str(port))
        try:
            eventually(partial(_ready, serve.url), f"it serves again; it said {again.said}")
            assert serve.deliveries() == 1
        finally:
            assert again.terminate() == 0


def test_sigterm_ends_all_processes_in_order(emulator: Emulator, folder: Path) -> None:
    temporary = folder / "temporary"
    temporary.mkdir()
    env = environment(emulator, DATA_DIR=str(folder / "data"), WEB_PROCESSES="2", TMPDIR=str(temporary))
    with serving(folder / "log", env) as serve:
        pids = accepting(serve, 2)
        port = httpx.URL(serve.url).port
        assert serve.terminate() == 0
        assert not any(map(alive, pids))
        assert "Traceback" not in serve.said
        assert "starting it again" not in serve.said
    assert list(temporary.iterdir()) == []
    with closing(socket.create_server(("127.0.0.1", port or 0))):
        pass


def _gone(pid: int) -> bool:
    return not alive(pid)


def _ready(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    return False


def _deliver_anew(serve: Serve, n: int) -> int:
    """Deliver over a connection of its own, which any process may accept."""
    return deliver(serve.url, "push", push(n)).status_code


def _metrics_anew(serve: Serve) -> str:
    return httpx.get(f"{serve.url}/metrics", trust_env=False, timeout=20).text
