"""The files in deploy/ and fly.toml, held against the settings, the image and the routes of the service."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from starlette.routing import Route

from service.config.app_credentials import AppCredentials
from service.config.private_key import KEY_FILE
from service.config.settings import LOCAL_HOSTS, Settings, SettingsError, load_service
from service.processes import GRACE
from service.web.app import create_app
from service.web.webhook import LARGEST_BODY, PATH
from tests.harness.places import ROOT

DEPLOY = ROOT / "deploy"
PORT, USER, DATA = 8080, 10001, "/data"
SETTINGS = {name.upper() for name in Settings.model_fields} | {KEY_FILE}
REQUIRED = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
FROM_SETUP = {"PUBLIC_URL", *AppCredentials(1, "a", "b", "c", "d", "e", "f", "g", "h").as_environment()}
"""What `poc-governor setup` writes into `.env`."""
SHARED = {"SECRET_KEY", "METRICS_TOKEN", "DATABASE_URL"}
"""What else several processes apart, or a network, ask for."""
OTHERS = {"POSTGRES_PASSWORD"}
"""What is not the service's in an `.env`."""


def read(path: str) -> str:
    return (DEPLOY / path).read_text()


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return loaded


def fly() -> dict[str, Any]:
    return tomllib.loads((ROOT / "fly.toml").read_text())


def manifests(kind: str) -> list[dict[str, Any]]:
    found = yaml.safe_load_all(read("kubernetes/poc-governor.yaml"))
    return [manifest for manifest in found if manifest["kind"] == kind]


def pods() -> dict[str, dict[str, Any]]:
    """The specification of each Deployment's pods, by its first argument."""
    specs = [each["spec"]["template"]["spec"] for each in manifests("Deployment")]
    return {spec["containers"][0]["args"][0]: spec for spec in specs}


