"""The pre-commit hook and the GitHub Action: both run commands that exist, and trust no input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from service.__main__ import plain
from service.cli.app import cli
from tests.harness.places import CHARTERS, ROOT


def test_the_hook_runs_a_command_that_exists() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"]) == ("poc-charter", "python")
    program, command, *options = hook["entry"].split()
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert command in commands()
    assert options == []
    assert re.search(hook["files"], "POC.md")
    assert not re.search(hook["files"], "docs/examples/POC.md")


def commands() -> dict[str, set[str]]:
    group = typer.main.get_command(cli)
    assert isinstance(group, typer.core.TyperGroup)
    return {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in group.commands.items()
    }


def test_the_action_runs_what_exists_and_trusts_nobody() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert {"path", "as-of"} <= set(action["inputs"])
    assert action["runs"]["using"] == "composite"
    steps = action["runs"]["steps"]
    script = "\n".join(step["run"] for step in steps)
    assert all("uses" not in step or re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps)
    # An expression in a script would run what an input says.
    assert "${{" not in script
    assert all(step["shell"] == "bash" for step in steps)
    assert set(re.findall(r"--[a-z-]+", steps[1]["run"])) <= commands()["check"]
    given = {
        name
        for step in steps
        for value in step["env"].values()
        for name in re.findall(r"inputs\.([a-z-]+)", value)
    }
    assert given == set(action["inputs"])


@pytest.mark.parametrize("charter", ["ok/example.md", "err/several.md"])
def test_the_action_s_script_judges_the_charter(charter: str, tmp_path: Path) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    folder = tmp_path / "poc-governor" / "bin"
    folder.mkdir(parents=True)
    program = folder / "poc-governor"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m service.cli.app "$@"\n')
    program.chmod(0o755)
    given = {
        "RUNNER_TEMP": str(tmp_path),
        "CHARTER": str(CHARTERS / charter),
        "AS_OF": "2026-11-22",
        "BASE": "",
        "STRICT": "",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", action["runs"]["steps"][1]["run"]],
        env=os.environ | given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if charter.startswith("ok") else 1)
    assert done.stderr == ""
    assert ("::error file=" in done.stdout) is (done.returncode == 1)


def block(language: str, sign: str) -> str:
    """The block of docs/charter.md with a sign in it."""
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "docs" / "charter.md").read_text(), re.MULTILINE | re.DOTALL
    )
    [found] = [each for each in blocks if sign in each]
    return str(found)


def test_the_hook_takes_the_options_and_paths_of_the_document() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    [repository] = yaml.safe_load(block("yaml", "poc-charter"))["repos"]
    [used] = repository["hooks"]
    assert used["id"] == hook["id"]
    # As pre-commit puts it together: the entry, the arguments, the files.
    words = [*hook["entry"].split()[1:], *used["args"], "POC.md", "drafts/one.md"]
    assert plain(words)
    assert all(re.search(used["files"], path) for path in words[-2:])
    assert not re.search(used["files"], "docs/POC.md")


def test_the_problem_matcher_of_the_document_reads_what_is_printed() -> None:
    [task] = json.loads(block("json", "problemMatcher"))["tasks"]
    assert task["command"] == "poc-governor check"
    pattern = task["problemMatcher"]["pattern"]
    charter = CHARTERS / "err" / "several.md"
    command = [sys.executable, "-m", "service", "check", "--as-of=2026-11-22", str(charter)]
    text, machine = (
        subprocess.run([*command, *more], capture_output=True, text=True, check=False, cwd=ROOT).stdout
        for more in ((), ("--format=json",))
    )
    names = ("file", "line", "column", "severity", "message", "code")
    found = [
        tuple(match[pattern[name]] for name in names)
        for line in text.splitlines()
        if (match := re.search(pattern["regexp"], line))
    ]
    assert found == [
        (str(charter), *(str(finding[name]) for name in names[1:]))
        for finding in json.loads(machine)["findings"]
    ]
