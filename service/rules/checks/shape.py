"""The keys of a charter: whether they are there, known, of the right shape, and filled in."""

from __future__ import annotations

from collections.abc import Iterator

from service.rules.charter.examples import example_of, with_example
from service.rules.charter.keys import CHARTER, Field, Shape, meant_key, misspelt, unknown_entries
from service.rules.charter.lines import read_threshold
from service.rules.charter.metrics import metric_of
from service.rules.charter.quantity import Refusal
from service.rules.charter.threshold import EXAMPLE, Threshold
from service.rules.charter.values import in_smart_quotes, is_unfilled
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.nodes import Entry, Mapping, Node, Place, Scalar, Sequence, as_text, scalars
from service.rules.source.text import listed, shown

SHOWN_KEYS, MOST_NAMED = 20, 6
# Keys that people expect, and where what they would say is found instead.
ELSEWHERE = {
    "name": "the name is the Markdown heading: delete this line",
    "title": "the title is the Markdown heading: delete this line",
    "description": "prose goes below the block, in Markdown: move it there",
    "status": "we work out the state from what happens: delete this line",
    "state": "we work out the state from what happens: delete this line",
    "environment": "the environment belongs under `target`: move it there",
    "team": "one person owns a POC: write `owner` instead",
}
KEYED = (Shape.SECTION, Shape.METRICS)


@check(
    why="Each key answers a question that comes up after the demo, when it's expensive to answer.",
    examples=(Example("", "owner: jane-doe"),),
)
def missing_key(context: CheckContext) -> Iterator[Problem]:
    """Every required key is there."""
    for field in lacking(CHARTER, context.root):
        yield to_add(top_level(context, field), context.key(), field, indent=0)
    for section, node in known(context):
        if not isinstance(node, Mapping):
            continue
        indent = node.entries[0].key.column - 1 if node.entries else 2
        for field in lacking(section, node):
            message = f"`{field.name}` is missing in `{section.name}`: add {field.asks}"
            yield to_add(message, context.key(section.name), field, indent)


def known(context: CheckContext) -> Iterator[tuple[Field, Node]]:
    """The keys at the top that are keys of the language, with their values."""
    for entry in context.root.entries:
        if field := CHARTER.field(entry.key.value):
            yield field, entry.value


def lacking(section: Field, node: Mapping) -> Iterator[Field]:
    """The required keys that are not there, nor under a misspelt name."""
    elsewhere = misspelt(section, node)
    for field in section.fields:
        if field.required and node.get(field.name) is None and field.name not in elsewhere:
            yield field


def top_level(context: CheckContext, field: Field) -> str:
    """What to add to the charter."""
    if field.shape is Shape.SECTION:
        names = tuple(inner.name for inner in field.fields if inner.required)
        return f"`{field.name}` is missing ({field.asks}): add it, with {listed(names)}"
    if field.shape is Shape.LIST:
        return f"`{field.name}` is missing: add {field.asks}, for example `- {field.sample(context.today)}`"
    sample = f"{field.name}: {field.sample(context.today)}"
    return f"`{field.name}` is missing: add {field.asks}, for example `{sample}`"


def to_add(message: str, at: Place, field: Field, indent: int) -> Problem:
    """What is missing, with the line to add where one is enough: its value is still to be written."""
    if field.shape not in (Shape.TEXT, Shape.DATE):
        return Problem(message, at)
    example = f"{' ' * indent}{field.name}: <{field.placeholder or field.name.replace('_', ' ')}>"
    return Problem(message, at, example=example, insert=True)


@check(
    when_stopped=True,
    why="Nobody reads a misspelt key, so its value would be missing.",
    examples=(Example("ship_day: 2027-02-26", "ship_by: 2027-02-26"),),
)
def unknown_key(context: CheckContext) -> Iterator[Problem]:
    """Only the keys of the language stand in a charter."""
    for section, node in ((CHARTER, context.root), *known(context)):
        if section.shape is Shape.SECTION and isinstance(node, Mapping):
            for entry in unknown_entries(section, node):
                yield problem(context, section, node, entry)


