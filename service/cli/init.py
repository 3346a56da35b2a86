"""`poc-governor init`: a charter with what git tells and what its author answers; the rest is marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from service.cli.git import guess_login, guess_repository
from service.rules.charter.draft import PRODUCTION, STAGING, draft, scalar
from service.rules.charter.keys import CHARTER, Field
from service.rules.charter.values import LOGIN, PATH, bare_login, is_unfilled
from service.rules.checks.judge import judge
from service.rules.source.loader import load
from service.rules.source.nodes import Mapping, Node, Scalar, Sequence
from service.rules.source.text import MAX_FILE_BYTES, CharterFile, FileKind
from service.rules.values.finding import Finding

Key = str | int
Say = Callable[[str], None]
Ask = Callable[[str], str]
"""Shows a prompt and returns the line that was typed; raises EOFError where there is none."""

MOST_WORKFLOWS = 50
DEPLOYS_TO = re.compile(r"^\s+environment:[ \t]*(?:\n\s+name:[ \t]*)?([A-Za-z][\w.-]*)[ \t]*$", re.MULTILINE)
PIPELINES = {
    "eval_pipeline": re.compile(r"/[^/]*eval[^/]*$", re.IGNORECASE),
    "deploy_process": re.compile(r"/[^/]*(?:deploy|release)[^/]*$", re.IGNORECASE),
}
"""What a workflow's name says that it is."""
PROSE_MARK = "TODO: who does this work today, what it costs them, what is in scope and what is not."
NOT_ONE_LINE = "This doesn't fit on one line of YAML: say it differently"


@dataclass(frozen=True, slots=True)
class Question:
    """One value of the draft that its author may know."""

    path: tuple[Key, ...]
    asks: str
    like: str = ""


def questions() -> Iterator[Question]:
    """What is asked, in the words of the charter's table of keys."""
    for name in ("owner", "ship_by"):
        yield question(CHARTER.field(name))
    for name in ("target", "done", "rollback", "infra", "signoffs"):
        section = CHARTER.field(name)
        if name == "done":
            yield Question(
                ("done", 0), "done: a bound on quality", "accuracy >= 92 % on holdout with n >= 2000"
            )
            yield Question(("done", 1), "done: a bound on speed, cost or failure",
                           "latency_p95 <= 300 ms at 50 req/s")  # fmt: skip
        for field in section.fields if section else ():
            if field.required:
                yield question(field, name)


def question(field: Field | None, *section: str) -> Question:
    """The question for a key."""
    if field is None:
        raise LookupError(section)
    path = (*section, field.name)
    return Question(path, f"{'.'.join(path)}: {field.asks.replace('`', '')}", field.example)


def begin(folder: Path, owner: str | None, today: date) -> str:
    """The draft with what git's configuration tells."""
    login = owner or guess_login(folder)
    found = guess_repository(folder)
    name = found[1] if found else folder.resolve().name
    workflows = guess_workflows(folder)
    named = dict.fromkeys(each for text in workflows.values() for each in DEPLOYS_TO.findall(text))
    return draft(
        repository=name or "poc",
        owner=login if login and LOGIN.fullmatch(login) else None,
        # Of the others, such as a package registry's, a POC does not run in most.
        environments=tuple(each for each in named if STAGING.search(each) or PRODUCTION.search(each)),
        infra={
            key: path for key, sign in PIPELINES.items() for path in reversed(workflows) if sign.search(path)
        },
        today=today,
    )


def guess_workflows(folder: Path) -> dict[str, str]:
    """The GitHub Actions workflows beside the charter, by path."""
    found = sorted((folder / ".github" / "workflows").glob("*.y*ml"))[:MOST_WORKFLOWS]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()[:MAX_FILE_BYTES].decode(errors="replace")
        for path in found
        if path.is_file() and PATH.fullmatch(path.name)
    }


def interview(text: str, ask: Ask, say: Say, *, today: date) -> str:
    """Ask for each value until it is right; an empty answer keeps what stands, or leaves it marked."""
    say("Return keeps what is in brackets, or leaves the line marked TODO.")
    for question in questions():
        now = value_at(text, question.path)
        default = None if now is None or is_unfilled(now) else now
        shown = f" [{default}]" if default else f" (like {question.like})" if question.like else ""
        while answer := ask(f"{question.asks}{shown}: ").strip() or default or "":
            written = write(text, question.path, answer)
            wrong = complaint(written, question.path, today) if written else None
            if written and wrong is None:
                text = written
                break
            say(f"  {wrong.message if wrong else NOT_ONE_LINE}")
    return text


def write(text: str, path: tuple[Key, ...], value: str) -> str | None:
    """The text with another value at a path, its hint dropped; None where it cannot be written there."""
    node = node_at(text, path)
    if node is None or node.line != node.end_line or not value.isprintable():
        return None
    lines = text.split("\n")
    line = lines[node.line - 1]
    for candidate in (value, scalar(value)):
        lines[node.line - 1] = f"{line[: node.column - 1]}{candidate}"
        written = "\n".join(lines)
        if value_at(written, path) == value:
            return written
    return None


def complaint(text: str, path: tuple[Key, ...], today: date) -> Finding | None:
    """What is wrong with the value at a path, if anything."""
    node = node_at(text, path)
    errors = judged(text, today)
    return next((each for each in errors if node and each.line == node.line), None)


def judged(text: str, today: date) -> tuple[Finding, ...]:
    """The errors of a charter."""
    return judge(CharterFile(FileKind.FILE, text.encode()), today=today).errors


def value_at(text: str, path: tuple[Key, ...]) -> str | None:
    """The value at a path."""
    node = node_at(text, path)
    return node.value if node else None


def node_at(text: str, path: tuple[Key, ...]) -> Scalar | None:
    """The node of a value, by keys and places in a list."""
    node: Node | None = load(CharterFile(FileKind.FILE, text.encode())).root
    for key in path:
        if isinstance(node, Mapping) and isinstance(key, str):
            node = node.get(key)
        elif isinstance(node, Sequence) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
        else:
            return None
    return node if isinstance(node, Scalar) else None


def left_open(text: str, today: date) -> tuple[int, ...]:
    """The lines that still wait for a person: the marked ones of the block, and the prose."""
    prose = [number for number, line in enumerate(text.split("\n"), start=1) if line == PROSE_MARK]
    return tuple(sorted({*prose, *(finding.line for finding in judged(text, today))}))


def init(path: Path, *, owner: str, today: date, ask: Ask | None, say: Say) -> None:
    """Write the charter; `ask` is None where nobody is there to answer. Raises OSError."""
    text = begin(path.parent, bare_login(owner) or None, today)
    if ask is not None:
        text = interview(text, ask, say, today=today)
    # Exclusive, so that a file that came meanwhile is not overwritten.
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    open_lines = left_open(text, today)
    counted = f"{len(open_lines)} line{'s' * (len(open_lines) > 1)}"
    todo = f"{counted} marked TODO, for what only you know. Then" if open_lines else "Nothing is open. Now"
    say(f"{path} written. {todo}: poc-governor check {path}")
