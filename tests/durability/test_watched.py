"""Watching a real `serve`: its metrics are those that are documented, and a normal stop logs no error."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.demo.emulator import Emulator, free_port
from tests.durability.conftest import push
from tests.harness.places import ROOT
from tests.harness.processes import PRODUCT, Serve, alive, environment, run, serving, working
from tests.harness.waiting import eventually
from tests.harness.webhooks import deliver

NOT_AT_ONCE = {
    "poc_governor_github_calls",
    "poc_governor_github_calls_remaining",
    "poc_governor_check_seconds",
    "poc_governor_last_backup_timestamp_seconds",
}
"""What is shown once there was a call, or a backup."""

TOKEN = "correct-horse-battery"

pytestmark = pytest.mark.slow  # each starts a whole `serve` with its PostgreSQL


def test_all_that_the_metrics_show_is_documented_and_most_of_it_is_there_at_once(
    emulator: Emulator, folder: Path
) -> None:
    with serving(folder / "log", environment(emulator, DATA_DIR=str(folder / "data"))) as serve:
        assert serve.deliver("push", push(1)) == 202
        assert deliver(serve.url, "push", push(2), secret="another").status_code == 401
        assert httpx.post(f"{serve.url}/api/v1/evidence", trust_env=False).status_code == 401
        eventually(serve.idle, "the delivery is processed")
        eventually(lambda: "poc_governor_looks_total{" in serve.metrics(), "a reconciliation is counted")
        shown = {family.name: family for family in text_string_to_metric_families(serve.metrics())}
    page = (ROOT / "docs" / "monitoring.md").read_text()
    documented = {
        name.removesuffix("_total")
        for name in re.findall(r"^\| `((?:poc_governor|process)_\w+)` \|", page, re.MULTILINE)
    }
    assert shown.keys() <= documented
    assert documented - shown.keys() <= NOT_AT_ONCE
    answers = {
        (sample.labels["event"], sample.labels["status"]): sample.value
        for sample in shown["poc_governor_deliveries"].samples
    }
    assert answers == {("push", "202"): 1, ("unknown", "401"): 1, ("unknown", "503"): 0}


def test_a_worker_apart_shows_what_it_counts_to_who_has_the_token(
    emulator: Emulator, database_url: str, folder: Path
) -> None:
    env, port = environment(emulator, DATABASE_URL=database_url), free_port()
    guarded = env | {"METRICS_TOKEN": TOKEN}
    command = (PRODUCT, "work", "--metrics-port", str(port))
    asked = partial(httpx.get, f"http://127.0.0.1:{port}/metrics", trust_env=False)

    def shown() -> str:
        return asked(headers={"Authorization": f"Bearer {TOKEN}"}).text

    with (
        serving(folder / "web.log", env, "--no-worker") as serve,
        working(folder / "work.log", guarded, *command) as worker,
    ):
        assert serve.deliver("push", push(1)) == 202
        eventually(lambda: "working" in worker.said, "it works")
        eventually(lambda: "poc_governor_looks_total{" in shown(), "it counts")
        assert "poc_governor_workers 1.0" in shown()
        assert "poc_governor_looks_total{" not in serve.metrics()
        assert asked().status_code == 401
        refused = run("work", guarded, "--metrics-port", str(port))
        assert refused.returncode == 1
        assert "address already in use" in refused.stderr
        assert worker.terminate() == 0
        assert "Traceback" not in worker.said


@pytest.fixture
def watched(emulator: Emulator, folder: Path) -> Iterator[Serve]:
    """A `serve` with JSON lines, whose worker works."""
    settings = {"DATA_DIR": str(folder / "data"), "LOG_FORMAT": "json", "WEB_PROCESSES": "1"}
    with serving(folder / "log", environment(emulator, **settings)) as serve:
        eventually(lambda: "working" in serve.said, "the worker works")
        assert serve.deliver("push", push(1)) == 202
        yield serve


def test_a_stop_by_a_supervisor_logs_no_error(watched: Serve) -> None:
    assert watched.terminate() == 0
    assert _errors(watched) == []


def test_ctrl_c_logs_no_error_although_the_worker_ends_before_the_web(watched: Serve) -> None:
    """A terminal stops all processes; the first one finishes an upload that is under way."""
    worker, address = watched.worker(), httpx.URL(watched.url)
    with socket.create_connection((address.host, address.port or 0)) as upload:
        upload.sendall(
            b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
            b"Expect: 100-continue\r\nX-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n\r\n"
        )
        assert b"100 Continue" in upload.recv(100)
        os.killpg(watched.pid, signal.SIGINT)
        eventually(lambda: not alive(worker), "the worker ended")
    eventually(lambda: not watched.running(), "it ended")
    assert watched.terminate() == 0
    assert _errors(watched) == []


def _errors(serve: Serve) -> list[str]:
    """Lines of the level `error`, and those that are not of the log at all, such as a traceback."""
    return [
        line
        for line in serve.said.splitlines()
        if not line.startswith("{") or json.loads(line)["level"] in ("error", "critical")
    ]