def problem(context: CheckContext, section: Field, node: Mapping, entry: Entry) -> Problem:
    """One unknown key, with the key that was meant where one is near."""
    name = entry.key.value
    if section is CHARTER and name in ELSEWHERE:
        return Problem(f"No key {shown(name)} here; {ELSEWHERE[name]}", entry.key)
    meant = meant_key(section, node, name)
    if meant:
        fix = context.line_with(entry.key, meant)
        return Problem(f"No key {shown(name, SHOWN_KEYS)} here: write `{meant}`", entry.key, fix)
    place = "a charter" if section is CHARTER else f"`{section.name}`"
    return Problem(
        f"No key {shown(name, SHOWN_KEYS)} in {place}: delete it, or move it below the block", entry.key
    )


@check(
    when_stopped=True,
    why="A list in place of one value would be lost, and so would one value in place of a list.",
    examples=(
        Example("owner: [jane-doe, john-roe]", "owner: jane-doe"),
        Example(
            "done: accuracy",
            "done:\n  - accuracy >= 92 % on holdout with n >= 2000\n  - latency_p95 <= 300 ms",
        ),
    ),
)
def wrong_shape(context: CheckContext) -> Iterator[Problem]:
    """Each key holds what its kind of value is."""
    for field, node in known(context):
        yield from misshapen(context, field, node)


def misshapen(context: CheckContext, field: Field, node: Node) -> Iterator[Problem]:
    """The complaints about one key and what is below it."""
    if field.shape is Shape.LIST:
        yield from misshapen_list(context, field, node)
    elif field.shape is Shape.WAIVERS:
        yield from misshapen_waivers(context, field, node)
    elif field.shape not in KEYED:
        if not isinstance(node, Scalar):
            yield Problem(one_value(context, field), node)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            inner = field.field(entry.key.value)
            if inner:
                yield from misshapen(context, inner, entry.value)
            elif field.shape is Shape.METRICS and not isinstance(entry.value, Scalar):
                yield Problem("Evidence is one line: write `<metric>: <file> <JSONPath>`", entry.value)
    elif isinstance(node, Sequence) or node.value.strip() or field.shape is Shape.SECTION:
        yield Problem(keys_of(field), node)


def one_value(context: CheckContext, field: Field) -> str:
    """What to write for a key that takes one value."""
    if field.name == "owner":
        return "A POC has one owner: write one login, for example `owner: jane-doe`"
    return (
        f"`{field.name}` takes one value: write it alone, as in `{field.name}: {field.sample(context.today)}`"
    )


def keys_of(field: Field) -> str:
    """What to write for a key that has keys of its own."""
    if field.shape is Shape.METRICS:
        return f"`{field.name}` has a line for each metric: write `<metric>: <file> <JSONPath>` below it"
    all_fit = len(field.fields) <= MOST_NAMED
    names = listed(tuple(each.name for each in field.fields if all_fit or each.required))
    return f"`{field.name}` has keys of its own: write {names} below it"


def misshapen_list(context: CheckContext, field: Field, node: Node) -> Iterator[Problem]:
    """The complaints about `done` and `stop_if`."""
    if not isinstance(node, Sequence):
        if isinstance(node, Mapping) or node.value.strip() or field.required:
            yield Problem(
                f"`{field.name}` is a list: write one threshold a line, for example `- {EXAMPLE}`", node
            )
        return
    for item in node.items:
        if isinstance(item, Mapping):
            yield without_colon(context, item)
        elif isinstance(item, Sequence):
            yield Problem(
                f"A list inside the list: write one threshold a line, for example `- {EXAMPLE}`", item
            )


