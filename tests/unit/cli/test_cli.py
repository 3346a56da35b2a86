"""The commands: exit codes, messages, and what they import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import doctor
from service.cli.app import cli
from service.cli.doctor import Line, Mark
from tests.harness.database import Server
from tests.harness.places import CHARTERS
from tests.harness.settings import NEEDED

SETTINGS = ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "PUBLIC_URL")


def run(*words: str, **environment: str) -> Result:
    """Run a command with these settings and no others."""
    none = dict.fromkeys([*SETTINGS, "GITHUB_APP_PRIVATE_KEY_FILE", "GITHUB_API_URL", "DATABASE_URL"])
    return CliRunner().invoke(cli, list(words), env=none | environment)


@pytest.mark.parametrize("command", ["serve", "work", "sweep"])
def test_a_half_configured_app_is_refused_with_a_line_for_each_setting(command: str) -> None:
    result = run(command, GITHUB_APP_ID="4711")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["poc-governor:", "GITHUB_APP_PRIVATE_KEY"],
        ["poc-governor:", "PUBLIC_URL"],
        ["poc-governor:", "GITHUB_WEBHOOK_SECRET"],
    ]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(
            ["check", str(CHARTERS / "ok" / "example.md")], 0, "charter complete", id="a good charter"
        ),
        pytest.param(
            ["check", "--as-of", "2026-11-22", str(CHARTERS / "err" / "several.md")],
            1,
            "3 errors",
            id="a bad one",
        ),
        pytest.param(
            ["check", "nowhere.md"], 2, "'nowhere.md': No such file or directory", id="no such file"
        ),
        pytest.param(
            ["check", "--format", "xml"], 2, "--format xml: write one of text, json, github", id="a format"
        ),
        pytest.param(
            ["check", "--as-of", "tomorrow"],
            2,
            "--as-of tomorrow isn't a day: write 2027-01-15",
            id="a day that is none",
        ),
        pytest.param(
            ["check", "--as-of", "2026-13-01"], 2, "--as-of 2026-13-01 isn't a day", id="a month that is none"
        ),
        pytest.param(["fly"], 2, "fly", id="an unknown command"),
        pytest.param(
            ["init", str(CHARTERS / "ok" / "example.md")],
            2,
            "example.md exists: check it with",
            id="init over",
        ),
        pytest.param(
            ["init", str(CHARTERS / "ok" / "example.md")],
            2,
            f"draft another: `poc-governor init {CHARTERS / 'ok' / 'example-draft.md'}`",
            id="init beside",
        ),
        pytest.param(["init", "."], 2, "`poc-governor init POC-draft.md`", id="init over a folder"),
        pytest.param(
            ["init", "/nowhere/x.md", "--owner", "acme/team"],
            2,
            "write one GitHub login",
            id="init for a team",
        ),
        pytest.param(
            ["init", "/nowhere/POC.md"],
            2,
            "there is no folder /nowhere: make it, or name another file",
            id="init into nowhere",
        ),
    ],
)
def test_a_command_that_needs_no_settings(words: list[str], code: int, says: str) -> None:
    result = run(*words, "--as-of", "2026-11-22") if words[:1] == ["check"] and code == 0 else run(*words)
    assert result.exit_code == code
    assert says in result.output
    assert "Traceback" not in result.output


def test_init_writes_a_charter_that_check_reads(tmp_path: Path) -> None:
    path = tmp_path / "POC.md"
    written = run("init", str(path), "--owner", "jane-doe")
    assert written.exit_code == 0
    assert written.output == (
        f"{path} written. 12 lines marked TODO, for what only you know. Then: poc-governor check {path}\n"
    )
    checked = run("check", str(path))
    assert checked.exit_code == 1
    assert "[unfilled]" in checked.output
    assert checked.output.count(": error:") == checked.output.count("[unfilled]")


@pytest.mark.parametrize(
    ("as_of", "says"),
    [
        pytest.param("2999-01-01", "is in the future: people would get messages early", id="a future day"),
        pytest.param("2999-01-01T09:00:00+02:00", "is in the future", id="a future time"),
        pytest.param("soon", "isn't a time: write 2027-01-15 or", id="no time at all"),
    ],
)
def test_a_sweep_of_the_real_github_does_not_look_ahead(as_of: str, says: str) -> None:
    result = run("sweep", "--as-of", as_of, **NEEDED, DATABASE_URL="postgresql://127.0.0.1:1/x")
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        pytest.param(["--dry-run"], {}, id="a dry run"),
        pytest.param([], {"GITHUB_API_URL": "http://localhost:1"}, id="an emulator on this machine"),
    ],
)
def test_a_sweep_may_look_ahead_where_nobody_is_bothered(
    database_url: str, words: list[str], changes: dict[str, str]
) -> None:
    result = run("sweep", "--as-of", "2999-01-01", *words, **NEEDED, **changes, DATABASE_URL=database_url)
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("words", [["serve"], ["work"], ["sweep"], ["ruleset", "--org", "acme"]])
def test_without_anything_it_is_said_how_to_begin(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert [line.split(".")[0] for line in result.stderr.splitlines()] == [
        "poc-governor: PUBLIC_URL is not set",
        "poc-governor: no app is configured: run `poc-governor setup`, or open /setup of the service",
    ]


@pytest.mark.parametrize("words", [["serve"], ["sweep"], ["doctor"]])
def test_settings_that_are_here_and_not_loaded_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    says = "no app is configured, though ./.env names one: load it with `set -a; . ./.env; set +a`"
    (tmp_path / ".env").write_text("OTHERS=1\n")
    assert says not in run(*words).output
    (tmp_path / ".env").write_text("GITHUB_APP_ID=4711\n")
    assert says in run(*words).output


def test_a_port_that_nobody_named_is_none() -> None:
    assert "-1" not in run("serve", "--help").output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(
            ["setup", "--org", "acme", "--url", "http://localhost"],
            "GitHub can't reach this",
            id="this machine",
        ),
        pytest.param(["setup", "--org", "acme"], "--url", id="no address"),
        pytest.param(
            ["move-database", "--to", "mysql://app:hunter2@db/poc"],
            "poc-governor: --to: must start with postgresql:// (it begins with `mysql://`)",
            id="another database",
        ),
        pytest.param(
            ["ruleset", "--org", "acme", "--by", "topic"], "write one of property, name, ids", id="a topic"
        ),
    ],
)
def test_setting_up_with_what_can_not_be(words: list[str], says: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert says in result.output
    assert "hunter2" not in result.output


def test_the_manifest_is_printed() -> None:
    result = run("setup", "--org", "acme", "--url", "https://governor.acme.dev", "--manifest")
    assert json.loads(result.stdout)["callback_urls"] == ["https://governor.acme.dev/login/callback"]


def test_doctor_counts_what_is_to_be_fixed() -> None:
    result = run("doctor", DATABASE_URL="postgresql://127.0.0.1:1/x")
    assert result.exit_code == 1
    assert result.output.endswith("\n3 to fix.\n")
    assert "Traceback" not in result.output


OVER_A_DATABASE = [
    pytest.param(["sweep"], id="sweep"),
    pytest.param(["observe", "--org", "acme"], id="observe"),
    pytest.param(["enforce", "--org", "acme"], id="enforce"),
    pytest.param(["record", "acme/poc-x"], id="record"),
    pytest.param(["ruleset", "--org", "acme"], id="ruleset"),
    pytest.param(["replace-credentials", "--forget-previous"], id="replace-credentials"),
    pytest.param(["backup"], id="backup"),
]


def _over(words: list[str], tmp_path: Path, **settings: str) -> Result:
    file = [str(tmp_path / "backup")] if words == ["backup"] else []
    app = NEEDED if words[0] in ("observe", "enforce") else {"PUBLIC_URL": NEEDED["PUBLIC_URL"]}
    result = run(*words, *file, **app, **settings)
    assert result.exit_code == 2, result.output
    assert not result.stdout
    return result


@pytest.mark.parametrize("words", OVER_A_DATABASE)
def test_a_database_that_does_not_answer_is_a_line_with_the_remedy(words: list[str], tmp_path: Path) -> None:
    result = _over(words, tmp_path, DATABASE_URL="postgresql://app:hunter2@127.0.0.1:1/poc")
    [line] = result.stderr.splitlines()
    assert line.startswith("poc-governor: ")
    assert "Connection refused" in line
    assert "fix DATABASE_URL" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("words", OVER_A_DATABASE)
def test_no_command_makes_a_database_in_order_to_read_it(words: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    result = _over(words, tmp_path, DATA_DIR=str(folder))
    assert result.stderr == (
        f"poc-governor: there is no database in DATA_DIR {folder}: `serve` makes it at its first start. "
        "If the service runs, give this command its settings\n"
    )
    assert not folder.exists()


def test_a_record_from_a_database_without_tables(server: Server) -> None:
    with server.database("template0") as url:
        result = run("record", "acme/poc-x", DATABASE_URL=url)
    assert result.exit_code == 2
    assert result.stderr == (
        "poc-governor: the database's tables aren't those of this version: "
        "`serve` and `work` bring them up to date at their start\n"
    )


@pytest.mark.parametrize(
    ("mark", "code", "says"),
    [
        (Mark.OK, 0, "Nothing to fix."),
        (Mark.NOTE, 0, "Nothing found to fix; see the lines marked `note`."),
        (Mark.WRONG, 1, "1 to fix."),
    ],
)
def test_doctor_ends_with_what_was_found(
    monkeypatch: pytest.MonkeyPatch, mark: Mark, code: int, says: str
) -> None:
    found = [Line(Mark.OK, "settings", "complete"), Line(mark, "deliveries", "none yet")]
    monkeypatch.setattr(doctor, "examine", lambda _: found)
    result = run("doctor")
    assert result.exit_code == code
    assert result.output.endswith(f"\n\n{says}\n")


def test_no_command_shows_the_help() -> None:
    assert "Usage" in run().output
    assert run("--help").exit_code == 0


def test_check_starts_without_web_store_or_worker() -> None:
    code = (
        "import sys; from service.cli.app import cli\n"
        f"try: cli(['check', {str(CHARTERS / 'ok' / 'example.md')!r}])\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
        timeout=60,
    )
    modules = set(listed.stderr.split())
    ours = {
        f"service.{name}"
        for name in ("web", "store", "worker", "work", "wiring", "events", "settings", "logs")
    }
    assert not ours & modules
    assert not {"fastapi", "sqlalchemy", "github", "jinja2", "procrastinate", "structlog"} & modules
