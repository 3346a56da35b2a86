"""The language reference of docs/charter.md: its tables and its checks, written from the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from service.rules.charter.keys import CHARTER, Field, Shape
from service.rules.charter.metrics import ROWS, Metric, Way
from service.rules.charter.units import BYTES, CURRENCIES, RATIOS, SECONDS, SYMBOLS
from service.rules.checks import CHECKS
from service.rules.checks.check import Check, Example
from service.rules.values.finding import Severity

MARKED = re.compile(r"(?P<begin><!-- generated: (?P<name>[a-z]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
SHAPES = {
    Shape.TEXT: "text",
    Shape.DATE: "a day",
    Shape.DATED: "a day, and text",
    Shape.LIST: "a list of thresholds",
    Shape.WAIVERS: "a list of waivers",
    Shape.METRICS: "a line for each metric",
}
WAYS = {Way.UP: "higher", Way.DOWN: "lower", Way.EITHER: "either"}


def fill(document: str) -> str:
    """The document with what stands between its markers written anew."""
    return MARKED.sub(lambda match: f"{match['begin']}{PARTS[match['name']]()}{match['end']}", document)


def keys() -> str:
    """Each key of a charter."""
    rows = [f"| `{name}` | {field.asks} | {held(field)} | {must(field)} |" for name, field in leaves(CHARTER)]
    return table("| key | says | holds | required |", rows)


def leaves(section: Field, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """The keys that hold a value, with the path that leads to them."""
    for field in section.fields:
        if field.fields:
            yield from leaves(field, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", field


def held(field: Field) -> str:
    """What a key holds, with an example."""
    like = field.example.replace("{date}", "2026-11-12").replace("{later}", "2026-12-18") or (
        "2027-02-26" if field.shape is Shape.DATE else ""
    )
    return f"{SHAPES[field.shape]}, `{like}`" if like else SHAPES[field.shape]


def must(field: Field) -> str:
    """Whether a key has to be there."""
    return "yes" if field.required else "to ship" if field.name == "drilled" else "no"


def metrics() -> str:
    """The metrics that are known, by what they speak of."""
    rows = [
        f"| {kind} | {way} | {unit} | {', '.join(names)} | {source} |"
        for (kind, way, unit, source), names in grouped().items()
    ]
    return table("| kind | better | unit | metrics, with the names they also have | source |", rows)


def grouped() -> dict[tuple[str, str, str, str], list[str]]:
    """Metrics of one kind, one direction, one unit and one source together, in the order of the table."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for row in ROWS:
        unit = f"`{row.unit}`" if row.unit else "none"
        groups.setdefault((row.kind.value, WAYS[row.way], unit, row.source), []).append(named(row))
    return groups


def named(row: Metric) -> str:
    """A metric with its other names."""
    others = ", ".join(f"`{alias}`" for alias in row.aliases)
    return f"`{row.name}`" + (f" ({others})" if others else "")


def units() -> str:
    """The units that are known."""
    rows = [
        f"| time | {words(SECONDS)}; `month` after a `/` |",
        f"| size | {words(BYTES)} |",
        f"| ratio | {words(RATIOS)}, or no unit |",
        f"| money | {words(sorted(CURRENCIES))}, and {words(SYMBOLS)} |",
        "| counted | any noun in small letters: `req`, `tickets`, `tokens`; one or many is the same |",
        "| rate | two of these with `/`: `req/s`, `tickets/day`, `USD/month` |",
    ]
    return table("| unit of | written |", rows)


def words(written: Iterable[str]) -> str:
    """Words as code."""
    return ", ".join(f"`{word}`" for word in written)


def checks() -> str:
    """Each check: what it asks, why, and what is refused beside what is right."""
    return "\n" + "\n".join(section(check) for check in CHECKS) + "\n"


def section(check: Check) -> str:
    """One check."""
    weight = "" if check.severity is Severity.ERROR else f" ({check.severity})"
    parts = [f"### {check.code}{weight}\n", f"{check.about} {check.why}\n"]
    parts += [shown(example) for example in check.examples]
    return "\n".join(parts)


def shown(example: Example) -> str:
    """A bad line, and a good one."""
    if example.section == "body":
        return f"Bad:\n\n```markdown\n{example.bad}\n```\n\nGood:\n\n```markdown\n{example.good}\n```\n"
    bad = under(example.section, example.bad) if example.bad else "# (nothing)"
    return f"```yaml\n# bad\n{bad}\n# good\n{under(example.section, example.good)}\n```\n"


def under(section: str, lines: str) -> str:
    """Lines below the key that they stand under."""
    if not section:
        return lines
    indented = "\n".join(f"  {line}" for line in lines.split("\n"))
    return f"{section}:\n{indented}"


def table(head: str, rows: list[str]) -> str:
    """A Markdown table."""
    rule = "|" + " --- |" * (head.count("|") - 1)
    return "\n" + "\n".join([head, rule, *rows]) + "\n\n"


PARTS: dict[str, Callable[[], str]] = {"keys": keys, "metrics": metrics, "units": units, "checks": checks}
