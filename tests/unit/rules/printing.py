"""A charter written down again: what is read from it equals what was printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.rules.charter.amend import pair, scalar
from service.rules.charter.model import Charter, Located, Target
from service.rules.charter.quantity import Quantity
from service.rules.charter.threshold import Threshold, parse_threshold

MARKS = ("#", "```", "~~~", "<!--", "---")


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
    yield from section("infra", [(name, each.value.written) for name, each in charter.infra.entries if each])
    signers = [(group, signer.value) for group, signer in charter.signoffs.by_group().items()]
    absent = [(group, f"n/a - {reason.value}") for group, reason in charter.signoffs.not_needed]
    yield from section("signoffs", [*signers, *absent])
    if charter.waived:
        yield "waived:"
    for each in charter.waived:
        yield f"  - {scalar(each.value.written)}"
    if charter.paused:
        pause = charter.paused.value
        yield from pair("paused", f"until {pause.until.isoformat()} - {pause.reason}")
    if charter.stopped:
        stop = charter.stopped.value
        yield from pair("stopped", f"{stop.on.isoformat()} - {stop.reason}")
    yield from pair("budget", amount(charter.budget))
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
