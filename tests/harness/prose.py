"""The house style as a table: turns of phrase that a reader would have to translate, and what to write.

`proselint` looks for other mistakes, and doesn't take rules of our own.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that isn't used, what to write instead, and why."""

    pattern: str
    instead: str
    why: str

    def breaches(self, text: str) -> Iterator[re.Match[str]]:
        """Each place where the pattern is used, as whole words."""
        return re.finditer(whole(self.pattern), text, re.IGNORECASE)


ARCHAIC = "nobody says it any more"
FOREIGN = "translated word by word"
RULES = (
    Rule(r"mend(?:s|ed|ing)?", "fix", ARCHAIC),
    Rule(r"dear(?:er|est|ly)?", "expensive", "in English it begins a letter"),
    Rule(r"lack(?:s|ed|ing)?", "is missing, is without", "stiff"),
    Rule(r"beforehand", "in advance, first", "stiff"),
    Rule(r"as (?:it|they) stands?", "as is", "stiff"),
    Rule(
        r"(?<!there )(?<!here )(?<!where )(?:is|are) no (?!longer\b|more than\b|less than\b|such\b)\w+",
        "isn't a ...",
        FOREIGN,
    ),
    Rule(r"knows? (?:no(?! longer)|nobody|nothing)", "doesn't know", FOREIGN),
    Rule(r"can(?:not)? be had", "can be fetched, found, installed", FOREIGN),
    Rule(r"for ever", "forever", ARCHAIC),
    Rule(r"how many-th", "which", FOREIGN),
    Rule(r"whosoever|whomever", "who", "stiff"),
    Rule(r"amiss", "wrong", ARCHAIC),
    Rule(r"in the way of", "why not", FOREIGN),
    Rule(
        r"besides which|wherein|whereof|thereof|therein|hitherto|heretofore",
        "say it in two sentences",
        ARCHAIC,
    ),
    Rule(
        r"look(?:s|ed|ing)? (?:at|on) (?:a|the) (?:subject|POC|pull request)s?",
        "reconcile",
        "one word for it",
    ),
    Rule(r"a look (?:reads|takes|writes|that|at a)", "a reconciliation", "one word for it"),
)
"""For every document, template, message and comment."""
MESSAGES = (
    Rule(r"cannot", "can't", "how people say it"),
    Rule(r"begin again", "start again", "how people say it"),
    Rule(r"as (?:it is|they are)", "as is, or say what stays the same", FOREIGN),
    Rule(r"(?:that|this) is said once", "we say this once", "say who does it"),
    Rule(r"still to come", "in the future", FOREIGN),
    Rule(r"asked of", "checked with", FOREIGN),
    Rule(r"stands? (?:in|on|below|beside|behind|here|alone|twice)", "is in, goes below", "only people stand"),
    Rule(r"belongs? (?:an?|the) \w+", "this has to be a ...", FOREIGN),
    Rule(r"was begun|were begun", "was started", "stiff"),
    Rule(r"those (?:who|whom)", "people who", "stiff"),
    Rule(r"by (?:\w+['’]s|whose) word", "because it says so", FOREIGN),
)
"""For what users read: documents, templates and messages."""

JINJA = re.compile(r"\{#.*?#\}", re.DOTALL)
CODE = re.compile(r"^```.*?^```|``[^\n]+?``|`[^`\n]+`", re.DOTALL | re.MULTILINE)
"""Quoted text is as the program or its user writes it."""
SENTENCE = re.compile(r"[A-Za-z’']{2,}[ ,]+[A-Za-z’']{2,}")
"""Two words beside each other: what makes a string a text."""
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|WITH|EXISTS)\b")


def blank(part: re.Pattern[str], text: str) -> str:
    """The text without the parts that match, its lines kept."""
    return part.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def found_in(text: str, rules: tuple[Rule, ...], *, first: int = 1) -> Iterator[tuple[int, str, str]]:
    """Each turn of phrase that a rule is against: its line, itself, and what to write."""
    if any_of(rules).search(text):
        for rule in rules:
            for match in rule.breaches(text):
                yield first + text.count("\n", 0, match.start()), match[0], rule.instead


@cache
def any_of(rules: tuple[Rule, ...]) -> re.Pattern[str]:
    """All patterns as one: hardly any text has any of them."""
    return re.compile("|".join(f"(?:{whole(rule.pattern)})" for rule in rules), re.IGNORECASE)


def whole(pattern: str) -> str:
    """A pattern that matches whole words only, also where a line ends between them."""
    return rf"\b(?:{pattern})(?!\w)".replace(" ", r"\s")


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The string literals of a module that are texts, with their lines; `{}` stands for what is filled in."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    others = {id(piece) for node in nodes if isinstance(node, ast.JoinedStr) for piece in node.values}
    others |= {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if id(node) not in others and SENTENCE.search(text) and not SQL.search(text):
            yield node.lineno, text


def remarks(path: Path) -> Iterator[tuple[int, str]]:
    """The comments and docstrings of a module, with their lines."""
    source = path.read_text()
    if not any_of(RULES).search(source):
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.lineno, str(node.value.value)
