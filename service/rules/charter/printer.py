"""A charter written down again: what is read from it equals what was printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.rules.charter.model import Charter, Infra, InfraEntry, Located, Signoffs, Target
from service.rules.charter.quantity import Quantity
from service.rules.charter.threshold import Threshold, parse_threshold

# What stands bare: letters first, then nothing that YAML could take for a sign of its own.
PLAIN = re.compile(r"[A-Za-z0-9/.][A-Za-z0-9 _./@%<>=$€£~+()'\"|*,-]*(?<! )")
URL = re.compile(r"https?://[A-Za-z0-9_./-]+")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
MARKS = ("#", "```", "~~~", "<!--", "---")
PIECE = 200
MOST_ON_A_LINE = 240


def print_charter(charter: Charter) -> str:
    """The charter as a file, in the fenced form and in the order of the language.

    What has to be escaped takes up to three times its room: a charter with values of several KiB, full of
    quotation marks or of what no editor shows, may print to a block that is larger than 16 KiB.
    """
    prose = [f"# {charter.title}" if charter.title else "", "", *paragraph(charter.summary)]
    return "\n".join([*prose, "```yaml", *block_lines(charter), "```", ""])


def paragraph(summary: str | None) -> Iterator[str]:
    """The first paragraph, set in where its beginning would mean something to Markdown."""
    if summary:
        yield f"    {summary}" if summary.startswith(MARKS) else summary
        yield ""


def block_lines(charter: Charter) -> Iterator[str]:
    """The lines of the block."""
    yield from pair("poc", charter.poc.value if charter.poc else "")
    yield from pair("owner", text(charter.owner))
    yield from pair("ship_by", charter.ship_by.value.isoformat() if charter.ship_by else None)
    yield from section("target", target_values(charter.target))
    yield from thresholds("done", charter.done)
    yield from section("evidence", [(each.metric.value, each.source.value) for each in charter.evidence])
    rollback = charter.rollback
    drill = rollback.drilled.value if rollback.drilled else None
    yield from section(
        "rollback",
        [
            ("how", text(rollback.how)),
            ("within", amount(rollback.within)),
            ("drilled", f"{drill.on.isoformat()} in {drill.took.text}" if drill else None),
        ],
    )
    yield from section("infra", [(name, entry(getattr(charter.infra, name))) for name in Infra.__slots__])
    signoffs = [(name, text(getattr(charter.signoffs, name))) for name in Signoffs.__slots__]
    yield from section("signoffs", signoffs)
    if charter.paused:
        pause = charter.paused.value
        yield from pair("paused", f"until {pause.until.isoformat()} - {pause.reason}")
    if charter.stopped:
        stop = charter.stopped.value
        yield from pair("stopped", f"{stop.on.isoformat()} - {stop.reason}")
    yield from thresholds("stop_if", charter.stop_if)


def target_values(target: Target) -> list[tuple[str, str | None]]:
    """What stands under `target`."""
    return [
        ("environment", text(target.environment)),
        ("measured_in", text(target.measured_in)),
        ("load", amount(target.load)),
        ("data", amount(target.data)),
        ("auth", text(target.auth)),
    ]


def text(value: Located[str] | None) -> str | None:
    """A text as it was written."""
    return value.value if value else None


def amount(value: Located[Quantity] | None) -> str | None:
    """A quantity as it was written."""
    return value.value.text if value else None


def entry(value: Located[InfraEntry] | None) -> str | None:
    """An entry of `infra`."""
    return value.value.written if value else None


def section(name: str, values: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    """A key with keys of its own, where any of them has a value."""
    lines = [f"  {line}" for key, value in values for line in pair(key, value)]
    if lines:
        yield from (f"{name}:", *lines)


def thresholds(name: str, lines: Sequence[Threshold]) -> Iterator[str]:
    """A list of thresholds, each in the form that the grammar prints, unless that is too long."""
    if lines:
        yield f"{name}:"
    for each in lines:
        printed = each.printed
        readable = isinstance(parse_threshold(printed), Threshold)
        yield f"  - {scalar(printed if readable else each.text)}"


def pair(key: str, value: str | None) -> Iterator[str]:
    """A key with its value, on as many lines as that takes."""
    if value is not None:
        yield from f"{scalar(key)}: {scalar(value)}".rstrip().split("\n")


def scalar(value: str) -> str:
    """A value as YAML reads it back: bare where it can be, else in double quotes."""
    short = len(value) <= MOST_ON_A_LINE
    if short and (not value or URL.fullmatch(value) or PLAIN.fullmatch(value)):
        return value
    pieces: list[str] = [""]
    for char in value:
        if len(pieces[-1]) > PIECE:
            pieces.append("\\" if char == " " else "")
        pieces[-1] += escaped(char)
    return '"' + "\\\n    ".join(pieces) + '"'


def escaped(char: str) -> str:
    """A character between double quotes; what no editor shows is written by its number."""
    if char in ESCAPES:
        return ESCAPES[char]
    if char.isprintable() and char != "\ufeff":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
