"""docs/monitoring.md, the alerts and the dashboard, held against what /metrics shows and the code logs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.process_collector import ProcessCollector

from service import worker
from service.github_client import transport
from service.rules.queue import FailureKind
from service.web import evidence, webhook
from service.web.docs import anchor
from service.web.health import CALLS_REMAINING, GAUGES
from tests.harness.places import ROOT

PAGE = (ROOT / "docs" / "monitoring.md").read_text()
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "poc-governor.json"

COUNTED: tuple[MetricWrapperBase, ...] = (
    webhook.ANSWERS,
    evidence.ANSWERS,
    worker.RECONCILIATIONS,
    worker.SECONDS,
    worker.CHECKED,
    transport.CALLS,
)
OF_PROMETHEUS: dict[str, tuple[str, ...]] = {"up": ()}
"""What Prometheus itself knows of each instance."""
TARGET = {"job", "instance"}
"""The labels that Prometheus adds to everything."""
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}


@cache
def known() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Each metric that /metrics can show: its type and its labels."""
    counted = {
        family.name: (family.type, metric._labelnames) for metric in COUNTED for family in metric.collect()
    }
    of_process = {family.name: (family.type, ()) for family in ProcessCollector(registry=None).collect()}
    gauges: dict[str, tuple[str, tuple[str, ...]]] = dict.fromkeys(GAUGES, ("gauge", ()))
    gauges[CALLS_REMAINING] = ("gauge", ("installation",))
    return {
        name + (SUFFIXES[kind][0] if kind == "counter" else ""): (kind, labels)
        for name, (kind, labels) in (counted | gauges | of_process).items()
    }


def samples() -> dict[str, set[str]]:
    """The series that expressions can name, and their labels."""
    shown = {}
    for name, (kind, labels) in known().items():
        for suffix in SUFFIXES[kind]:
            bucket = {"le"} if suffix == "_bucket" else set()
            shown[name.removesuffix("_total") + suffix] = {*labels} | bucket | TARGET
    return shown | {name: {*labels} | TARGET for name, labels in OF_PROMETHEUS.items()}


def rows(section: str) -> list[list[str]]:
    """The cells of the first table of a section."""
    text = PAGE[re.search(rf"^##+ {re.escape(section)}$", PAGE, re.MULTILINE).end() :]  # type: ignore[union-attr]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[0].splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_each_metric_that_can_be_shown_is_documented_with_its_type_and_labels() -> None:
    documented = {
        names(metric)[0]: (kind, tuple(names(labels))) for metric, kind, labels, *_ in rows("Metrics")
    }
    assert documented == known()


def test_no_other_metric_of_ours_is_registered() -> None:
    registered = {family.name for family in REGISTRY.collect() if family.name.startswith("poc_governor_")}
    assert registered == {family.name for metric in COUNTED for family in metric.collect()}


def test_each_result_of_a_reconciliation_is_documented() -> None:
    documented = {name for result, *_ in rows("Results of a reconciliation") for name in names(result)}
    assert documented == {"done", "unusable", "dead", *FailureKind}


def alerts() -> list[dict[str, Any]]:
    loaded = yaml.safe_load(RULES.read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return loaded


def expressions() -> Iterator[Any]:
    """Every expression of the alerts and of the dashboard, with where it stands."""
    for alert in alerts():
        yield pytest.param(alert["expr"], id=alert["alert"])
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "5m")
            yield pytest.param(expression, id=f"{panel['title']} {target['refId']}")


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_names_series_and_labels_that_there_are(expression: str) -> None:
    found = []

    def note(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), note)
    assert found
    shown = samples()
    for selector in found:
        assert selector.name in shown
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= shown[selector.name], selector.name


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_how_bad_it_is_and_leads_to_its_section(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"]["summary"].endswith(".")
    leads = f"{{{{ $externalLabels.governor }}}}/docs/monitoring#{anchor(alert['alert'])}"
    assert alert["annotations"]["runbook_url"] == leads


def test_each_alert_has_a_section_and_each_section_an_alert() -> None:
    section = PAGE.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (\w+)$", section, re.MULTILINE) == [alert["alert"] for alert in alerts()]


def test_the_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in panels()]
    assert len({panel["id"] for panel in panels()}) == len(places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in places)


def test_the_dashboard_asks_whichever_prometheus_is_chosen() -> None:
    text = DASHBOARD.read_text()
    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {"poc-governor", "${datasource}"}


def logged() -> dict[str, tuple[set[str], set[str]]]:
    """Each event that the code logs: its levels and its fields."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for path in sorted((ROOT / "service").rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            match call.func:
                case ast.Attribute(value=ast.Name(id="log"), attr=level) if level in LEVELS:
                    [event] = call.args
                    assert isinstance(event, ast.Constant), f"{path}:{call.lineno}: name the event"
                    levels, fields = found.setdefault(str(event.value), (set(), set()))
                    levels.add(LEVELS[level])
                    fields.update(str(keyword.arg) for keyword in call.keywords)
    return found


def test_each_event_of_the_log_is_documented_with_its_levels_and_fields() -> None:
    documented = {
        names(event)[0]: (set(levels.split(", ")), set(names(fields)))
        for event, levels, fields, _ in rows("What the log says")
    }
    assert documented == logged()


def test_no_line_is_logged_in_another_way() -> None:
    """So that the table has all of them."""
    other = re.compile(
        r"= log\.(?:info|warning|error)|getLogger|\blog\.log\(|[^.]\blogging\.(?:info|warning|error)\("
    )
    found = [path.name for path in (ROOT / "service").rglob("*.py") if other.search(path.read_text())]
    assert found == []
