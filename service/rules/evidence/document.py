"""A file's bytes as plain values, every number exact: JSON, YAML, or the front matter of Markdown.

Over 300 lines: each format has its reader here, and all of them the same limits.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import NoReturn
from xml.etree import ElementTree as ET

import yaml

from service.rules.source.block import front_matter, lines_of
from service.rules.source.text import shown

LONGEST_NUMBER = 100
LARGEST_EXPONENT, SMALLEST_EXPONENT = 30, -60
# As JSON has them: YAML 1.1 and 1.2 read `010`, `1_000` and `22:30` differently.
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
LONGEST_YAML = 1024 * 1024
MOST_EVENTS = 100_000
MOST_LEVELS = 60
NOT_FINITE = re.compile(r"[+-]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
STRING = "tag:yaml.org,2002:str"
# libyaml compares each directive with all before it.
DIRECTIVE = re.compile(r"^%", re.MULTILINE)
MOST_COMMAS = 500_000
"""What bounds the values of a JSON file, and so the time and the memory that it takes."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
MANY_VALUES = "Extra data"
MLFLOW_METRIC = re.compile(r"(?:^|/)mlruns/(?:[^/]+/)+metrics/[^/]+$")
"""MLflow's file store: a line of time, value and step for each time that a metric was logged."""
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Odd:
    """A value that isn't a number, a text or anything else that JSON has: what it is, and what to do."""

    what: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why nothing can be read from a file, and what to do about it."""

    problem: str


Tree = dict[str, "Tree"] | list["Tree"] | str | int | Decimal | bool | None | Odd
ALIAS = Odd("is a YAML alias: write the value out")
TAGGED = Odd("is a tagged YAML value: write a plain number")


def not_finite(text: str) -> Odd:
    """What `NaN` and `Infinity` are read as: neither is JSON, yet tools write them beside good numbers."""
    return Odd(f"is {'NaN' if 'nan' in text.lower() else 'Infinity'}: measure again")


def decimal_of(text: str) -> Decimal | Odd:
    """The exact value of a number's text, within what anybody measures."""
    if len(text) > LONGEST_NUMBER:
        return Odd(f"has {len(text)} characters: round the number")
    try:
        value = Decimal(text)
    except InvalidOperation:
        return out_of_reach(text)
    if not value:
        return Decimal(0)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < SMALLEST_EXPONENT or value.adjusted() >= LARGEST_EXPONENT:
        return out_of_reach(text)
    return value


def out_of_reach(text: str) -> Odd:
    """What a number beyond 30 digits before the point, or 60 behind it, is read as."""
    return Odd(f"is {shown(text, 14)}, too large or too small to be right: measure again")


class RefusedError(Exception):
    """The file cannot be read further; it never leaves this module."""


def read_yaml(text: str) -> Tree | Unreadable:
    """The values of a YAML document; bounded in time, since aliases are never followed."""
    if len(text) > LONGEST_YAML:
        return Unreadable("larger than 1 MB as YAML: write it as JSON")
    if DIRECTIVE.search(text):
        return Unreadable("a line begins with `%`: delete the directive")
    composer = Composer()
    try:
        for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
            if count >= MOST_EVENTS:
                refuse("too many values for YAML: write them as JSON")
            composer.take(event)
    except RefusedError as refused:
        return Unreadable(str(refused))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return Unreadable(f"line {line} is not YAML: fix it")
    except yaml.YAMLError:
        return Unreadable("a character that YAML refuses: delete it")
    return composer.root


@dataclass(slots=True)
class Open:
    """A list or mapping whose end has not come yet."""

    value: dict[str, Tree] | list[Tree]
    tagged: bool
    key: str | None = None


class Composer:
    """Builds the values of one document from its events."""

    def __init__(self) -> None:
        self.root: Tree = None
        self._open: list[Open] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Add one event to what is built."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                refuse("a second YAML document begins at `---`: keep one")
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self._open.pop()
            self._add(TAGGED if ended.tagged else ended.value)
        elif isinstance(event, yaml.AliasEvent):
            self._add(ALIAS)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= MOST_LEVELS:
            refuse("nested too deep: commit a flat summary")
        if self._wants_key():
            refuse("a list or mapping as a key: write a word before the colon")
        value: dict[str, Tree] | list[Tree] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(Open(value, tagged=bool(event.tag)))

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._wants_key():
            self._open[-1].key = event.value
        elif event.tag and event.tag != STRING:
            self._add(TAGGED)
        else:
            self._add(event.value if event.style or event.tag else plain_value(event.value))

    def _add(self, value: Tree) -> None:
        if not self._open:
            self.root = value
            return
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
            return
        if parent.key is None:
            refuse("an alias as a key: write a word before the colon")
        if parent.key in parent.value:
            refuse(f"{shown(parent.key, 20)} is twice in one mapping: keep one")
        parent.value[parent.key] = value
        parent.key = None


def plain_value(text: str) -> Tree:
    """What a scalar without quotes stands for."""
    if NUMBER.fullmatch(text):
        return decimal_of(text)
    if text in NULLS:
        return None
    if NOT_FINITE.fullmatch(text):
        return not_finite(text)
    return BOOLEANS.get(text, text)


