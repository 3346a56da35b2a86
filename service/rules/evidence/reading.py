"""A line of `evidence` becomes a number: the one that its file holds at its path, or an aggregate of many."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from service.rules.charter.evidence import Source
from service.rules.evidence.document import read_document
from service.rules.evidence.selection import AGGREGATES, NOTHING, nothing_found, select
from service.rules.evidence.tree import NUMBER, Odd, Tree, Unreadable, decimal_of
from service.rules.evidence.values import Unread
from service.rules.source.wording import shown

Document = Tree | Unreadable
"""A file of evidence as it was read."""

MOST_CHARACTERS = 120
MOST_VALUES = 500_000
TOO_LARGE = Unread("The file of evidence is larger than 5 MB: commit a summary that holds the number")
ABSENT = Unreadable("no such file in this commit: commit it, or correct its name")


def read_value(source: Source, data: bytes | None) -> Decimal | Unread:
    """The number that a line of `evidence` finds in its file.

    It is exact, as the file writes it; `data` is None where the commit has no such file. Whatever the file
    holds, nothing is raised: what is no number is told, with what to do about it.
    """
    return value_in(document_of(source.file, data), source)


def document_of(file: str, data: bytes | None) -> Document:
    """A file as lines of `evidence` look into it; `data` is None where there is no such file."""
    return ABSENT if data is None else read_document(file, data)


def value_in(tree: Document, source: Source) -> Decimal | Unread:
    """The number that a line finds in a file that is read already (`read_document`)."""
    if isinstance(tree, Unreadable):
        return told(source, tree)
    found = select(tree, source.path)
    if isinstance(found, Unreadable):
        return told(source, found)
    value = one(found) if source.aggregate is None else aggregated(found, source.aggregate)
    if value is None:
        value = Unreadable(nothing_found(tree, source.path))
    return told(source, value) if isinstance(value, Unreadable) else value


def one(found: Iterator[Tree]) -> Decimal | Unreadable | None:
    """The only value, as a number; None where there is none."""
    first = next(found, NOTHING)
    if first is NOTHING:
        return None
    if more := sum(1 for _ in found):
        return Unreadable(f"{more + 1} values, not one: name one, or write `mean of`")
    number = number_of(first)
    return Unreadable(number.what) if isinstance(number, Odd) else number


def aggregated(found: Iterator[Tree], aggregate: str) -> Decimal | Unreadable | None:
    """What an aggregate makes of all values; None where there is none."""
    numbers: list[Decimal] = []
    for place, value in enumerate(islice(found, MOST_VALUES + 1)):
        if place == MOST_VALUES:
            return Unreadable("too many values: commit a summary with the number")
        number = Decimal(value) if isinstance(value, bool) and aggregate == "rate" else number_of(value)
        if isinstance(number, Odd):
            return Unreadable(f"value {place + 1} {number.what}")
        numbers.append(number)
    return AGGREGATES[aggregate](numbers) if numbers else None


def number_of(value: Tree) -> Decimal | Odd:
    """A value as a number; what it is instead, where it is none."""
    if isinstance(value, Decimal | Odd):
        return value
    if value is None:
        return Odd("is null: let the tool write a number")
    if isinstance(value, bool):
        return Odd(f"is {str(value).lower()}: write a number, or `rate of` a list")
    if isinstance(value, int):
        return decimal_of(str(value))
    if isinstance(value, str):
        what = f"is the text {shown(value, 14)}" if value.strip() else "is an empty text"
        return Odd(f"{what}: write {'it without quotes' if NUMBER.fullmatch(value) else 'a number'}")
    return Odd(f"is {'a list' if isinstance(value, list) else 'an object'}: point to one number in it")


def told(source: Source, unreadable: Unreadable) -> Unread:
    """The reason, behind the file and the path that it is about."""
    room = MOST_CHARACTERS - len(unreadable.problem) - len("`` ``: ")
    file_room = max(min(len(source.file), room - len(source.path)), room // 2)
    file, path = shown(source.file, file_room), shown(source.path, room - min(len(source.file), file_room))
    return Unread(f"{file} {path}: {unreadable.problem}")