def unit() -> dict[str, list[str]]:
    """The assignments of the systemd unit."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", read("systemd/poc-governor.service"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def environments() -> dict[str, Mapping[str, str]]:
    """What each file itself sets."""
    pairs = (each.split("=", 1) for line in unit()["Environment"] for each in line.split())
    return {
        "compose": compose()["services"]["governor"]["environment"],
        "fly": fly()["env"],
        "kubernetes": manifests("ConfigMap")[0]["data"],
        "systemd": dict(pairs),
    }


@pytest.mark.parametrize("name", environments())
def test_a_file_sets_only_settings_that_there_are_each_to_a_value_that_is_taken(name: str) -> None:
    given = environments()[name]
    assert given.keys() <= SETTINGS
    assert (given["HOST"], given["PORT"]) == ("127.0.0.1" if name == "systemd" else "0.0.0.0", str(PORT))
    filled = {"PUBLIC_URL": "https://governor.acme.dev"} if "<" in given.get("PUBLIC_URL", "<") else {}
    taken = {key: re.sub(r"\$\{\w+:\?[^}]*\}", "7c1f" * 8, value) for key, value in given.items()}
    if taken.get("PUBLIC_URL", "").startswith("7c1f"):
        taken["PUBLIC_URL"] = "https://governor.acme.dev"
    assert load_service(taken | filled).port == PORT


@pytest.mark.parametrize("name", ["fly", "kubernetes"])
def test_a_placeholder_that_was_left_is_refused_by_the_service(name: str) -> None:
    with pytest.raises(SettingsError, match=r"PUBLIC_URL: `<https://.*>` is from an example"):
        load_service(environments()[name])


def test_the_other_placeholders_are_names_that_fly_and_kubernetes_refuse() -> None:
    valid = re.compile(r"[a-z0-9][a-z0-9./:_-]*")
    assert not valid.fullmatch(fly()["app"])
    images = {spec["containers"][0]["image"] for spec in pods().values()}
    assert len(images) == 1
    assert not valid.fullmatch(images.pop())


@pytest.mark.parametrize("name", environments())
def test_with_what_setup_writes_every_required_setting_is_there(name: str) -> None:
    assert environments()[name].keys() | FROM_SETUP >= REQUIRED


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes/poc-governor.yaml"])
def test_where_processes_run_apart_what_they_share_is_set_or_asked_for(name: str) -> None:
    text = read(name)
    assert [setting for setting in SHARED if not re.search(rf"\b{setting}\b", text)] == []


def test_every_setting_that_the_page_names_is_one() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", page))
    assert named <= SETTINGS | OTHERS
    assert named >= SHARED | OTHERS


def test_compose_stops_where_a_variable_is_missing() -> None:
    variables = dict(re.findall(r"\$\{(\w+)(:\?[^}]+)?\}", read("compose.yaml")))
    assert variables.keys() <= SETTINGS | OTHERS
    assert all(variables.values())


def test_what_compose_mounts_is_there_and_where_its_programs_look_for_it() -> None:
    prometheus = compose()["services"]["prometheus"]
    mounts = dict(mount.split(":")[:2] for mount in prometheus["volumes"])
    for here, there in mounts.items():
        assert not here.startswith(".") or (DEPLOY / here).is_file()
        if here.endswith("alerts.yml"):
            assert yaml.safe_load(read("prometheus/prometheus.yml"))["rule_files"] == [there]
    [scraped] = yaml.safe_load(read("prometheus/prometheus.yml"))["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": [f"governor:{PORT}"]}]
    [secret] = prometheus["secrets"]
    assert scraped["authorization"] == {"credentials_file": f"/run/secrets/{secret}"}
    assert compose()["secrets"][secret] == {"environment": "METRICS_TOKEN"}
    assert (DEPLOY / compose()["services"]["governor"]["build"]).resolve() == ROOT


def routes() -> set[str]:
    app = create_app(Mock(), Mock(), webhook_secret="x", evidence=Mock(), bodies=Mock(), beside=Mock())
    return {route.path for route in app.routes if isinstance(route, Route)}


def test_probes_ask_for_routes_that_there_are_on_the_port_that_is_listened_on() -> None:
    [container] = pods()["serve"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": PORT}]
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert {probe["port"] for probe in asked.values()} == {"http"}
    paths = {name: probe["path"] for name, probe in asked.items()}
    assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}
    [check] = fly()["http_service"]["checks"]
    probe = str(compose()["services"]["governor"]["healthcheck"]["test"])
    assert f"http://127.0.0.1:{PORT}/readyz" in probe
    assert {*paths.values(), check["path"]} <= routes()
    [service] = manifests("Service")
    assert service["spec"]["ports"][0]["targetPort"] == "http"
    assert service["spec"]["selector"] == manifests("Deployment")[0]["spec"]["selector"]["matchLabels"]


def test_prometheus_finds_the_metrics_of_the_workers_too() -> None:
    [container] = pods()["work"]["containers"]
    [port] = container["ports"]
    assert container["args"] == ["work", "--metrics-port", str(port["containerPort"])]


def test_kubernetes_runs_two_of_each_as_nobody_in_particular_on_a_file_system_that_stays_as_it_is() -> None:
    assert [each["spec"]["replicas"] for each in manifests("Deployment")] == [2, 2]
    assert pods().keys() == {"serve", "work"}
    assert pods()["serve"]["containers"][0]["args"] == ["serve", "--no-worker"]
    for spec in pods().values():
        assert (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]) == (True, USER)
        [container] = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", DATA}


def test_compose_runs_it_likewise() -> None:
    service = compose()["services"]["governor"]
    assert service["user"] == f"{USER}:{USER}"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert {mount.split(":")[1] for mount in service["volumes"]} == {DATA}
    assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


def test_the_image_has_that_user_port_and_folder() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"--uid {USER} " in dockerfile
    assert f"EXPOSE {PORT}\n" in dockerfile
    assert f"VOLUME {DATA}\n" in dockerfile


def seconds(written: str) -> int:
    return int(written.removesuffix("s"))


def test_each_gives_a_stop_the_time_that_it_takes() -> None:
    takes = GRACE + 10  # uvicorn's own, before the processes beside it are ended
    given = [
        fly()["kill_timeout"],
        seconds(compose()["services"]["governor"]["stop_grace_period"]),
        int(unit()["TimeoutStopSec"][0]),
        *(spec["terminationGracePeriodSeconds"] for spec in pods().values()),
    ]
    assert [each for each in given if each < takes] == []
    assert unit()["KillMode"] == ["mixed"]
    assert fly()["kill_signal"] == "SIGTERM"


def test_the_unit_starts_a_command_that_there_is_and_keeps_its_data() -> None:
    [start] = unit()["ExecStart"]
    program, command = start.split()
    assert program.endswith("/.venv/bin/poc-governor")
    assert command == "serve"
    assert environments()["systemd"]["DATA_DIR"] == f"/var/lib/{unit()['StateDirectory'][0]}"
    assert unit()["ProtectSystem"] == ["strict"]


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_has_the_limits_of_the_service(name: str) -> None:
    text = read(f"proxy/{name}")
    largest = LARGEST_BODY // 1024**2
    expected = {
        "nginx.conf": [
            f"client_max_body_size {largest}m;",
            "client_header_timeout 10s;",
            "client_body_timeout 10s;",
            f"location = {PATH} {{",
            "location = /metrics {\n        return 404;",
            "proxy_set_header X-Forwarded-For $remote_addr;",
            "proxy_set_header X-Forwarded-Proto $scheme;",
        ],
        "Caddyfile": [f"max_size {largest}MiB", "read_header 10s", "read_body 15s", "respond /metrics 404"],
    }
    assert [line for line in expected[name] if line not in text] == []
    assert set(re.findall(r"(?:proxy_pass http://|reverse_proxy )([\w.:]+)", text)) == {
        f"{LOCAL_HOSTS[1]}:{PORT}"
    }
    assert {PATH, "/metrics"} <= routes() | {PATH}


@pytest.mark.parametrize(
    ("arguments", "code", "said", "expected"),
    [
        ([], 0, "No known vulnerabilities", 0),
        (["--if-reachable"], 0, "No known vulnerabilities", 0),
        (["--if-reachable"], 1, "Found 1 known vulnerability", 1),
        ([], 2, "error: Request failed after 3 retries", 2),
        (["--if-reachable"], 2, "error: Request failed after 3 retries", 0),
        (["--if-reachable"], 2, "error: the lockfile needs to be updated", 2),
    ],
    ids=["none", "none, in CI", "one", "away", "away, in CI", "the lock is old, in CI"],
)
def test_the_audit_passes_only_where_nothing_was_found_or_nobody_answers_in_ci(
    tmp_path: Path, arguments: list[str], code: int, said: str, expected: int
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "audit", tmp_path / ".ci" / "audit")
    uv = tmp_path / ".tools" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {code}\n")
    uv.chmod(0o755)
    command = ["sh", str(tmp_path / ".ci" / "audit"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == expected
    assert said in done.stdout
    assert ("Not audited" in done.stdout) is (code == 2 and expected == 0)


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_the_bill_of_materials_is_of_what_the_service_needs(name: str) -> None:
    """The audit takes every extra by itself."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    [command] = [line for line in text.splitlines() if "uv export" in line]
    assert "--locked --no-dev --extra serve --format cyclonedx1.5" in command
