"""`serve` with its worker and its PostgreSQL: what ends is started again, and all of it ends in order."""

from __future__ import annotations

import os
import re
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from service.demo.emulator import Emulator, free_port
from service.demo.person import Person
from service.work import NICENESS
from tests.durability.conftest import QUIET, push
from tests.harness.processes import Serve, alive, environment, kill, run, serving, working
from tests.harness.program import PROGRAM, SPAWNS
from tests.harness.waiting import eventually


@pytest.mark.slow
def test_a_worker_that_ends_is_started_again_whatever_its_exit_code(emulator: Emulator, folder: Path) -> None:
    with serving(folder / "log", environment(emulator, DATA_DIR=str(folder / "data"))) as serve:
        for times, number in enumerate((signal.SIGKILL, signal.SIGTERM), start=1):
            worker = serve.worker()
            eventually(partial(_worked, serve, times), "it works")
            kill(worker, number)
            eventually(partial(_replaced, serve, worker), "there is another worker")
            assert not alive(worker)
        assert serve.deliver("push", push(1)) == 202
        eventually(serve.idle, "the delivery is processed")
        assert "code=-9" in serve.said
        assert "code=0" in serve.said
        assert "Fatal Python error" not in serve.said

        eventually(
            lambda: 'poc_governor_looks_total{kind="repository"' in serve.metrics(), "looks are counted"
        )
        shown = serve.metrics()
        assert 'poc_governor_deliveries_total{event="push",status="202"} 1.0' in shown
        assert "process_resident_memory_bytes" in shown
        types = [line for line in shown.splitlines() if line.startswith("# TYPE")]
        assert len(types) == len(set(types))


def test_a_worker_leaves_the_processor_to_what_receives(emulator: Emulator, folder: Path) -> None:
    with serving(folder / "log", environment(emulator, DATA_DIR=str(folder / "data"))) as serve:
        worker, mine = serve.worker(), _niceness(serve.pid)
        eventually(lambda: _niceness(worker) == mine + NICENESS, "the worker is nice")
        assert _niceness(serve.postgres()) == mine


def test_who_forks_has_one_thread_and_its_memory_is_shared(emulator: Emulator, folder: Path) -> None:
    """A lock that another thread holds would stay locked in the fork."""
    with serving(folder / "log", environment(emulator, DATA_DIR=str(folder / "data"))) as serve:
        assert len(list(Path(f"/proc/{serve.pid}/task").iterdir())) == 1
        [shared] = re.findall(
            r"^Shared_Dirty: *(\d+) kB",
            Path(f"/proc/{serve.worker()}/smaps_rollup").read_text(),
            re.MULTILINE,
        )
        assert int(shared) > 40_000


