"""Moved goalposts as a reader wants them: findings on their lines, a table, and who signs again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from service.rules.charter.goalposts import Move, MoveKind, bound_text, reopened
from service.rules.charter.model import Charter
from service.rules.charter.threshold import Threshold, clause_text
from service.rules.evidence.values import Result, Status
from service.rules.evidence.wording import measured_text
from service.rules.gate.signoffs import named
from service.rules.gate.verdict import COMPARED
from service.rules.source.text import clip, in_words, listed, shown
from service.rules.values.finding import Finding, Severity
from service.rules.values.groups import Group
from service.texts.markdown import plural

CODE = "goalpost-moved"
NEEDED = "shipping needs one, add it again"
LONGEST_MESSAGE, LONGEST_SUBJECT = 120, 24
NAMES = {group: group.words for group in Group}
SUBJECTS = {
    "ship_by": "ships by",
    "owner": "owner",
    "target.environment": "runs in",
    "rollback.within": "way back within",
}
VERBS = {
    MoveKind.LOOSENED: "is looser",
    MoveKind.TIGHTENED: "is tighter",
    MoveKind.CHANGED: "has another bound",
    MoveKind.RECONDITIONED: "is measured differently",
    MoveKind.ADDED: "is new",
    MoveKind.DELETED: "is gone",
    MoveKind.WAIVED: "may be missed",
    MoveKind.LATER: "is later",
    MoveKind.EARLIER: "is earlier",
    MoveKind.OTHER: "isn't the same",
    MoveKind.SUPPLIED: "is there now",
    MoveKind.WITHDRAWN: "is withdrawn",
    MoveKind.REPLACED: "reads differently",
}
Person = tuple[str, str | None]
"""A group in words, and who signs for it."""
COUNTED = (
    MoveKind.LOOSENED,
    MoveKind.DELETED,
    MoveKind.RECONDITIONED,
    MoveKind.CHANGED,
    MoveKind.ADDED,
    MoveKind.TIGHTENED,
)
PLATFORM = {
    MoveKind.WITHDRAWN: "{} withdrawn",
    MoveKind.LOOSENED: "slower {}",
    MoveKind.SUPPLIED: "{} supplied",
    MoveKind.TIGHTENED: "faster {}",
    MoveKind.REPLACED: "other {}",
}
"""Of several moves of `rollback`, or of `infra`, the title names the most important."""


@dataclass(frozen=True, slots=True)
class GoalpostRow:
    """One line of the table; `moved` says which of the two columns to point at."""

    subject: str
    before: str | None
    now: str | None
    moved: bool
    measured: str = ""


@dataclass(frozen=True, slots=True)
class GoalpostsView:
    """What the summary says about moved goalposts."""

    counted: str
    rows: tuple[GoalpostRow, ...]
    signers: tuple[Person, ...]
    """Who signs again, as the charter before names them."""
    newcomers: tuple[Person, ...]
    """Who signs as well, because this change names them."""
    eased: bool
    thresholds: bool
    """Whether the table begins with those of `done`."""

    @property
    def measured(self) -> bool:
        """Whether any of them was measured, so that the table says so."""
        return any(row.measured for row in self.rows)


def goalposts_view(
    moves: Sequence[Move],
    charter: Charter | None,
    results: Sequence[Result] = (),
    *,
    before: Charter | None = None,
) -> GoalpostsView | None:
    """Lay moves out for the template; None where nothing moved. `before` is where they stood."""
    if not moves or charter is None:
        return None
    groups = reopened(moves)
    again, people = signers(before or charter, groups), signers(charter, groups)
    same = {(group, (login or "").lower()) for group, login in again}
    return GoalpostsView(
        counted=counted(moves),
        rows=(*done_rows(moves, charter, results), *other_rows(moves)),
        signers=again,
        newcomers=tuple(
            (group, login) for group, login in people if (group, (login or "").lower()) not in same
        ),
        eased=any(move.eases for move in moves),
        thresholds=any(move.field == "done" for move in moves),
    )


def signers(charter: Charter, groups: Iterable[Group]) -> tuple[Person, ...]:
    """Who signs for each of some groups; None where the charter names nobody."""
    return tuple((NAMES[group], named(charter, group)) for group in groups)


def counted(moves: Sequence[Move]) -> str:
    """The moves in a few words: `1 threshold loosened, 2 deleted, ship date later`."""
    counts = Counter(move.kind for move in moves if move.field == "done")
    said = [f"{counts[kind]} {kind}" for kind in COUNTED if counts[kind]]
    if said:
        number, _, kind = said[0].partition(" ")
        said[0] = f"{number} threshold{'s' * (number != '1')} {kind}"
    waived = sum(move.kind is MoveKind.WAIVED for move in moves)
    said += [plural(waived, "threshold") + " waived"] if waived else []
    said += ["waiver cut back"] if any(ends_waiver(move) for move in moves) else []
    said += [f"ship date {move.kind}" for move in moves if move.field == "ship_by"]
    fields = {move.field.partition(".")[0] for move in moves}
    said += [f"other {field}" for field in ("owner", "target") if field in fields]
    for field in ("rollback", "infra"):
        kinds = {move.kind for move in moves if move.field.startswith(f"{field}.")}
        said += [words.format(field) for kind, words in PLATFORM.items() if kind in kinds][:1]
    return ", ".join(said)


def ends_waiver(move: Move) -> bool:
    """Whether a line may be missed no longer, or less long."""
    return move.field == "waived" and move.kind is MoveKind.TIGHTENED


def done_rows(
    moves: Sequence[Move], charter: Charter, results: Sequence[Result] = ()
) -> Iterator[GoalpostRow]:
    """The thresholds as they are now, each beside what it was, then those that are gone."""
    by_line = {(move.line, move.column): move for move in moves if move.stands}
    gone = [move for move in moves if move.kind is MoveKind.DELETED]
    if not by_line and not gone:
        return
    for threshold in charter.done:
        move = by_line.get((threshold.line, threshold.column))
        yield replace(standing_row(threshold, move), measured=measured_for(threshold, results))
    for move in gone:
        row = GoalpostRow(subject(move.was) if move.was else move.subject, move.before, None, moved=True)
        yield replace(row, measured=measured_for(move.was, results) if move.was else "")


def standing_row(threshold: Threshold, move: Move | None) -> GoalpostRow:
    """A threshold beside what it was."""
    if move is None:
        return GoalpostRow(subject(threshold), bound_text(threshold), bound_text(threshold), moved=False)
    if move.kind in (MoveKind.LOOSENED, MoveKind.TIGHTENED) and move.now == bound_text(threshold):
        return GoalpostRow(subject(threshold), move.before, move.now, moved=True)
    return GoalpostRow(threshold.metric, move.before, move.now, moved=True)


def other_rows(moves: Sequence[Move]) -> Iterator[GoalpostRow]:
    """What moved outside `done`."""
    for move in moves:
        if move.field != "done":
            named = move.subject if move.field == "waived" else SUBJECTS.get(move.field, move.field)
            yield GoalpostRow(named, move.before, move.now, moved=True)


def subject(threshold: Threshold) -> str:
    """The metric with its conditions, as the table's first column names it."""
    return " ".join([threshold.metric, *map(clause_text, threshold.clauses.items())])


