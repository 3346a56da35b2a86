"""One verdict on one charter: what it says, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from service.rules.charter.model import Charter
from service.rules.charter.reader import read_charter
from service.rules.checks import CHECKS
from service.rules.checks.check import CheckContext
from service.rules.checks.surroundings import NOT_KNOWN, RepositoryFacts
from service.rules.policy.model import NO_POLICY, Policy
from service.rules.source.block import find_block, lines_of
from service.rules.source.loader import in_order, load
from service.rules.source.text import UNREADABLE, CharterFile, FileKind, read_text
from service.rules.values.finding import Finding, Severity


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
        return Judgement(declared=True, findings=in_order(document.findings))
    charter = read_charter(document.root, document.block, document.lines)
    context = CheckContext(document.lines, document.root, charter, before, today, outside, policy)
    return Judgement(True, charter, in_order((*document.findings, *problems(context))))


def judge_standing(file: CharterFile, today: date, policy: Policy = NO_POLICY) -> Judgement:
    """Judge a charter that nobody changes: what only time has made false is no error then (design 5.5)."""
    judgement = judge(file, today=today, policy=policy)
    if judgement.valid:
        return judgement
    return judge(file, before=judgement.charter, today=today, policy=policy)


def declares(file: CharterFile) -> bool:
    """Whether the file calls itself a charter, decided on its text alone."""
    if file.kind is not FileKind.FILE:
        return False
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
