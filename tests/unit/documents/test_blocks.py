"""Each fenced block of the documents is run or read here, or is in a table with the reason why not."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml

from service.cli.app import cli
from service.cli.doctor import examine, told
from service.config.private_key import KEY_FILE
from service.config.settings import Settings
from service.rules.commands.parsing import parse_commands
from service.rules.evidence.claims import Refused
from service.rules.evidence.upload import read_upload
from tests.harness.blocks import PAGES, Block, blocks, commands, shell
from tests.harness.places import ROOT
from tests.unit.rules.samples import judged

READ_ELSEWHERE = {
    ("docs/charter.md", "# bad"): "tests/unit/documents/test_reference.py",
    ("docs/charter.md", "# yaml-language-server"): "tests/unit/documents/test_action.py",
    ("docs/evidence-formats.md", "evidence:"): "tests/unit/evidence/test_documented_lines.py",
    ("docs/policy.md", "policy: 1"): "tests/unit/documents/test_policy_document.py",
}
"""Blocks of YAML by their page and their first words, and the test that reads them."""
NOT_READ = {
    "markdown": "texts of checks and of the demo, which test_reference.py and test_the_demo.py compare",
    "mermaid": "GitHub draws it",
    "conf": "PgBouncer's: `bench/pgbouncer.py` runs it",
}
NOT_RUN = {
    ".": "reads the settings of an installation",
    "createdb": "needs a PostgreSQL of one's own; tests/durability has one",
    "docker": "needs Docker; test_deploying.py checks the Compose file",
    "echo": "appends to .env",
    "export": "a setting of an installation",
    "gh": "needs an organisation on GitHub",
    "git": "needs the address of a repository, or a change to show",
    "install": "needs root; test_deploying.py checks the unit that it copies",
    "jq": "reads what GitHub Actions answers to curl",
    "kubectl": "needs a cluster; test_deploying.py checks the manifest",
    "mv": "moves the database of an installation",
    "pipx": "needs the address of a repository; test_light_package.py installs the wheel",
    "set": "exports the settings of an installation",
    "systemctl": "needs systemd; test_deploying.py checks the unit",
    "useradd": "needs root",
    "uv": "needs the address of a repository; test_light_package.py installs the wheel",
}
"""Programs that no test can run as the documents show them, and why."""
COMMENT = ""
"""The language of a block that is written as a comment on GitHub."""
SHELL = blocks("sh", "console")
COMMANDS = [(block, words) for block in SHELL for words in commands(block)]
GROUP = typer.main.get_command(cli)
TARGETS = dict(re.findall(r"^([a-z-]+):(.*)", (ROOT / "Makefile").read_text(), re.MULTILINE))
ENDPOINTS = set(re.findall(r"`(?:[A-Z]+ )?(/[^`]*)`", (ROOT / "docs" / "endpoints.md").read_text()))


def of(*programs: str) -> list[Any]:
    """The commands that begin with a program, by their place."""
    found = [(block, words) for block, words in COMMANDS if words[0].rpartition("/")[2] in programs]
    return [pytest.param(words, id=f"{block}-{' '.join(words)}") for block, words in found]


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_a_block_has_a_language_that_is_held(block: Block) -> None:
    held = {COMMENT, "sh", "console", "yaml", "json", "ini", "python", "text"}
    assert block.language in held | NOT_READ.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_block_is_left_out(page: Any) -> None:
    """A fence that isn't closed isn't found."""
    fences = len(re.findall(r"^ *`{3,}", page.read_text(), re.MULTILINE))
    shown = [block for block in blocks() if ROOT / block.page == page]
    assert fences == sum(2 + len(re.findall(r"^ *`{3,}", block.text, re.MULTILINE)) for block in shown)


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_a_shell_can_read_it(block: Block) -> None:
    done = subprocess.run(["sh", "-n"], input=shell(block), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_program_is_checked_here_or_named_with_the_reason() -> None:
    used = {words[0].rpartition("/")[2] or words[0] for _, words in COMMANDS}
    assert used - {"poc-governor", "make", "python", "curl"} == NOT_RUN.keys()


@pytest.mark.parametrize("words", of("poc-governor"))
def test_a_command_of_ours_takes_these_options(words: list[str]) -> None:
    assert isinstance(GROUP, typer.core.TyperGroup)
    GROUP.commands[words[1]].make_context(words[1], words[2:])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_command_of_ours_in_a_sentence_is_there(page: Any) -> None:
    assert isinstance(GROUP, typer.core.TyperGroup)
    for name, rest in re.findall(r"`poc-governor ([a-z-]+)\b([^`]*)`", page.read_text()):
        known = {option for parameter in GROUP.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", rest)) <= known | {"--help"}, f"{name}{rest}"


@pytest.mark.parametrize("words", of("make"))
def test_a_target_of_make_is_there(words: list[str]) -> None:
    named = [word for word in words[1:] if re.fullmatch(r"[a-z][a-z-]*", word)]
    assert named
    assert set(named) <= TARGETS.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_target_of_make_in_a_sentence_is_there_and_sets_up_what_it_needs(page: Any) -> None:
    for name in re.findall(r"`make ([a-z-]+)", page.read_text()):
        assert name in TARGETS
        assert name == "lint-deploy" or TARGETS[name].partition("##")[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_file_that_a_shell_reads_is_found_in_this_folder(page: Any) -> None:
    """Without a slash, `sh` and zsh look for it in PATH, and nowhere else."""
    assert re.findall(r"(?<![^\s`;])\. [^\s/;`]*env[^\s/;`]*(?=[\s;`])", page.read_text()) == []


@pytest.mark.parametrize("words", of("python"))
def test_a_module_is_there(words: list[str]) -> None:
    assert words[1] == "-m"
    assert ROOT.joinpath(*words[2].split(".")).with_suffix(".py").is_file()


@pytest.mark.parametrize("words", of("curl"))
def test_an_address_that_curl_asks_is_answered(words: list[str]) -> None:
    [asked] = [word for word in words if re.match(r"https?://|\$\w+URL\b", word)]
    if "ACTIONS_ID_TOKEN" not in asked:  # GitHub's own
        assert urlsplit(asked.replace("$PUBLIC_URL", "")).path in ENDPOINTS


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_a_file_of_ours_that_a_command_names_is_there(block: Block) -> None:
    named = re.findall(r"(?<![\w.])(?:/opt/poc-governor/)?((?:deploy|docs|tests)/[\w./-]+)", shell(block))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_read(block: Block) -> None:
    for (page, first), test in READ_ELSEWHERE.items():
        if block.page == page and block.text.startswith(first):
            assert (ROOT / test).is_file()
            return
    content = yaml.safe_load(block.text)
    if "jobs" in content:
        takes_the_inputs(content)
    elif "repos" in content:
        [hook] = content["repos"][0]["hooks"]
        assert hook["id"] in (ROOT / ".pre-commit-hooks.yaml").read_text()
        test_a_command_of_ours_takes_these_options(["poc-governor", "check", *hook["args"]])
    else:
        found = {finding.code for finding in judged(f"```yaml\npoc: 1\n{block.text}```\n").findings}
        assert found & {"unknown-key", "wrong-shape", "waived"} == set()


def takes_the_inputs(workflow: Any) -> None:
    """Each action of ours that a workflow uses has the inputs that it is given."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    ours = [step for step in steps if step.get("uses", "").startswith("<this repository>")]
    assert ours
    for step in ours:
        folder = step["uses"].partition("@")[0].removeprefix("<this repository>").strip("/")
        action = yaml.safe_load((ROOT / folder / "action.yml").read_text())
        assert step["with"].keys() <= action["inputs"].keys()


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_read(block: Block) -> None:
    content = json.loads(block.text)
    if "metrics" in content:
        assert not isinstance(read_upload(block.text.encode(), "support-staging"), Refused)


@pytest.mark.parametrize("block", blocks(COMMENT), ids=str)
def test_a_comment_is_of_commands(block: Block) -> None:
    written = block.text.splitlines()
    assert [command.text for command in parse_commands(block.text)] == written
    assert all(command.verb for command in parse_commands(block.text))


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_is_read(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", blocks("ini"), ids=str)
def test_settings_are_ours(block: Block) -> None:
    ours = {name.upper() for name in Settings.model_fields} | {KEY_FILE}
    assert {line.partition("=")[0] for line in block.text.splitlines()} <= ours


def test_what_doctor_says_without_settings(tmp_path: Path) -> None:
    [block] = blocks("text")
    lines: list[str] = []
    told(examine({"DATA_DIR": str(tmp_path)}), lines.append)
    said = "\n".join(lines) + "\n"
    assert said.replace(str(tmp_path), "/var/lib/poc-governor") == block.text
