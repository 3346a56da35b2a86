"""The action `evidence`: it sends a file with the job's token, and says what was wrong with it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from service.web.evidence import PROBLEMS
from tests.harness.evidence import GOOD, Api
from tests.harness.issuer import DISCOVERY, MINT, SHA, Issuer

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "evidence" / "action.yml").read_text())
[STEP] = ACTION["runs"]["steps"]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("send", ROOT / "evidence" / "send.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def given(api: Api, file: Path, **changes: str) -> dict[str, str]:
    """The environment of the action's step on a runner."""
    return {
        "ACTION": str(ROOT / "evidence"),
        "PYTHON": sys.executable,
        "SERVICE": str(api.http.base_url),
        "EVIDENCE": str(file),
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{api.issuer.url}{MINT}",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret of the job",
    } | changes


async def run(api: Api, file: Path, **changes: str) -> tuple[int, str]:
    def step() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", STEP["run"]],
            env=os.environ | given(api, file, **changes),
            capture_output=True,
            text=True,
            check=False,
        )

    done = await asyncio.to_thread(step)
    assert done.stderr == ""
    return done.returncode, done.stdout


def written(folder: Path, body: object) -> Path:
    file = folder / "evidence.json"
    file.write_text(json.dumps(body))
    return file


@pytest.mark.asyncio
async def test_it_sends_the_file_with_a_token_for_the_service_alone(api: Api, tmp_path: Path) -> None:
    code, said = await run(api, written(tmp_path, GOOD), SERVICE=f"{api.http.base_url}/")
    assert (code, said) == (0, f"::notice title=POC evidence::1 values recorded for {SHA[:7]}.\n")
    assert api.rows("metric, value") == [("latency_p95", "212.4")]
    [minted] = [path for path in api.issuer.asked if path.startswith(MINT)]
    assert minted == f"{MINT}&audience={quote(str(api.http.base_url).rstrip('/'), safe='')}"


@pytest.mark.asyncio
async def test_it_names_each_place_that_is_wrong(api: Api, tmp_path: Path) -> None:
    wrong = {"metrics": {"accuracy": {"value": "93 %"}, "latency_p95": {"value": 1, "unit": "msec"}}}
    file = written(tmp_path, wrong)
    code, said = await run(api, file)
    assert code == 1
    first, second = said.splitlines()
    assert first.startswith(f"::error file={file},title=POC evidence::/metrics/accuracy/value: ")
    assert second.endswith("/metrics/latency_p95/unit: `msec` isn't a unit here. Write `ms`.")
    assert api.stored() == {}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "Add `permissions: id-token: write` to the job"),
        ({"EVIDENCE": "nowhere.json"}, "`nowhere.json` can't be read: no such file or directory."),
        ({"SERVICE": "governor.example.com"}, "`service` isn't an address."),
        ({"SERVICE": "file:///etc/passwd"}, "`service` isn't an address."),
    ],
)
async def test_what_is_in_the_way(api: Api, tmp_path: Path, changes: dict[str, str], says: str) -> None:
    code, said = await run(api, written(tmp_path, GOOD), **changes)
    assert code == 1
    assert said.startswith("::error title=POC evidence::")
    assert says in said
    assert len(said.splitlines()) == 1


@pytest.mark.asyncio
async def test_it_tries_again_with_a_new_token_each_time(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send = script()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            api.issuer.answers = {}
        api.clock.seconds += seconds + 1

    monkeypatch.setattr(send.time, "sleep", sleep)
    api.issuer.answers = {"/.well-known/jwks": (500, b"")}
    environment = given(api, written(tmp_path, GOOD))
    assert await asyncio.to_thread(send.main, environment) == 0
    assert waited == [5, 20]
    assert len([path for path in api.issuer.asked if path.startswith(MINT)]) == 3
    assert "Trying again in 20 s." in capsys.readouterr().out
    assert len(api.rows("id")) == 1


@pytest.mark.asyncio
async def test_it_gives_up_where_nobody_answers(
    api: Api,
    tmp_path: Path,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    send = script()
    monkeypatch.setattr(send.time, "sleep", lambda _: None)
    environment = given(api, written(tmp_path, GOOD), SERVICE=f"http://127.0.0.1:{unused_tcp_port}")
    assert await asyncio.to_thread(send.main, environment) == 1
    assert "can't be reached" in capsys.readouterr().out.splitlines()[-1]


def test_a_message_cannot_begin_another_command() -> None:
    said = script().command("error", "100 %\n::warning::x\r", "a,b:c")
    assert said == "::error file=a%2Cb%3Ac,title=POC evidence::100 %25%0A::warning::x%0D"


def test_no_redirect_is_followed_with_the_token(issuer: Issuer) -> None:
    issuer.answers = {"/here": (302, f"{issuer.url}{DISCOVERY}".encode())}
    status, _ = script().call(f"{issuer.url}/here", "secret")
    assert (status, issuer.asked) == (302, ["/here"])


def test_the_action_trusts_nobody() -> None:
    assert "${{" not in STEP["run"]
    assert (ACTION["runs"]["using"], STEP["shell"]) == ("composite", "bash")
    used = {name for value in STEP["env"].values() for name in re.findall(r"inputs\.([a-z-]+)", value)}
    assert used == set(ACTION["inputs"])


def test_the_example_workflow_has_ten_lines_and_what_the_action_asks_for() -> None:
    text = (ROOT / "docs" / "examples" / "workflows" / "evidence.yml").read_text()
    workflow: dict[str, Any] = yaml.safe_load(text)
    assert len(text.splitlines()) == 10
    assert workflow["permissions"]["id-token"] == "write"
    *_, send = workflow["jobs"]["measure"]["steps"]
    assert "/evidence@" in send["uses"]
    needed = {name for name, one in ACTION["inputs"].items() if one.get("required")}
    assert needed <= set(send["with"]) <= set(ACTION["inputs"])
    assert text.rstrip() in (ROOT / "docs" / "evidence.md").read_text()


@pytest.mark.parametrize("problem", sorted(PROBLEMS))
def test_every_problem_is_documented_with_its_status(problem: str) -> None:
    documented = (ROOT / "docs" / "evidence.md").read_text()
    assert f"| `{problem}` | {PROBLEMS[problem][0]} |" in documented
