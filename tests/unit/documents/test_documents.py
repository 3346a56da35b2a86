"""Documents that can fail: manifest, routes, permissions, settings, commands, endpoints and check codes."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any, get_args

import pytest
import yaml

from service.cli.app import cli
from service.config.private_key import KEY_FILE
from service.config.settings import Settings
from service.deliveries.routes import EVENTS
from service.demo.emulator import PERMISSIONS
from service.github_client.app import NEEDS
from service.reconcile.digest import DIGEST_LABEL
from service.reconcile.lifecycle import STOP_LABEL
from service.reconcile.policy import POLICY_LABEL
from service.rules.checks import CHECKS
from service.rules.commands.parsing import Verb
from service.rules.gate.lifecycle import State
from service.rules.values.actions import STALL_LABEL, Action
from tests.harness.blocks import blocks
from tests.harness.places import ROOT

DESIGNED = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "read",
    "merge_queues": "read",
    "actions": "read",
    "members": "read",
    "organization_custom_properties": "read",
    "checks": "write",
    "issues": "write",
    "statuses": "write",
    "deployments": "write",
}
UNSUBSCRIBABLE = {"github_app_authorization", "installation", "installation_repositories"}
ENDPOINTS = (
    "/webhooks/github",
    "/api/v1/evidence",
    "/healthz",
    "/readyz",
    "/metrics",
    "/pocs/{owner}/{repo}",
    "/login",
    "/login/callback",
    "/logout",
    "/deliveries",
    "/deliveries/{id}/look",
    "/deliveries/missed/{id}/again",
    "/settings/tokens",
    "/settings/tokens/{id}/revoke",
    "/api/v1/pocs",
    "/api/v1/pocs/{owner}/{repo}",
)


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "app-manifest.yml").read_text())
    return loaded


def documents() -> str:
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(path.read_text() for path in paths)


def codes() -> set[str]:
    """Those of the checks, and those of the loader, each of which the corpus of bad charters shows."""
    corpus = (ROOT / "tests" / "charters" / "err").glob("*.out")
    shown = {
        code for path in corpus for code in re.findall(r"\[([a-z-]+)\]$", path.read_text(), re.MULTILINE)
    }
    return shown | {check.code for check in CHECKS}


def test_the_manifest_subscribes_to_exactly_the_routed_events() -> None:
    assert set(manifest()["default_events"]) == EVENTS - UNSUBSCRIBABLE


def test_every_command_and_state_is_documented() -> None:
    commands = (ROOT / "docs" / "commands.md").read_text()
    assert {verb for verb in Verb if f"| `/poc {verb}` |" not in commands} == set()
    page = (ROOT / "docs" / "shipping.md").read_text()
    assert {state for state in State if f"| {state} |" not in page} == set()
    labels = (ROOT / "docs" / "data.md").read_text()
    assert f"`{STALL_LABEL}`" in labels
    assert {
        label for label in (STOP_LABEL, POLICY_LABEL, DIGEST_LABEL) if f"`{label}`" not in labels
    } == set()


def test_the_manifest_asks_for_the_designs_permissions() -> None:
    assert manifest()["default_permissions"] == DESIGNED == PERMISSIONS


def test_the_permissions_cover_what_is_used() -> None:
    granted = manifest()["default_permissions"]
    assert {name: granted.get(name) for name in NEEDS} == NEEDS
    for action in filter(lambda each: each.needs, get_args(Action)):
        assert granted[action.needs] == NEEDS[action.needs] == "write"


@pytest.mark.parametrize("name", [*(field.upper() for field in Settings.model_fields), KEY_FILE])
def test_a_setting_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", documents())


@pytest.mark.parametrize(
    "name",
    [command.name or command.callback.__name__ for command in cli.registered_commands if command.callback],
)
def test_a_command_is_documented(name: str) -> None:
    assert re.search(rf"poc-governor {name}\b", documents())


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_endpoint_is_documented(path: str) -> None:
    assert path in documents()


def test_each_route_has_a_row_among_the_endpoints() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "service" / "web").glob("*.py"))
    told = (ROOT / "docs" / "endpoints.md").read_text()
    routed = set(re.findall(r'Route\("([^"]+)"', sources)) - {"/static/{name}", "/docs/images/{name}"}
    assert len(routed) > 10
    assert {path for path in routed if path not in told} == set()


@pytest.mark.parametrize("code", sorted(codes()))
def test_a_check_code_is_documented(code: str) -> None:
    assert re.search(rf"`{code}`|^### {code}\b", documents(), re.MULTILINE)


def test_the_loaders_codes_are_among_them() -> None:
    assert {
        "no-charter",
        "unclosed-block",
        "block-too-large",
        "line-too-long",
        "control-character",
    } <= codes()


def examples() -> list[tuple[str, str]]:
    """Every command that the documents show with its output, and that output."""
    shown = [block.text.partition("\n") for block in blocks("console") if block.text.startswith("$ ")]
    return [(command.removeprefix("$ "), output) for command, _, output in shown]


def test_the_readme_shows_both_make_commands_first() -> None:
    first = re.search(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert first is not None
    assert first[1].split("\n") == ["make demo", "make test", ""]


def test_the_limits_of_the_readme_are_shorter_than_how_to_install_it() -> None:
    sections = dict(
        re.findall(
            r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
        )
    )
    assert len(sections["Limits"]) < len(sections["Install it on your organisation"])


@pytest.mark.parametrize(("command", "output"), examples())
def test_an_example_is_what_the_command_prints(command: str, output: str) -> None:
    program, *arguments = command.split()
    assert program == "poc-governor"
    done = subprocess.run(
        [sys.executable, "-m", "service.cli.app", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == output


def test_there_are_examples() -> None:
    assert len(examples()) > 1


def test_each_row_of_the_threat_model_names_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    rows = [
        row for row in text.splitlines() if row.startswith("| ") and not row.startswith(("| ---", "| who,"))
    ]
    named = [re.findall(r"`(tests/[\w/]+\.py)`", row) for row in rows]
    assert rows
    assert all(named)
    assert [path for paths in named for path in paths if not (ROOT / path).is_file()] == []