def measured_for(threshold: Threshold, results: Sequence[Result]) -> str:
    """What was measured for a line, on which day, and whether it counts; empty where nothing was.

    A bound that moved is another line: its number is that of the line on the same metric and conditions,
    whose verdict says nothing about it.
    """
    found = next((each for each in results if each.threshold == threshold), None)
    alike = found or next((each for each in results if each.threshold.key == threshold.key), None)
    if alike is None or alike.measurement is None:
        return ""
    said = f"{measured_text(alike)} on {in_words(alike.measurement.at.astimezone(UTC).date())}"
    counts_not = alike.status is not Status.MET if found else alike.status not in COMPARED
    return f"{said} ({alike.status})" if counts_not else said


def move_findings(moves: Sequence[Move]) -> tuple[Finding, ...]:
    """The moves as findings on their lines: warnings where it got easier, else notices."""
    return tuple(
        Finding(
            CODE, Severity.WARNING if move.eases else Severity.NOTICE, message(move), move.line, move.column
        )
        for move in moves
    )


def message(move: Move) -> str:
    """What moved, from where to where, and who signs again."""
    groups = tuple(NAMES[group] for group in move.reopens)
    said = f"`{clip(move.subject, LONGEST_SUBJECT)}` {VERBS[move.kind]}"
    then = f"{listed(groups)} {'sign' if len(groups) > 1 else 'signs'} again" if groups else NEEDED
    half = (LONGEST_MESSAGE - len(f"{said} (`` became ``): {then}")) // 2
    # What one of them leaves free, the other may take.
    room = 2 * half - min(half, *(len(text or "") for text in (move.before, move.now)))
    was, stands = (shown(text, max(half, min(len(text), room))) if text else ""
                   for text in (move.before, move.now))  # fmt: skip
    change = f"{was} became {stands}" if was and stands else f"was {was}" if was else stands
    return f"{said} ({change}): {then}"
