"""The light package: `check`, `init` and `schema` need its base only; other commands say what they need."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from service.cli.app import cli
from tests.harness.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LIGHT = ("check", "init", "schema")
CHARTER = str(ROOT / "docs" / "examples" / "POC.md")

WITHOUT = """\
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv[:] = {words}
from service.__main__ import main
main()
"""


def named(text: str) -> str:
    return re.sub(r"[-_.]+", "-", Requirement(text).name).lower()


def closure(wanted: list[str]) -> set[str]:
    """The distributions that these bring, with what those need."""
    found: set[str] = set()
    names = [named(text) for text in wanted]
    while names:
        if (name := names.pop()) not in found:
            found.add(name)
            needs = [Requirement(text) for text in requires(name) or ()]
            names += [named(str(need)) for need in needs if not need.marker or need.marker.evaluate()]
    return found


@pytest.fixture(scope="module")
def absent() -> set[str]:
    """The modules that only the extra brings, or the development tools."""
    light = closure(PROJECT["dependencies"]) | {"poc-governor"}
    return {
        module
        for module, distributions in packages_distributions().items()
        if not light & {named(each) for each in distributions}
    }


def run(absent: set[str], *words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    code = WITHOUT.format(absent=sorted(absent), words=["poc-governor", *words])
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=60,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("check", CHARTER),
        ("check", "--base", "HEAD", "--strict", "--format=json", CHARTER),
        ("check", "--help"),
        ("schema",),
        ("init", "--yes", "--owner", "jane-doe"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_a_light_command_needs_the_base_dependencies_only(
    words: tuple[str, ...], absent: set[str], tmp_path: Path
) -> None:
    assert {"fastapi", "sqlmodel", "github", "jinja2", "cryptography"} <= absent
    done = run(absent, *words, folder=tmp_path if words[0] == "init" else ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


HEAVY = [
    name
    for command in cli.registered_commands
    if command.callback and (name := command.name or command.callback.__name__) not in LIGHT
]
ASKED = {
    "record": ("acme/x",),
    "setup": ("--org", "acme", "--url", "https://governor.acme.dev"),
    "ruleset": ("--org", "acme"),
    "observe": ("--org", "acme"),
    "enforce": ("--org", "acme"),
    "backup": ("none.dump",),
    "restore": ("none.dump",),
    "move-database": ("--to", "postgresql://nowhere/none"),
}


def test_every_other_command_says_in_one_line_what_to_install(absent: set[str]) -> None:
    assert "serve" in HEAVY
    for command in HEAVY:
        done = run(absent, command, *ASKED.get(command, ()))
        assert re.fullmatch(
            r"poc-governor: this command needs `[a-z_]+`, which isn't installed: install "
            r"`poc-governor\[serve\]` in place of `poc-governor`, from where you took it\n",
            done.stderr,
        ), command
        assert (done.returncode, done.stdout) == (2, "")


def test_who_serves_installs_the_extra() -> None:
    bootstrap, image = ((ROOT / name).read_text() for name in (".ci/bootstrap", "Dockerfile"))
    assert "--extra serve" in bootstrap
    synced = [line for line in image.splitlines() if "uv sync" in line]
    assert len(synced) == 2
    assert all("--extra serve" in line for line in synced)