@pytest.mark.slow
def test_where_nothing_can_be_forked_each_process_imports_for_itself(
    emulator: Emulator, folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"), LOG_FORMAT="json") | {SPAWNS: "1"}
    with serving(folder / "log", env, program=PROGRAM) as serve:
        eventually(lambda: "working" in serve.said, "the worker works")
        assert serve.deliver("push", push(1)) == 202
        eventually(serve.idle, "the delivery is processed")
        assert serve.terminate() == 0
        assert all(line.startswith("{") for line in serve.said.splitlines())


def _niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


@pytest.mark.slow
def test_postgresql_killed_and_back_while_web_and_worker_go_on(emulator: Emulator, folder: Path) -> None:
    with serving(folder / "log", environment(emulator, DATA_DIR=str(folder / "data"))) as serve:
        assert serve.deliver("push", push(0)) == 202
        eventually(serve.idle, "the first delivery is processed")
        web, worker, postgres = serve.pid, serve.worker(), serve.postgres()
        kill(postgres)
        answered = [serve.deliver("push", push(n), f"during-{n}") for n in range(1, 4)]
        assert set(answered) <= {202, 503}
        for n in range(1, 4):
            eventually(partial(_stored, serve, n), "it stores again")
        # Seconds as a rule; a job that was being taken when the server died is woken as a forgotten one.
        eventually(serve.idle, "what came meanwhile is processed")
        assert serve.deliver("push", push(4)) == 202
        eventually(serve.idle, "looks go on", within=10)
        assert serve.deliveries() == 5
        assert (serve.pid, serve.worker()) == (web, worker)
        assert serve.postgres() != postgres


@pytest.mark.slow
def test_sigterm_ends_web_worker_and_postgresql_in_order_and_a_restart_has_the_data(
    emulator: Emulator, folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"))
    temporary = folder / "temporary"
    temporary.mkdir()
    with serving(folder / "log", env | {"TMPDIR": str(temporary)}) as serve:
        parts = (serve.worker(), serve.postgres())
        eventually(lambda: "working" in serve.said, "the worker works")
        assert serve.deliver("push", push(1), "kept") == 202
        began = time.monotonic()
        assert serve.terminate() == 0
        assert time.monotonic() - began < 15
        assert [pid for pid in parts if alive(pid)] == []
        assert "Traceback" not in serve.said
        assert "Fatal Python error" not in serve.said
    assert not (folder / "data/postgresql-18/postmaster.pid").exists()
    assert list(temporary.iterdir()) == []

    with serving(folder / "log", env) as serve:
        assert serve.deliveries() == 1
        assert serve.deliver("push", push(1), "kept") == 202
        assert serve.deliveries() == 1
        eventually(serve.idle, "the delivery is processed")


@pytest.mark.slow
def test_a_second_serve_on_one_data_dir_is_refused_and_sweep_and_doctor_join(
    emulator: Emulator, jane: Person, folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"))
    with serving(folder / "log", env) as serve:
        second = run("serve", env, "--port", str(free_port()))
        assert second.returncode == 2
        [line] = second.stderr.splitlines()
        assert line.startswith(f"poc-governor: DATA_DIR {folder / 'data'} is in use by `poc-governor serve`")
        assert f"pid {serve.pid}" in line
        assert "DATABASE_URL" in line

        repository = jane.repo(QUIET)
        created = {"action": "created", "repository": repository}
        assert serve.deliver("installation", _installed(emulator)) == 202
        assert (
            serve.deliver("repository", created | {"installation": {"id": emulator.installation_id}}) == 202
        )
        eventually(serve.idle, "the installation was looked at")
        swept = run("sweep", env)
        assert swept.returncode == 0, swept.stderr
        assert f"installation:{emulator.installation_id}: " in swept.stdout
        assert f"repository:{repository['id']}: POC by" in swept.stdout

        said = run("doctor", env | {"PUBLIC_URL": serve.url})
        assert "ok     migrations: up to date" in said.stdout
        assert "1 running" in said.stdout
        last = "Nothing found to fix; see the lines marked `note`."
        assert (said.returncode, said.stdout.splitlines()[-1]) == (0, last), said.stdout
        assert serve.running()
        assert serve.ready()

    swept = run("sweep", env)
    assert swept.returncode == 0, swept.stderr
    assert f"installation:{emulator.installation_id}: " in swept.stdout
    said = run("doctor", env)
    assert "migrations: up to date" in said.stdout
    assert "the last was stored" in said.stdout
    assert not (folder / "data/postgresql-18/postmaster.pid").exists()


@pytest.mark.slow
def test_sweep_makes_a_database_where_there_never_was_one_and_doctor_does_not(
    emulator: Emulator, folder: Path
) -> None:
    env = environment(emulator, DATA_DIR=str(folder / "data"))
    said = run("doctor", env)
    assert "database: none yet in DATA_DIR" in said.stdout
    assert not (folder / "data").exists()
    swept = run("sweep", env)
    listed = "installation:8150: 0 repositories listed, 0 to look at\n"
    assert (swept.returncode, swept.stdout, swept.stderr) == (0, listed, "")


@pytest.mark.slow
def test_web_and_two_workers_apart_over_one_database(
    emulator: Emulator, database_url: str, folder: Path
) -> None:
    env = environment(emulator, DATABASE_URL=database_url, DATA_DIR=str(folder / "never made"))
    with (
        serving(folder / "web.log", env, "--no-worker") as serve,
        working(folder / "work-1.log", env) as one,
        working(folder / "work-2.log", env) as two,
    ):
        eventually(lambda: serve.health()["workers"] == 2, "two workers beat")
        for n in range(20):
            payload = push(n) | {"repository": {"id": n, "full_name": f"acme/poc-{n}"}}
            assert serve.deliver("push", payload) == 202
        eventually(serve.idle, "all are processed")
        assert [each.terminate() for each in (one, two)] == [0, 0]
        assert serve.ready()
        assert serve.deliver("push", push(99)) == 202
        assert serve.health()["dirty"] == 1
        assert serve.terminate() == 0
    assert not (folder / "never made").exists()


def test_a_port_in_use_ends_serve_with_a_clear_line_and_nothing_left(
    emulator: Emulator, folder: Path
) -> None:
    port = emulator.port
    refused = run(
        "serve", environment(emulator, DATA_DIR=str(folder / "data"), HOST="localhost"), "--port", str(port)
    )
    assert refused.returncode not in (0, 2)
    assert f"{port}" in refused.stderr
    assert "address already in use" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (folder / "data/postgresql-18/postmaster.pid").exists()


def test_a_key_that_cannot_be_made_ends_serve_with_a_clear_line(emulator: Emulator) -> None:
    logging_in = {
        "GITHUB_CLIENT_ID": "Iv23liABCDEF",
        "GITHUB_CLIENT_SECRET": "0123456789" * 4,
        "PUBLIC_URL": "https://governor.acme.test",
        "DATABASE_URL": "postgresql:///nobody_asks_it",
        "DATA_DIR": "/dev/null/data",
    }
    refused = run("serve", environment(emulator, **logging_in), "--port", "0")
    assert refused.returncode == 2
    assert "SECRET_KEY is not set, and /dev/null/data/secret-key can't be read" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_who_calls_while_serve_ends_is_refused(emulator: Emulator, folder: Path) -> None:
    with serving(folder / "log", environment(emulator, DATA_DIR=str(folder / "data"))) as serve:
        os.kill(serve.worker(), signal.SIGSTOP)  # so that all has to wait for it
        os.kill(serve.pid, signal.SIGTERM)
        eventually(lambda: serve.deliver("push", push(1)) == 0, "nobody listens")
        assert alive(serve.pid)
        os.kill(serve.worker(), signal.SIGCONT)


@pytest.mark.parametrize("command", ["serve", "work", "sweep"])
def test_missing_settings_are_named_a_line_each(command: str, emulator: Emulator, folder: Path) -> None:
    missing = ["GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "PUBLIC_URL"]
    given = environment(emulator, DATA_DIR=str(folder / "data"))
    refused = run(command, {name: value for name, value in given.items() if name not in missing})
    assert refused.returncode == 2
    lines = refused.stderr.splitlines()
    assert sorted(line.split()[1] for line in lines) == missing
    assert all(line.startswith("poc-governor: ") and "is not set" in line for line in lines)
    assert not (folder / "data").exists()


@pytest.mark.parametrize("command", ["serve", "work", "sweep"])
def test_without_any_setting_of_an_app_the_way_to_one_is_named(
    command: str, emulator: Emulator, folder: Path
) -> None:
    app = ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "PUBLIC_URL")
    given = environment(emulator, DATA_DIR=str(folder / "data"))
    refused = run(command, {name: value for name, value in given.items() if name not in app})
    assert refused.returncode == 2
    address, way = refused.stderr.splitlines()
    assert address.startswith("poc-governor: PUBLIC_URL is not set. ")
    assert (
        way == "poc-governor: no app is configured: run `poc-governor setup`, or open /setup of the service"
    )
    assert not (folder / "data").exists()


def test_every_malformed_setting_is_named_in_one_line(emulator: Emulator, folder: Path) -> None:
    malformed = {
        "GITHUB_APP_ID": "not-a-number",
        "GITHUB_APP_PRIVATE_KEY": "not a key",
        "PUBLIC_URL": "governor.acme.dev",
        "GITHUB_API_URL": "localhost",
        "PORT": "99999",
        "MODE": "strict",
        "DATABASE_URL": "mysql://localhost/x",
        "LOG_FORMAT": "xml",
    }
    refused = run("serve", environment(emulator, DATA_DIR=str(folder / "data")) | malformed)
    assert refused.returncode == 2
    lines = refused.stderr.splitlines()
    assert {line.split(": ")[1] for line in lines} == set(malformed)
    assert len(lines) == len(malformed)
    assert all(line.startswith("poc-governor: ") for line in lines)


def _worked(serve: Serve, times: int) -> bool:
    return serve.said.count("] working") == times


def _replaced(serve: Serve, worker: int) -> bool:
    return serve.worker() != worker


def _stored(serve: Serve, n: int) -> bool:
    return serve.deliver("push", push(n), f"during-{n}") == 202


def _installed(emulator: Emulator) -> dict[str, Any]:
    return {
        "action": "created",
        "installation": {
            "id": emulator.installation_id,
            "account": {"login": "acme", "type": "Organization"},
            "permissions": {"metadata": "read", "contents": "read", "checks": "write", "issues": "write"},
        },
        "repositories": [],
        "sender": {"login": "jane-doe", "type": "User"},
    }


@pytest.mark.slow
def test_the_helpers_know_a_serve_that_does_not_start(emulator: Emulator, folder: Path) -> None:
    with pytest.raises(AssertionError, match="MODE"):
        Serve(folder / "log", environment(emulator, MODE="none"))
