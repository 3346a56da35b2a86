"""The number that a line of `evidence` finds in a file's bytes."""

from __future__ import annotations

from decimal import Decimal

from service.rules.charter.evidence import Source
from service.rules.evidence.reading import document_of, value_in
from service.rules.evidence.values import Unread


def read_value(source: Source, data: bytes | None) -> Decimal | Unread:
    """As a commit is read; `data` is None where it has no such file."""
    return value_in(document_of(source.file, data), source)
