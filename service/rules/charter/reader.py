"""Nodes become a `Charter`: each value as far as it can be read, silently; the checks say the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from service.rules.charter.evidence import Source, parse_source
from service.rules.charter.line_keys import Key, Waiver, parse_key, parse_waiver
from service.rules.charter.model import Charter, Evidence, Infra, Located, Rollback, Signoffs, Target
from service.rules.charter.quantity import Quantity, Refusal, parse_duration, read_quantity
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.charter.units import Dimension
from service.rules.charter.values import (
    is_unfilled,
    parse_date,
    parse_drill,
    parse_infra,
    parse_login,
    parse_not_needed,
    parse_pause,
    parse_stop,
)
from service.rules.source.block import Block, Fence, fence_of
from service.rules.source.nodes import MOST_ITEMS, Mapping, Node, Scalar, Sequence
from service.rules.values.groups import NEEDED, Group

HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<title>[^\n]*?)[ \t#]*")
COMMENT, COMMENT_END = "<!--", "-->"
MOST_LINES = 400
MOST_CHARACTERS = 1000


def prose_lines(lines: tuple[str, ...], opening: int, last: int) -> Iterator[tuple[int, str]]:
    """The first lines outside of the block, with their numbers; code and comments count as empty."""
    opened: Fence | None = None
    commented = False
    for number, line in enumerate(lines[: last + 1 + MOST_LINES], start=1):
        if opening <= number <= last + 1:
            opened, commented = None, False
            text = ""
        elif opened:
            fence, text = fence_of(line, number), ""
            opened = None if fence and fence.closes(opened) else opened
        elif commented or line.lstrip().startswith(COMMENT):
            commented, text = COMMENT_END not in line, ""
        elif (fence := fence_of(line, number)) and fence.can_open:
            opened, text = fence, ""
        else:
            text = line[:MOST_CHARACTERS]
        yield number, text


def read_prose(lines: tuple[str, ...], opening: int, last: int) -> tuple[str | None, str | None]:
    """The first heading and the first paragraph."""
    title: str | None = None
    paragraph: list[str] = []
    for _, line in prose_lines(lines, opening, last):
        heading = HEADING.fullmatch(line)
        if heading and title is None:
            title = heading["title"].strip() or None
        elif line.strip() and not heading:
            paragraph.append(line.strip())
        elif paragraph:
            break
    return title, " ".join(paragraph) or None


T = TypeVar("T")
NOTHING = Mapping((), 1, 1)


def read_charter(root: Mapping, block: Block, lines: tuple[str, ...]) -> Charter:
    """The charter that a block's nodes hold."""
    rollback, infra = section(root, "rollback"), section(root, "infra")
    title, summary = read_prose(lines, block.opening_line, block.last_line)
    done = root.entry("done")
    return Charter(
        line=block.first_line,
        poc=read(root, "poc", str),
        owner=read(root, "owner", parse_login),
        ship_by=read(root, "ship_by", parse_date),
        target=read_target(section(root, "target")),
        done=tuple(read_thresholds(root.get("done"))),
        evidence=tuple(read_evidence(section(root, "evidence"))),
        rollback=Rollback(
            read(rollback, "how", str),
            read(rollback, "within", duration),
            read(rollback, "drilled", parse_drill),
        ),
        infra=Infra(**{entry: read(infra, entry, parse_infra) for entry in Infra.__slots__}),
        signoffs=read_signoffs(section(root, "signoffs")),
        waived=tuple(read_waivers(root.get("waived"))),
        paused=read(root, "paused", parse_pause),
        stopped=read(root, "stopped", parse_stop),
        budget=read(root, "budget", money),
        stop_if=tuple(read_thresholds(root.get("stop_if"))),
        title=title,
        summary=summary,
        last_line=block.last_line,
        done_line=done.key.line if done else block.first_line,
    )


def section(root: Mapping, key: str) -> Mapping:
    """The mapping under a key; an empty one where there is none."""
    node = root.get(key)
    return node if isinstance(node, Mapping) else NOTHING


def read(parent: Mapping, key: str, parse: Callable[[str], T | None]) -> Located[T] | None:
    """The parsed value of a key, with its place."""
    node = parent.get(key)
    if not isinstance(node, Scalar) or is_unfilled(node.value):
        return None
    value = parse(node.value)
    return None if value is None else Located(value, node.line, node.column)


def read_target(target: Mapping) -> Target:
    """The values under `target`."""
    return Target(
        environment=read(target, "environment", str),
        measured_in=read(target, "measured_in", str),
        load=read(target, "load", read_quantity),
        data=read(target, "data", read_quantity),
        auth=read(target, "auth", str),
    )


def read_signoffs(signoffs: Mapping) -> Signoffs:
    """The values under `signoffs`."""
    people = {str(group): read(signoffs, group, parse_login) for group in Group}
    reasons = ((group, read(signoffs, group, parse_not_needed)) for group in Group if group not in NEEDED)
    return Signoffs(**people, not_needed=tuple((group, reason) for group, reason in reasons if reason))


def duration(text: str) -> Quantity | None:
    """A quantity of time, or None."""
    parsed = parse_duration(text)
    return None if isinstance(parsed, Refusal) else parsed


def money(text: str) -> Quantity | None:
    """A sum of money, or None."""
    read = read_quantity(text)
    return read if read and read.unit.dimension is Dimension.MONEY and read.value > 0 else None


def read_thresholds(node: Node | None) -> Iterator[Threshold]:
    """The first lines of a list, as far as they parse."""
    for item in node.items[:MOST_ITEMS] if isinstance(node, Sequence) else ():
        if isinstance(item, Scalar):
            threshold = parse_threshold(item.value, item.line, item.column)
            if isinstance(threshold, Threshold):
                yield threshold


def read_waivers(node: Node | None) -> Iterator[Located[Waiver]]:
    """The first waivers of a list, as far as they parse."""
    for item in node.items[:MOST_ITEMS] if isinstance(node, Sequence) else ():
        waiver = parse_waiver(item.value) if isinstance(item, Scalar) else None
        if isinstance(item, Scalar) and isinstance(waiver, Waiver):
            yield Located(waiver, item.line, item.column)


def read_evidence(node: Mapping) -> Iterator[Evidence]:
    """The first sources under `evidence`, as far as they parse."""
    for entry in node.entries[:MOST_ITEMS]:
        if isinstance(entry.value, Scalar) and not is_unfilled(entry.value.value):
            name, value = entry.key, entry.value
            key, reading = parse_key(name.value), parse_source(value.value)
            if isinstance(key, Key) and isinstance(reading, Source):
                metric = Located(name.value, name.line, name.column)
                yield Evidence(metric, Located(value.value, value.line, value.column), key, reading)
