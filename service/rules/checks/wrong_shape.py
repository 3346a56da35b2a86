"""A list where a word belongs, a word where keys belong."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.layout import CHARTER, Field, Shape
from service.rules.charter.nodes import Mapping, Node, Scalar, Sequence
from service.rules.charter.sheet import Check, Complaint, Example, Sheet
from service.rules.charter.threshold import EXAMPLE, Threshold, parse_threshold
from service.rules.charter.wording import listed

KEYED = (Shape.SECTION, Shape.METRICS)


def find(sheet: Sheet) -> Iterator[Complaint]:
    """Values whose shape is not the one that their key holds."""
    for entry in sheet.root.entries:
        field = CHARTER.field(entry.key.value)
        if field:
            yield from misshapen(sheet, field, entry.value)


def misshapen(sheet: Sheet, field: Field, node: Node) -> Iterator[Complaint]:
    """The complaints about one key and what is below it."""
    if field.shape is Shape.LIST:
        yield from misshapen_list(sheet, field, node)
    elif field.shape not in KEYED:
        if not isinstance(node, Scalar):
            yield Complaint(one_value(sheet, field), node)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            inner = field.field(entry.key.value)
            if inner:
                yield from misshapen(sheet, inner, entry.value)
            elif field.shape is Shape.METRICS and not isinstance(entry.value, Scalar):
                yield Complaint("Evidence is one line: write `<metric>: <file> <JSONPath>`", entry.value)
    elif isinstance(node, Sequence) or node.value.strip() or field.shape is Shape.SECTION:
        yield Complaint(keys_of(field), node)


def one_value(sheet: Sheet, field: Field) -> str:
    """What to write for a key that takes one value."""
    if field.name == "owner":
        return "A POC has one owner: write one login, like `owner: jane-doe`"
    return f"`{field.name}` takes one value: write `{field.name}: {field.sample(sheet.today)}`"


def keys_of(field: Field) -> str:
    """What to write for a key that has keys of its own."""
    if field.shape is Shape.METRICS:
        return f"`{field.name}` has a line for each metric: write `<metric>: <file> <JSONPath>` below it"
    names = listed(tuple(each.name for each in field.fields))
    return f"`{field.name}` has keys of its own: write {names} below it"


def misshapen_list(sheet: Sheet, field: Field, node: Node) -> Iterator[Complaint]:
    """The complaints about `done` and `stop_if`."""
    if not isinstance(node, Sequence):
        if isinstance(node, Mapping) or node.value.strip() or field.required:
            yield Complaint(f"`{field.name}` is a list: write one threshold a line, like `- {EXAMPLE}`", node)
        return
    for item in node.items:
        if isinstance(item, Mapping):
            message = f"A colon makes this line a mapping: write it without, like `{EXAMPLE}`"
            yield Complaint(message, item, without_colon(sheet, item))
        elif isinstance(item, Sequence):
            yield Complaint(f"A list inside the list: write one threshold a line, like `- {EXAMPLE}`", item)


def without_colon(sheet: Sheet, item: Mapping) -> str | None:
    """The line that was meant by `- accuracy: ">= 92 %"`."""
    if len(item.entries) != 1 or not isinstance(item.entries[0].value, Scalar):
        return None
    key, value = item.entries[0].key, item.entries[0].value
    meant = f"{key.value} {value.value}"
    if not isinstance(parse_threshold(meant), Threshold) or key.line != value.end_line:
        return None
    line = sheet.lines[key.line - 1]
    return f"{line[: key.column - 1]}{meant}{line[value.end_column - 1 :]}"


CHECK = Check(
    "wrong-shape",
    "Each key holds what its kind of value is.",
    find,
    when_stopped=True,
    why="A list where one value is read, or the reverse, would be lost.",
    examples=(
        Example("owner: [jane-doe, john-roe]", "owner: jane-doe"),
        Example(
            "done: accuracy",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms",
        ),
    ),
)
