"""YAML's traps, told as what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from service.rules.source.block import Block
from service.rules.source.text import clip
from service.rules.values.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class FileLimits:
    """A kind of file, its limits, and what its messages say of it."""

    name: str
    key: str
    """The key that declares it, with its version."""
    depth: int
    events: int
    shorten: str
    """What to do about more."""
    for_alias: str
    """What to write for a value that begins with `*`."""
    stars: bool
    """Whether such a value is likely, and meant as written."""


CHARTER = FileLimits(
    name="charter",
    key="poc",
    depth=4,
    events=800,
    shorten="keep under 40 lines",
    for_alias="write the value out instead of `*`",
    stars=False,
)
POLICY = FileLimits(
    name="policy",
    key="policy",
    depth=5,
    events=4_000,
    shorten="keep its lists shorter",
    for_alias="put a name that begins with `*` in double quotes",
    stars=True,
)


CODE = "invalid-yaml"
BOX = re.compile(r"^\[[ xX]?\]\s+")
NOT_YAML = "Not YAML"


@dataclass(frozen=True, slots=True)
class YamlMistake:
    """A way to write a line that YAML cannot read, and the line that was meant."""

    pattern: re.Pattern[str]
    message: str
    meant: Callable[[re.Match[str]], str] | None = None
    """None where only its author knows."""
    only: str = ""
    """The kind of file that has it, where not every one does."""


def quoted(match: re.Match[str]) -> str:
    """The line with its value in double quotes."""
    value = match["value"].strip().replace("\\", "\\\\").replace('"', '\\"')
    return f'{match["head"]}"{value}"'


TRAPS = (
    YamlMistake(
        re.compile(r"^(?P<head>[ ]*(?:- )?[^\t]*?)(?P<tabs>\t+)(?P<value>.*)$"),
        "YAML doesn't take tabs: indent with spaces",
        lambda match: match.string.replace("\t", "  "),
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*)\*\s+(?P<value>(?:\[[ xX]?\]\s+)?\w.*)$"),
        "A line of a list begins with a dash: write `-` instead of `*`",
        lambda match: f"{match['head']}- {BOX.sub('', match['value'])}",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*- )\[[ xX]?\]\s+(?P<value>\w.*)$"),
        "A threshold isn't a task: write it without the box",
        lambda match: f"{match['head']}{match['value']}",
        only=CHARTER.name,
    ),
    YamlMistake(
        re.compile(
            r"^(?P<head>\s*(?:- |\w+:\s+))\[(?P<value>[\w-]+)\]\(https?://github\.com/(?P=value)/?\)\s*$"
        ),
        "A value isn't a Markdown link: write the login alone",
        lambda match: f"{match['head']}{match['value']}",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))\[[^\]]*\]\([^)]*\).*$"),
        "A value isn't a Markdown link: write the address or the login alone",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))(?:\{\{|\{%).*$"),
        "This template was never filled in: write the value",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))\?\s*$"),
        "This value is still open: write it",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))@(?P<value>[\w-]+)\s*$"),
        "A YAML value can't begin with `@`: write the login without it",
        lambda match: f"{match['head']}{match['value']}",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))@[\w-]+/(?P<value>[\w-]+)\s*$"),
        "A team can't answer questions or sign: write one login and no `@`",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*\w+:\s+\[(?:[^\]#]*,)?\s*)(?P<value>[%@`&*!|>][^,\]]*)(?P<tail>[,\]].*)$"),
        "YAML gives this first character a meaning of its own: put the value in double quotes",
        lambda match: f"{quoted(match)}{match['tail']}",
        only=POLICY.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- )?\w+:\s+)\[[^\]]*$"),
        "This list isn't closed, or a comma is missing: write it as `[a, b]` on one line",
        only=POLICY.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*- )(?P<value>(?:[<>]=?|=>|=<)\s*[-~$€£\d].*)$"),
        "A threshold begins with its metric: write a line, for example `latency_p95 <= 300 ms at 50 req/s`",
        only=CHARTER.name,
    ),
    YamlMistake(
        re.compile(
            r"^(?P<head>\s*(?:- )?)(?P<key>\w[\w ()/@.-]{0,60}?)\s*:\s*(?P<value>[<>]=?\s*[\d$€£].*)$"
        ),
        "A threshold has no colon: begin the line with a dash and the metric",
        lambda match: f"{match['head'].replace('- ', '')}- {match['key']} {match['value'].strip()}",
        only=CHARTER.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))`(?P<value>[^`]+)`\s*$"),
        "A YAML value can't begin with a backtick: write the value without",
        lambda match: f"{match['head']}{match['value']}",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*[a-z_]+):(?P<value>[^\s:/].*)$"),
        "A space is missing after the colon: add it",
        lambda match: f"{match['head']}: {match['value']}",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*)(?P<key>[a-z_]+)[ ]*=(?![=>])[ ]*(?P<value>[^\s=].*)$"),
        "A key ends in a colon, not in `=`: write the colon",
        lambda match: f"{match['head']}{match['key']}: {match['value']}",
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- )?[\w]+:\s+)(?P<value>[^\s\"'#].*:(?:\s.*|$))"),
        "A second colon needs quotes: put the value in double quotes",
        quoted,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))(?P<value>[%@`&*!|>,\]}].*)$"),
        "YAML gives this first character a meaning of its own: put the value in double quotes",
        quoted,
    ),
)

OPEN_QUOTE = YamlMistake(
    re.compile(r"^(?P<head>\s*(?:- |\w+:\s+))(?P<value>\"[^\"]*|'[^']*)$"),
    "This quotation mark is never closed: close it, or leave it out",
    lambda match: f"{match['head']}{match['value'][1:]}",
)

# What libyaml says of these names no cause, and is tried last.
LAYOUT = (
    YamlMistake(
        re.compile(r"^(?P<head>(?:done|stop_if):\s+)-\s.*$"),
        "Each threshold has a line of its own: write a dash below and the threshold after it",
        only=CHARTER.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>waived:\s+)-\s.*$"),
        "Each waiver has a line of its own: write a dash below and the waiver after it",
        only=CHARTER.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*\w+:\s+)-\s+(?P<value>.*)$"),
        "One value goes here, not a list: write it without the dash",
        lambda match: f"{match['head']}{match['value']}",
        only=CHARTER.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*\w+:\s+)-\s+(?P<value>[^#]*?)\s*$"),
        "A list goes below its key, or in brackets: write it in brackets",
        lambda match: f"{match['head']}[{match['value']}]",
        only=POLICY.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*)-\s+(?P<value>\w+:(?:\s.*)?)$"),
        "Only lines of `done`, `stop_if` and `waived` begin with a dash: write the key without",
        lambda match: f"{match['head']}{match['value']}",
        only=CHARTER.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*)-\s+(?P<value>\w+:(?:\s.*)?)$"),
        "Only items of a list begin with a dash: write the key without",
        lambda match: f"{match['head']}{match['value']}",
        only=POLICY.name,
    ),
    YamlMistake(
        re.compile(r"^(?P<head>\s*)\w+:(?:\s.*)?$"),
        "This key is indented unlike those around it: begin it in the column of its neighbours",
    ),
)


def explain(error: yaml.YAMLError, block: Block, dialect: FileLimits = CHARTER) -> Finding:
    """The finding for what libyaml could not read: the trap, if it is one that we know."""
    problem = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    place = problem or context
    row = min(place.line, len(block.lines) - 1) if place else 0
    begun = context.line if context else row
    for candidate in dict.fromkeys((row, begun, row - 1)):
        if 0 <= candidate < len(block.lines) and (finding := trapped(block, candidate, dialect)):
            return finding
    # libyaml notices an open quotation mark only at the next one, which may stand far below.
    for candidate in range(row + 1):
        if finding := trapped(block, candidate, dialect, (OPEN_QUOTE,)):
            return finding
    if finding := trapped(block, row, dialect, LAYOUT):
        return finding
    column = place.column + 1 + block.indent if place and place.line == row else 1
    reason = clip(str(getattr(error, "problem", None) or "unknown"), 50)
    message = f"{NOT_YAML} ({reason}): write `key: value`, quoting values with special signs"
    return Finding(CODE, Severity.ERROR, message, max(block.first_line + row, 1), column)


def trapped(
    block: Block, row: int, dialect: FileLimits, traps: tuple[YamlMistake, ...] = (*TRAPS, OPEN_QUOTE)
) -> Finding | None:
    """The finding for a line that one of the traps explains."""
    line = block.lines[row]
    for trap in traps:
        match = trap.pattern.match(line) if trap.only in ("", dialect.name) else None
        if match and not line.lstrip().startswith("#"):
            column = match.end("head") + 1 + block.indent
            place = block.first_line + row
            return Finding(
                CODE, Severity.ERROR, trap.message, place, column, fix=trap.meant and trap.meant(match)
            )
    return None


def not_a_mapping(block: Block, dialect: FileLimits = CHARTER) -> Finding:
    """The finding for a block that isn't a mapping, such as `poc:1`."""
    for row in range(len(block.lines)):
        if block.lines[row].startswith(f"{dialect.key}:") and (finding := trapped(block, row, dialect)):
            return finding
    message = f"The {dialect.name} isn't a mapping: write `{dialect.key}: 1` and then one `key: value` a line"
    return Finding(CODE, Severity.ERROR, message, block.first_line)
