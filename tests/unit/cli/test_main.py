"""The program's entry: what runs without Typer, and that it is the same as with it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

import pytest
import typer.main
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.__main__ import AS_OF, BASE, FORMAT, FORMATS, NOBODY_READS, STRICT, plain
from service.cli.app import cli
from service.cli.check_output import Format
from tests.harness.places import ROOT

GOOD, BAD = "tests/charters/ok/stopped-early.md", "tests/charters/err/several.md"
BY_TYPER = typer.main.get_command(cli)
WORDS = st.sampled_from(
    [
        *("POC.md", "a=b.md", "-", "", "--", "-x", "--help", "check", "schema", "--formatted", "--form", "é"),
        *("--format", "--format=json", "--format=", "text", "github", "xml", "Text"),
        *("--as-of", "--as-of=2026-11-22", "2026-11-22", "2026-1-2", "20261122", "2026-W47-7", "tomorrow"),
        *("--base", "--base=main", "--base=", "main", "-main", "--strict", "--strict=yes"),
    ]
)


def test_the_program_begins_here() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"poc-governor": "service.__main__:main"}


def test_the_options_and_formats_are_those_of_the_command() -> None:
    command = BY_TYPER.commands["check"]  # type: ignore[attr-defined]
    options = {name for param in command.params for name in param.opts if name.startswith("-")}
    assert options == {FORMAT, AS_OF, BASE, STRICT}
    assert tuple(Format) == FORMATS


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=6))
@example(["--format"])
@example(["--base", "--format=json"])
@example(["--", "-x"])
@example(["--strict", "--base", "--strict"])
@example(["--base", "main", "--strict", "POC.md", "--strict"])
@example(["--as-of", "2026-11-22", "POC.md", "--format", "json", "--format=github", "-"])
def test_plain_words_ask_for_what_they_ask_of_typer(words: list[str]) -> None:
    command = plain(["check", *words])
    if command is None:
        return
    asked: list[dict[str, Any]] = []

    def recorded(paths: list[str], **options: object) -> int:
        asked.append({"paths": [*paths], **options, "out": None})
        return 0

    with patch("service.cli.check.check", recorded):
        command()
        assert BY_TYPER.main(["check", *words], "poc-governor", standalone_mode=False) == 0
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([GOOD], id="a path"),
        pytest.param(["--as-of=2026-11-22", "--format", "json", GOOD, BAD, "-"], id="all of it"),
        pytest.param(["--base", "main", GOOD], id="a base"),
        pytest.param(["--strict", "--base", "main", GOOD], id="a base, strictly"),
        pytest.param([], id="nothing"),
    ],
)
def test_the_usual_words_are_plain(words: list[str]) -> None:
    assert plain(["check", *words])


def test_a_command_that_says_no_day_is_of_today() -> None:
    with patch("service.cli.check.check") as check:
        command = plain(["check"])
        assert command
        command()
    assert check.call_args.kwargs["today"] in (datetime.now(UTC).date(), date.today())  # noqa: DTZ011


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["check", GOOD], id="a good charter"),
        pytest.param(["check", "--as-of", "2026-11-22", BAD], id="a bad one"),
        pytest.param(["check", "--format", "json", GOOD, BAD, "nowhere.md"], id="no such file"),
        pytest.param(["check", "--base", "no-such-commit", GOOD], id="no such base"),
        pytest.param(["check", "--strict", GOOD], id="strict about nothing"),
        pytest.param(["schema"], id="the schema"),
        pytest.param(["check", "--format", "xml", GOOD], id="a format that is none"),
        pytest.param(["check", "--as-of", "tomorrow", GOOD], id="a day that is none"),
        pytest.param(["check", "--nothing"], id="an unknown option"),
        pytest.param(["fly"], id="an unknown command"),
    ],
)
def test_both_ways_in_answer_the_same(words: list[str]) -> None:
    plainly, typed = (program(module, *words) for module in ("service", "service.cli.app"))
    assert plainly.returncode == typed.returncode
    assert plainly.stdout == typed.stdout
    assert plainly.stderr.replace("-m service ", "-m service.cli.app ") == typed.stderr


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["schema", "--help"]], ids=" ".join)
def test_the_help_is_typers(words: list[str]) -> None:
    assert plain(words) is None
    shown = program("service", *words)
    assert shown.returncode == 0
    assert "Usage" in shown.stdout


@pytest.mark.parametrize("words", [["check", GOOD], ["schema"]], ids=" ".join)
def test_a_plain_command_imports_nothing_that_it_does_not_need(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv[1:] = {words}; from service.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    heavy = {
        "typer",
        "click",
        "rich",
        "pydantic",
        "subprocess",
        "service.cli.app",
        "service.cli.git",
        "service.config.settings",
    }
    assert not heavy & set(listed.stderr.split())


def test_a_reader_who_leaves_is_no_error_to_speak_of() -> None:
    command = [sys.executable, "-m", "service", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (NOBODY_READS, b"")


def program(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
        input="",
    )