def refuse(problem: str) -> NoReturn:
    """Stop here."""
    raise RefusedError(problem)


def read_document(file: str, data: bytes) -> Tree | Unreadable:
    """The values that a file holds; raises on no input.

    A file of another kind is read as JSON, whatever its name ends in.
    """
    text = read_text(data)
    if isinstance(text, Unreadable):
        return text
    mlflow = MLFLOW_METRIC.search(file)
    return (read_words if mlflow else READERS.get(PurePosixPath(file).suffix.lower(), read_json))(text)


def read_words(text: str) -> Tree:
    """The words of each line, as MLflow's file store has them: time, value and step."""
    return [list(line.split()) for line in text.splitlines()[:MOST_ROWS]]


def read_json_lines(text: str) -> Tree | Unreadable:
    """A list of what each line holds."""
    return read_json(f"[{','.join(line for line in text.splitlines() if line.strip())}]")


def read_csv(text: str) -> Tree | Unreadable:
    """The rows of a table with a header, each as an object of texts."""
    if text.count(",") > MOST_COMMAS:
        return Unreadable("too many values: commit a summary with the number")
    try:
        header, *rows = csv.reader(io.StringIO(text), strict=True)
    except (csv.Error, ValueError):
        return Unreadable("not a table with commas: let the tool write CSV")
    if len(set(header)) != len(header):
        return Unreadable("a column is twice in the header: keep one")
    if any(len(row) != len(header) for row in rows if row):
        return Unreadable("a row has different columns from the header: let the tool write it again")
    return [dict(zip(header, row, strict=True)) for row in rows if row]


def read_junit(text: str) -> Tree | Unreadable:
    """How many tests there were, of all suites: `tests`, `failures`, `errors`, `skipped`, `passed`."""
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", "") or len(text) > LONGEST_YAML:
        return Unreadable("larger than 1 MB, or declares entities: commit JUnit's plain XML")
    try:
        root = ET.fromstring(text)  # noqa: S314 - it has no declaration that could expand
    except (ET.ParseError, ValueError):
        return Unreadable("not XML: let the tool write it again")
    cases = list(root.iter("testcase"))
    if not cases:
        return Unreadable("no `testcase` in it: commit JUnit's XML")
    ends = [{child.tag for child in case} & {"failure", "error", "skipped"} for case in cases]
    counted = Counter(tag for end in ends for tag in end)
    return {
        "tests": len(cases),
        "passed": sum(1 for end in ends if not end),
        "failures": counted["failure"],
        "errors": counted["error"],
        "skipped": counted["skipped"],
    }


def read_text(data: bytes) -> str | Unreadable:
    """The text without its byte order mark."""
    if data.startswith(LFS_POINTER):
        return Unreadable("the file is in Git LFS: commit the file itself")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Unreadable("the file is encoded as UTF-16: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Unreadable("the file isn't UTF-8: save it as UTF-8")
    return text if text.strip() else Unreadable("the file is empty: let the tool write it again")


def read_json(text: str) -> Tree | Unreadable:
    """The values of a JSON file: exact, and no key twice."""
    if text.count(",") > MOST_COMMAS:
        return Unreadable("too many values: commit a summary with the number")
    try:
        tree: Tree = json.loads(
            text, parse_float=decimal_of, parse_constant=not_finite, object_pairs_hook=unique
        )
    except (ValueError, RecursionError) as error:
        return Unreadable(what_json_refuses(error))
    return tree


def what_json_refuses(error: Exception) -> str:
    """Why a text is not JSON, or is more than is read of it."""
    if isinstance(error, DuplicateKeyError):
        return f"{shown(error.key, 20)} is twice in one object: keep one"
    if isinstance(error, RecursionError):
        return "nested too deep: commit a flat summary"
    if not isinstance(error, json.JSONDecodeError):
        return "holds a number of thousands of digits: round it"
    if error.msg == MANY_VALUES:
        return "holds several JSON values: write them as one list"
    return f"line {error.lineno} is not JSON: let the tool write JSON"


class DuplicateKeyError(ValueError):
    """A key that stands twice: parsers differ in which one they take."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def unique(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    """An object whose keys all differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        raise DuplicateKeyError(counted.most_common(1)[0][0])
    return made


def read_front_matter(text: str) -> Tree | Unreadable:
    """The values between `---` and `---` at the top of a Markdown file, such as a model card."""
    block = front_matter(lines_of(text))
    if block is None:
        return Unreadable("no front matter: begin the file with a line `---`")
    if not block.closed:
        return Unreadable("the front matter has no end: add a line `---`")
    return read_yaml(block.text)


READERS: dict[str, Callable[[str], Tree | Unreadable]] = {
    **dict.fromkeys((".yml", ".yaml"), read_yaml),
    **dict.fromkeys((".md", ".markdown"), read_front_matter),
    **dict.fromkeys((".jsonl", ".ndjson"), read_json_lines),
    ".csv": read_csv,
    ".xml": read_junit,
}
"""How a file is read, by the end of its name; any other as JSON."""
