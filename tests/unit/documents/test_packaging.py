"""What stands beside the package: image, deployment, manifest, make targets."""

from __future__ import annotations

import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.demo.emulator import EVENTS, PERMISSIONS
from tests.harness.places import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = [
    line.split(maxsplit=1) for line in DOCKERFILE.replace("\\\n", " ").splitlines() if line[:1].isupper()
]


def of_kind(kind: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == kind]


def copied_from_here() -> list[str]:
    copies = [shlex.split(rest) for rest in of_kind("COPY")]
    return [
        word for words in copies if "--from=builder" not in words for word in words[:-1] if word[:2] != "--"
    ]


def test_the_image_copies_what_exists_and_the_context_lets_it_through() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert [name for name in copied_from_here() if not (ROOT / name).exists()] == []
    assert set(copied_from_here()) == allowed
    assert {"service", "templates"} <= allowed


def test_the_image_and_the_checkout_use_the_same_uv() -> None:
    bootstrap = (ROOT / ".ci" / "bootstrap").read_text()
    [line] = [line for line in bootstrap.splitlines() if line.startswith("UV_VERSION=")]
    assert f"uv=={line.partition('=')[2]}" in DOCKERFILE


def test_the_image_serves_by_default_on_the_port_that_fly_calls() -> None:
    fly = tomllib.loads((ROOT / "fly.toml").read_text())
    assert of_kind("CMD") == ['["serve"]']
    assert of_kind("VOLUME") == ["/data"]
    assert fly["http_service"]["internal_port"] == int(of_kind("EXPOSE")[0]) == int(fly["env"]["PORT"])
    assert fly["env"]["DATA_DIR"] == "/data"


class Healthz(BaseHTTPRequestHandler):
    """Answers one path with one status."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("first_process", "status", "expected"),
    [
        ("python\0poc-governor\0serve\0", 200, 0),
        ("python\0poc-governor\0serve\0", 503, 1),
        ("python\0poc-governor\0serve\0", None, 1),
        ("python\0poc-governor\0work\0", None, 0),
    ],
    ids=["serving", "serving but failing", "not listening", "a worker answers no HTTP"],
)
def test_the_health_check(tmp_path: Path, first_process: str, status: int | None, expected: int) -> None:
    process = tmp_path / "cmdline"
    process.write_text(first_process)
    _, _, command = of_kind("HEALTHCHECK")[0].partition(" CMD ")
    program = [sys.executable, *json.loads(command)[1:]]
    program[-1] = program[-1].replace("/proc/1/cmdline", str(process))
    with HTTPServer(("127.0.0.1", 0), type("Answer", (Healthz,), {"status": status})) as server:
        if status is None:
            server.socket.close()
        thread = threading.Thread(target=server.handle_request if status else lambda: None)
        thread.start()
        environment = os.environ | {"PORT": str(server.server_port)}
        done = subprocess.run(program, env=environment, check=False, timeout=30, capture_output=True)
        thread.join()
    assert done.returncode == expected


def test_fly_runs_one_group_on_one_volume_and_never_sleeps() -> None:
    text = (ROOT / "fly.toml").read_text()
    fly = tomllib.loads(text)
    assert fly["processes"] == {"serve": "serve"}
    assert (fly["mounts"]["destination"], fly["mounts"]["processes"]) == ("/data", ["serve"])
    assert fly["http_service"]["auto_stop_machines"] == "off"
    assert not (ROOT / fly["build"]["dockerfile"]).is_dir()
    start = text.index("# [processes]")
    commented = text[start : text.index("\n\n", start)].replace("# ", "", 1).replace("\n#", "\n")
    assert tomllib.loads(commented)["processes"] == {"serve": "serve --no-worker", "work": "work"}


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "app-manifest.yml").read_text())
    return loaded


def test_the_manifest_is_one_that_github_takes() -> None:
    found = manifest()
    assert len(found["name"]) <= 34
    assert found["public"] is False
    assert found["hook_attributes"]["url"] == f"{found['url']}/webhooks/github"
    assert not {"installation", "installation_repositories"} & set(found["default_events"])


def test_the_emulated_app_is_the_one_of_the_manifest() -> None:
    assert manifest()["default_permissions"] == PERMISSIONS
    assert sorted(manifest()["default_events"]) == sorted(EVENTS)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[-4:] == ["make lint", "make test", "make test-slow", "make test-browser"]
    assert "set -euo pipefail" in commands


def test_the_three_test_commands_run_every_test_once() -> None:
    """Two take what is marked for them, the first all that is not; no test has both marks."""
    commands = {
        target: subprocess.run(
            ["make", "-C", str(ROOT), "-n", "-o", ".venv/.ready", target, "ARGS=-k charter"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
        for target in ("test", "test-slow", "test-browser")
    }
    assert {
        target: re.findall(r"-m (.*) -k charter$", said, re.MULTILINE) for target, said in commands.items()
    } == {
        "test": ['"not slow and not browser"'],
        "test-slow": ["slow"],
        "test-browser": ["browser"],
    }


@pytest.fixture
def volume() -> Iterator[Path]:
    """A folder that other users may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="poc-governor-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def entrypoint(volume: Path) -> dict[str, str]:
    """An environment in which poc-governor reports who runs it, where, and with what."""
    bin_folder = volume / "bin"
    bin_folder.mkdir()
    program = bin_folder / "poc-governor"
    program.write_text('#!/bin/sh\necho "$(id -un) $HOME $*"\ntouch "$DATA_DIR/old/written"\n')
    program.chmod(0o755)
    (volume / "data" / "old").mkdir(parents=True)
    return {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "DATA_DIR": str(volume / "data"),
        "HOME": "/elsewhere",
    }


def run_entrypoint(environment: dict[str, str], *args: str) -> str:
    command = ["sh", str(ROOT / "docker-entrypoint.sh"), *args]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_as_root_the_entrypoint_hands_over_the_volume_and_drops_its_rights(
    entrypoint: dict[str, str], volume: Path
) -> None:
    nobody = pwd.getpwnam("nobody")
    assert run_entrypoint(entrypoint | {"SERVICE_USER": "nobody"}, "serve", "--no-worker") == (
        f"nobody {nobody.pw_dir} serve --no-worker"
    )
    assert (volume / "data").stat().st_uid == nobody.pw_uid
    assert (volume / "data" / "old" / "written").stat().st_uid == nobody.pw_uid


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user")
def test_as_an_ordinary_user_the_entrypoint_just_starts_the_service(entrypoint: dict[str, str]) -> None:
    assert run_entrypoint(entrypoint, "work").endswith("/elsewhere work")


def test_make_alone_lists_the_targets() -> None:
    done = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True, timeout=30)
    assert "make demo" in done.stdout
    assert "make test" in done.stdout
