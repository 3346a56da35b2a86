"""What a check sees, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from service.rules.charter.metrics import Metric
from service.rules.charter.model import Charter
from service.rules.charter.threshold import Threshold
from service.rules.charter.values import in_smart_quotes, is_unfilled
from service.rules.checks.surroundings import NOT_KNOWN, RepositoryFacts
from service.rules.policy.model import NO_POLICY, Policy
from service.rules.source.nodes import MOST_ITEMS, Entry, Mapping, Node, Place, Scalar, Sequence, as_text
from service.rules.values.finding import Finding, Severity

MOST_FINDINGS = 75


@dataclass(frozen=True, slots=True)
class CheckContext:
    """A charter on the table: its lines, its nodes, its values, and what it is compared with."""

    lines: tuple[str, ...]
    root: Mapping
    charter: Charter
    before: Charter | None
    today: date
    outside: RepositoryFacts = NOT_KNOWN
    policy: Policy = NO_POLICY

    def node(self, *path: str) -> Node | None:
        """The node under a path of keys."""
        node: Node | None = self.root
        for key in path:
            node = node.get(key) if isinstance(node, Mapping) else None
        return node

    def text(self, *path: str) -> Scalar | None:
        """The value under a path; None also where another check says that it is open, or wrongly quoted."""
        node = self.node(*path)
        if not isinstance(node, Scalar) or is_unfilled(node.value) or in_smart_quotes(node.value):
            return None
        return node

    def texts(self, *path: str) -> tuple[Scalar, ...]:
        """The first values of a list, those left out that are still to be written."""
        node = self.node(*path)
        items = node.items[:MOST_ITEMS] if isinstance(node, Sequence) else ()
        return tuple(item for item in items if isinstance(item, Scalar) and not is_unfilled(item.value))

    def thresholds(self, *keys: str) -> Iterator[tuple[Scalar, Threshold]]:
        """The lines of these lists that parse, each as written and as read."""
        for key in keys:
            read = self.charter.done if key == "done" else self.charter.stop_if
            node = self.node(key)
            items = node.items[:MOST_ITEMS] if isinstance(node, Sequence) else ()
            places = {(item.line, item.column): item for item in map(as_text, items) if item}
            for threshold in read:
                item = places.get((threshold.line, threshold.column))
                if item:
                    yield item, threshold

    def all_read(self) -> bool:
        """Whether every line of `done` parses."""
        node = self.node("done")
        return isinstance(node, Sequence) and len(node.items) == len(self.charter.done)

    def done_metrics(self) -> tuple[Metric, ...]:
        """The metrics of `done`; none where one line does not parse, or is on none of the table."""
        done = self.charter.done
        known = tuple(threshold.known for threshold in done if threshold.known)
        return known if self.all_read() and len(known) == len(done) else ()

    def entries(self, key: str) -> tuple[Entry, ...]:
        """The first entries of a mapping."""
        node = self.node(key)
        return node.entries[:MOST_ITEMS] if isinstance(node, Mapping) else ()

    def key(self, *path: str) -> Place:
        """Where the last key of the path that exists stands."""
        node, place = self.root, self.root.entries[0].key if self.root.entries else self.root
        for name in path:
            entry = node.entry(name)
            place = entry.key if entry else place
            if entry is None or not isinstance(entry.value, Mapping):
                break
            node = entry.value
        return place

    def is_to_come(self, day: date) -> bool:
        """Whether a day is in the future: somebody east of UTC writes tomorrow's date today."""
        return day > self.today + timedelta(days=1)

    def severity(self, value: Callable[[Charter], object]) -> Severity:
        """An error where this change writes the value; time alone turns nothing red, it is a notice then."""
        written = self.before is None or value(self.before) != value(self.charter)
        return Severity.ERROR if written else Severity.NOTICE

    def line_with(self, scalar: Scalar, value: str) -> str | None:
        """The scalar's line with another value in its place; None where it takes several lines."""
        return scalar.replaced(self.lines, value)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a check has to say about one place; `severity` where it differs from the check's own.

    `fix` is the line that was certainly meant, `example` one that could be; `insert` if it replaces none.
    """

    message: str
    at: Place
    fix: str | None = None
    severity: Severity | None = None
    offset: int = 0
    example: str | None = None
    insert: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """Lines that a check complains of, and lines that settle it.

    They stand under `section`: a key of the charter, `body` for the Markdown around it, or empty for
    the top of the block.
    """

    bad: str
    good: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule of the charter under a code that stays."""

    code: str
    about: str
    """What it asks for, as a sentence."""
    find: Callable[[CheckContext], Iterator[Problem]]
    severity: Severity
    when_stopped: bool
    """Whether a POC that was ended must still obey."""
    why: str
    """The reason, as a sentence or two."""
    examples: tuple[Example, ...]

    def findings(self, context: CheckContext) -> Iterator[Finding]:
        """The first complaints as findings: nobody reads more at once."""
        for problem in islice(self.find(context), MOST_FINDINGS):
            severity = problem.severity or self.severity
            line, column = problem.at.line, problem.at.column + problem.offset
            below = line if problem.insert else None
            yield Finding(
                self.code, severity, problem.message, line, column, None, problem.fix, problem.example, below
            )


def check(
    severity: Severity = Severity.ERROR,
    *,
    when_stopped: bool = False,
    why: str,
    examples: tuple[Example, ...],
) -> Callable[[Callable[[CheckContext], Iterator[Problem]]], Check]:
    """Make a function a check: its name gives the code, its docstring says what the check asks for."""

    def made(find: Callable[[CheckContext], Iterator[Problem]]) -> Check:
        code = find.__name__.replace("_", "-")
        return Check(code, find.__doc__ or "", find, severity, when_stopped, why, examples)

    return made
