"""YAML as a tree of values: numbers only as JSON writes them, and nothing that YAML can do beyond."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

import yaml

from service.rules.evidence.tree import NUMBER, Odd, Tree, Unreadable, decimal_of, not_finite
from service.rules.source.wording import shown

MOST_CHARACTERS = 1024 * 1024
MOST_EVENTS = 100_000
MOST_LEVELS = 60
NOT_FINITE = re.compile(r"[+-]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
ALIAS = Odd("is a YAML alias: write the value out")
TAGGED = Odd("is a tagged YAML value: write a plain number")
STRING = "tag:yaml.org,2002:str"
# libyaml compares each directive with all before it.
DIRECTIVE = re.compile(r"^%", re.MULTILINE)


class RefusedError(Exception):
    """The file cannot be read further; it never leaves this module."""


def read_yaml(text: str) -> Tree | Unreadable:
    """The values of a YAML document; bounded in time, since aliases are never followed."""
    if len(text) > MOST_CHARACTERS:
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
        return Unreadable(f"line {line} is not YAML: correct it")
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
            refuse(f"{shown(parent.key, 20)} stands twice in one mapping: keep one")
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
