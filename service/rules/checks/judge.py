"""One verdict on one charter: what it says, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from service.rules.charter.lines import read_threshold
from service.rules.charter.model import Charter
from service.rules.charter.quantity import Refusal
from service.rules.charter.reader import read_charter
from service.rules.charter.threshold import Threshold, parse_threshold
from service.rules.charter.values import is_unfilled
from service.rules.checks import CHECKS
from service.rules.checks.check import CheckContext
from service.rules.checks.surroundings import NOT_KNOWN, RepositoryFacts
from service.rules.policy.model import NO_POLICY, Policy
from service.rules.source.block import find_block, lines_of
from service.rules.source.loader import Document, in_order, load, rest_of
from service.rules.source.nodes import MOST_ITEMS, Mapping, Node, Sequence, as_text
from service.rules.source.text import UNREADABLE, CharterFile, FileKind, read_text
from service.rules.values.finding import Finding, Severity

KEY = re.compile(r"\s*(?:- )?(?P<key>[a-z_]{1,40})\s*:")
OF_ALL_LINES = frozenset({"done-count", "done-quality", "done-operation", "evidence-metric"})
"""What is said of a list as a whole; nobody knows it where a line is lost."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found at the charter's path.

    `declared` is False where there is no charter: no file, a file without the block, or a file that
    nobody can read. `charter` holds what could be read, also of a charter with errors.
    """

    declared: bool
    charter: Charter | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether there is a charter, and nothing in it is an error."""
        return self.charter is not None and not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that fail a check."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def unreadable(self) -> bool:
        """Whether something stands there that holds no text."""
        return any(finding.code == UNREADABLE for finding in self.findings)


def judge(
    file: CharterFile,
    *,
    before: Charter | None = None,
    today: date,
    outside: RepositoryFacts | None = None,
    policy: Policy = NO_POLICY,
) -> Judgement:
    """Judge a file on a day, compared with the charter before this change; raises on no input.

    What is not known of the world outside is not complained about.
    """
    return _judge(file, before, today, outside or NOT_KNOWN, policy)


@lru_cache(maxsize=256)
def _judge(
    file: CharterFile, before: Charter | None, today: date, outside: RepositoryFacts, policy: Policy
) -> Judgement:
    document = load(file)
    if document.block is None:
        return Judgement(declared=False, findings=document.findings)
    if document.root is None:
        return Judgement(True, findings=in_order(beside_mistakes(document, before, today, outside, policy)))
    charter = read_charter(document.root, document.block, document.lines)
    meant = as_meant(charter, document.root)
    context = CheckContext(document.lines, document.root, meant, before, today, outside, policy)
    return Judgement(True, charter, in_order((*document.findings, *problems(context))))


def beside_mistakes(
    document: Document, before: Charter | None, today: date, outside: RepositoryFacts, policy: Policy
) -> tuple[Finding, ...]:
    """The mistakes in a block that isn't YAML, and what is wrong with the rest of it."""
    rest = rest_of(document)
    if rest.root is None or rest.block is None:
        return rest.mistakes
    first, last = rest.block.first_line, rest.block.last_line
    lines = (*document.lines[: first - 1], *rest.block.lines, *document.lines[last:])
    charter = as_meant(read_charter(rest.root, rest.block, lines), rest.root)
    context = CheckContext(lines, rest.root, charter, before, today, outside, policy)
    lost = [KEY.match(document.lines[line - 1]) for line in rest.lost]
    keys = {f"`{key['key']}`" for key in lost if key}
    told = (
        each
        for each in problems(context)
        if each.line not in rest.lost
        and not (each.code == "missing-key" and any(key in each.message for key in keys))
        and not (rest.lost and each.code in OF_ALL_LINES)
    )
    return (*rest.mistakes, *told)


def as_meant(charter: Charter, root: Mapping) -> Charter:
    """The charter with each slip of the pen read as it was meant: what else is wrong is told with it."""
    done, stop_if = (tuple(meant_thresholds(root.get(key))) for key in ("done", "stop_if"))
    return replace(charter, done=done, stop_if=stop_if)


def meant_thresholds(node: Node | None) -> Iterator[Threshold]:
    """The thresholds of a list, or what was certainly meant by them."""
    items = node.items[:MOST_ITEMS] if isinstance(node, Sequence) else ()
    for item in map(as_text, items):
        if item and not is_unfilled(item.value):
            read = read_threshold(item.value, item.line, item.column)
            if isinstance(read, Refusal) and read.meant:
                read = parse_threshold(read.meant, item.line, item.column)
            if isinstance(read, Threshold):
                yield read


def judge_standing(file: CharterFile, today: date, policy: Policy = NO_POLICY) -> Judgement:
    """Judge a charter that nobody changes: what only time has made false isn't an error then."""
    judgement = judge(file, today=today, policy=policy)
    if judgement.valid:
        return judgement
    return judge(file, before=judgement.charter, today=today, policy=policy)


def declares(file: CharterFile) -> bool:
    """Whether the file calls itself a charter, decided on its text alone."""
    return file.kind is FileKind.FILE and _declares(file)


@lru_cache(maxsize=256)
def _declares(file: CharterFile) -> bool:
    text = read_text(file)
    return isinstance(text, str) and find_block(text, lines_of(text)) is not None


def unreadable(file: CharterFile) -> bool:
    """Whether something stands there that holds no text."""
    return file.kind is not FileKind.ABSENT and isinstance(read_text(file), Finding)


def problems(context: CheckContext) -> tuple[Finding, ...]:
    """What the checks find; a POC that was ended has only to say so."""
    stopped = context.charter.stopped is not None
    checks = (check for check in CHECKS if check.when_stopped or not stopped)
    return tuple(finding for check in checks for finding in check.findings(context))
