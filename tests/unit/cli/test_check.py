"""The command `check` as a function: what it prints, what it answers, what it does not import."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.cli.check_output import Format
from tests.harness.golden import assert_golden
from tests.harness.places import CHARTERS, ROOT
from tests.unit.cli.checking import run

GOLDEN = Path(__file__).parent / "golden"
FORBIDDEN = {"web", "store", "worker", "github_client", "events", "inbox", "settings", "wiring", "sweep"}


@pytest.fixture
def in_charters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHARTERS)


@pytest.mark.usefixtures("in_charters")
@pytest.mark.parametrize("format_", list(Format))
@pytest.mark.parametrize(
    "path", ["ok/example.md", "ok/stopped-early.md", "err/several.md", "err/latin-1.md", "err/yaml-tab.md"]
)
def test_what_it_prints(path: str, format_: Format) -> None:
    _, out, err = run(path, format=format_)
    assert err == ""
    assert_golden(GOLDEN / f"{Path(path).stem}.{format_}", out)


@pytest.mark.usefixtures("in_charters")
@pytest.mark.parametrize(
    ("paths", "code"),
    [
        pytest.param(["ok/example.md"], 0, id="a good charter"),
        pytest.param(["err/target-unmeasured.md"], 0, id="notices alone"),
        pytest.param(["ok/stopped-early.md"], 0, id="a POC that was stopped"),
        pytest.param(["ok/example.md", "ok/crlf.md"], 0, id="two good charters"),
        pytest.param(["err/several.md"], 1, id="a charter with errors"),
        pytest.param(["ok/example.md", "err/several.md"], 1, id="one good, one bad"),
        pytest.param(["err/no-charter.md"], 1, id="a file without a charter"),
        pytest.param(["err/empty.md"], 1, id="an empty file"),
        pytest.param(["err/binary.md"], 1, id="a binary file"),
        pytest.param(["ok"], 2, id="a directory without a charter"),
        pytest.param(["nowhere.md"], 2, id="a path that is not there"),
        pytest.param(["ok/example.md/x"], 2, id="a path through a file"),
        pytest.param([""], 2, id="an empty path"),
        pytest.param(["nul\0byte"], 2, id="a path that no system takes"),
        pytest.param(["/dev/null"], 2, id="a device"),
        pytest.param([], 2, id="no path and no POC.md here"),
        pytest.param(["nowhere.md", "err/several.md"], 2, id="a missing path weighs more than findings"),
    ],
)
def test_the_exit_code(paths: list[str], code: int) -> None:
    answered, out, err = run(*paths)
    assert answered == code
    assert (len(err.splitlines()) == 1) is (code == 2)
    assert "Traceback" not in out + err


def test_the_default_is_the_charter_of_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "POC.md").write_bytes((CHARTERS / "ok" / "example.md").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert run()[0] == 0


def test_a_link_is_followed_and_one_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "good.md").symlink_to(CHARTERS / "ok" / "example.md")
    (tmp_path / "dangling.md").symlink_to(tmp_path / "nothing")
    assert run(tmp_path / "good.md")[0] == 0
    code, out, _ = run(tmp_path / "dangling.md")
    assert code == 1
    assert "dangling.md:1:1: error: This is a link" in out


def test_two_mebibytes_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "POC.md").write_bytes(b"poc: 1\n" * 300_000)
    code, out, _ = run(tmp_path / "POC.md")
    assert code == 1
    assert "[unreadable-charter]" in out


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (CHARTERS / "ok" / "example.md").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run("-")[:2] == (0, (GOLDEN / "example.text").read_text().replace("ok/example.md", "-"))


def test_json_has_the_fields_of_the_contract() -> None:
    _, out, _ = run(CHARTERS / "err" / "several.md", format="json")
    read = json.loads(out)
    assert set(read) == {"path", "charter", "valid", "findings", "stopped", "thresholds"}
    fields = {"code", "severity", "message", "line", "end_line", "column", "fix", "example", "insert_after"}
    assert set(read["findings"][0]) == fields
    bound = {"line", "metric", "op", "value", "unit", "canonical_value", "canonical_unit", "clauses"}
    assert set(read["thresholds"][0]) == bound
    _, two, _ = run(CHARTERS / "ok" / "example.md", CHARTERS / "ok" / "crlf.md", format="json")
    assert [each["valid"] for each in json.loads(two)] == [True, True]


def test_a_workflow_command_cannot_be_forged(tmp_path: Path) -> None:
    path = tmp_path / "a,b:c%.md"
    path.write_bytes(
        b'```yaml\npoc: 1\n\'x\\n::error::y\': "a\\n::warning::b"\nowner: "%0A::error::z"\n```\n'
    )
    _, out, _ = run(path, format="github")
    commands = out.splitlines()[:-1]
    assert all(
        re.fullmatch(r"::(error|notice) file=[^,:]*,line=\d+,col=\d+,title=[a-z-]+::[^\n]*", line)
        for line in commands
    )
    assert "a%2Cb%3Ac%25.md" in commands[0]
    assert not any(line.startswith("::") for line in out.splitlines()[-1:])


def test_a_terminal_is_sent_nothing_to_obey(tmp_path: Path) -> None:
    path = tmp_path / "POC.md"
    path.write_bytes(b"```yaml\npoc: 1\nowner: \x1b[31mred\n```\n")
    assert "\x1b" not in run(path)[1]


def test_text_says_what_only_github_knows_and_the_other_formats_do_not() -> None:
    path = CHARTERS / "ok" / "example.md"
    text, data, log = (run(path, format=each)[1] for each in ("text", "json", "github"))
    [line] = [line for line in text.splitlines() if line.startswith("  not checked")]
    for fact in ("jane-doe", "support-prod", "support-staging", ".github/workflows/eval.yml"):
        assert fact in line
    assert "not checked" not in data + log


@pytest.mark.parametrize("module", ["service.cli.check", "service.cli.init", "service.rules.checks.schema"])
def test_it_imports_nothing_of_the_service_but_the_rules(module: str) -> None:
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    modules = set(listed.stdout.split())
    assert not {f"service.{name}" for name in FORBIDDEN} & modules
    assert not {"github", "sqlmodel", "sqlalchemy", "fastapi", "httpx", "jinja2", "typer"} & modules


@pytest.mark.parametrize("command", [["schema"], ["check", "-"], ["init", "--yes", "/dev/null"]])
def test_the_command_line_imports_nothing_more_for_them(command: list[str]) -> None:
    code = (
        "import sys; from service.cli.app import cli\n"
        f"try: cli({command!r})\nexcept SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, input=""
    )
    modules = set(listed.stderr.split())
    assert "service.cli.app" in modules
    assert not {f"service.{name}" for name in FORBIDDEN} & modules
    assert not {"github", "sqlmodel", "sqlalchemy", "fastapi", "httpx", "jinja2"} & modules
