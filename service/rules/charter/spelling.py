"""Keys that are nearly right, and the key that was meant."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice

from service.rules.charter.keys import Field
from service.rules.charter.metrics import NAMES
from service.rules.source.nodes import Entry, Mapping

LONGEST_KEY = 40
MOST_TOLD = 10
NEAR_ENOUGH = 0.75
NEARLY = 0.85
SYNONYMS = {
    "deadline": "ship_by",
    "ship_date": "ship_by",
    "due": "ship_by",
    "due_date": "ship_by",
    "ship": "ship_by",
    "sign_offs": "signoffs",
    "approvers": "signoffs",
    "environment": "target",
    "infrastructure": "infra",
    "criteria": "done",
    "success_criteria": "done",
}


def meant_key(section: Field, node: Mapping, name: str) -> str | None:
    """The key of a section, not yet in the mapping, that an unknown name stands for."""
    free = [field.name for field in section.fields if node.get(field.name) is None]
    synonym = SYNONYMS.get(name.lower())
    if synonym in free:
        return synonym
    near = get_close_matches(name.lower(), free, n=1, cutoff=NEAR_ENOUGH) if len(name) <= LONGEST_KEY else []
    return near[0] if near else None


def near_metric(name: str) -> str | None:
    """The metric of the table that a name nearly is."""
    if len(name) > LONGEST_KEY:
        return None
    near = get_close_matches(name, [each for each in NAMES if each[0] == name[0]], n=1, cutoff=NEARLY)
    return near[0] if near else None


def unknown_entries(section: Field, node: Mapping) -> tuple[Entry, ...]:
    """The entries that a section does not list: the first of them, for nobody reads more at once."""
    unknown = (entry for entry in node.entries if section.field(entry.key.value) is None)
    return tuple(islice(unknown, MOST_TOLD))


def misspelt(section: Field, node: Mapping) -> frozenset[str]:
    """The keys that are there under another name: they are not missing as well."""
    names = (entry.key.value for entry in unknown_entries(section, node))
    return frozenset(key for name in names if (key := meant_key(section, node, name)))