def misshapen_waivers(context: CheckContext, field: Field, node: Node) -> Iterator[Problem]:
    """The complaints about `waived`."""
    example = f"`- {field.sample(context.today)}`"
    if isinstance(node, Scalar):
        if node.value.strip():
            yield Problem(f"`{field.name}` is a list: begin each line with a dash, as in {example}", node)
    elif isinstance(node, Mapping):
        yield Problem(f"`{field.name}` is a list: begin each line with a dash, as in {example}", node)
    else:
        for item in node.items:
            if not isinstance(item, Scalar):
                yield Problem("A colon or a list inside: put the line in double quotes behind its dash", item)


def without_colon(context: CheckContext, item: Mapping) -> Problem:
    """What is said of `- accuracy: ">= 92 %"`, with the line that was meant where that is certain."""
    text = as_text(item)
    read = read_threshold(text.value) if text else Refusal("")
    meant, example = (None, EXAMPLE) if isinstance(read, Threshold) else (read.meant, read.example or EXAMPLE)
    if text and isinstance(read, Threshold):
        meant = text.value
    if text and meant and (fix := context.line_with(text, meant)):
        return Problem(f"A colon makes this line a mapping: write {shown(meant, 60)}", item, fix)
    message = with_example("A colon makes this line a mapping: write it without, for example", example)
    return Problem(message, item, example=context.line_with(text, example) if text else None)


@check(
    why="A placeholder looks like a decision until somebody needs it.",
    examples=(Example("owner: TODO", "owner: jane-doe"),),
)
def unfilled(context: CheckContext) -> Iterator[Problem]:
    """Every value is written."""
    for field, node in known(context):
        yield from open_values(context, field, node)


def open_values(context: CheckContext, field: Field, node: Node) -> Iterator[Problem]:
    """The values at or below a key that are still to be written."""
    if isinstance(node, Mapping):
        for entry in node.entries:
            inner = field.field(entry.key.value) or field
            yield from open_values(context, inner, entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar) and is_unfilled(item.value):
                example = of_its_metric(item) if field.shape is Shape.LIST else field.sample(context.today)
                yield Problem(f"This line is still open: write one, for example `{example}`", item)
    elif is_unfilled(node.value) and (field.required or node.value.strip()):
        yield Problem(remedy(context, field), node)


def of_its_metric(item: Scalar) -> str:
    """An example for a threshold that is still open: of the metric that it names, if we know it."""
    metric = metric_of(item.value.partition(" ")[0])
    return example_of(metric) if metric else EXAMPLE


def remedy(context: CheckContext, field: Field) -> str:
    """What to write for a key."""
    if field.shape in (Shape.SECTION, Shape.METRICS, Shape.LIST, Shape.WAIVERS):
        return f"`{field.name}` is still open: write {field.asks}"
    return with_example(
        f"`{field.name}` is still open: write {field.asks}, for example", field.sample(context.today)
    )


@check(
    when_stopped=True,
    why="YAML reads typographic quotation marks as part of the value.",
    examples=(Example("owner: “jane-doe”", 'owner: "jane-doe"'),),
)
def smart_quotes(context: CheckContext) -> Iterator[Problem]:
    """Quotation marks are straight."""
    for scalar in scalars(context.root):
        text = scalar.value
        if in_smart_quotes(text) and scalar.plain:
            fix = context.line_with(scalar, f'"{text[1:-1]}"') if not set('"\\') & set(text) else None
            yield Problem("These quotation marks would be part of the value: use straight ones", scalar, fix)


@check(
    when_stopped=True,
    why="The version says which rules the charter was written for.",
    examples=(Example("poc: 2", "poc: 1"),),
)
def version(context: CheckContext) -> Iterator[Problem]:
    """`poc: 1` is the version that is read."""
    version = context.text("poc")
    if version and version.value != "1":
        message = f"There is no version {shown(version.value)} of the charter: write `poc: 1`"
        yield Problem(message, version, context.line_with(version, "1"))
