"""The charter's keys: what each holds, a line that would be right, and how a key is misspelt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice

from service.rules.charter.metrics import NAMES
from service.rules.charter.threshold import EXAMPLE
from service.rules.source.nodes import Entry, Mapping
from service.rules.values.calendar import USUAL

WEEKS_TO_SHIP = 12
WEEKS_WAIVED = 4
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
    "infrastructure": "infra",
    "criteria": "done",
    "success_criteria": "done",
}


class Shape(StrEnum):
    """What a key holds."""

    TEXT = "text"
    DATE = "date"
    DATED = "dated"
    LIST = "list"
    """Of thresholds."""
    WAIVERS = "waivers"
    """A list of them."""
    SECTION = "section"
    METRICS = "metrics"
    """A mapping whose keys are metrics."""


def usual_ship_date(today: date) -> date:
    """What to propose to who has none in mind: a working day."""
    return USUAL.working_day_from(today + timedelta(weeks=WEEKS_TO_SHIP))


@dataclass(frozen=True, slots=True)
class Field:
    """One key."""

    name: str
    asks: str
    example: str = ""
    shape: Shape = Shape.TEXT
    required: bool = True
    fields: tuple[Field, ...] = ()
    placeholder: str = ""
    """What stands in angle brackets where the value is still to be written; else the name."""

    def sample(self, today: date) -> str:
        """A value that would be right on that day."""
        if self.shape is Shape.DATE:
            return usual_ship_date(today).isoformat()
        if self.shape in (Shape.DATED, Shape.WAIVERS):
            return self.example.format(
                date=today.isoformat(), later=(today + timedelta(weeks=WEEKS_WAIVED)).isoformat()
            )
        return self.example

    def field(self, name: str) -> Field | None:
        """The key of that name inside this one."""
        return next((each for each in self.fields if each.name == name), None)


TARGET = (
    Field("environment", "the GitHub environment it will run in", "support-prod"),
    Field("measured_in", "the environment that gives the numbers", "support-staging", required=False),
    Field("load", "the real load, as a rate", "50 req/s", placeholder="how many, in what time"),
    Field(
        "data",
        "the real volume of data, as a rate",
        "180000 tickets/day",
        placeholder="how much, in what time",
    ),
    Field("auth", "how its users sign in", "okta-oidc"),
)
ROLLBACK = (
    Field("how", "how it is turned off", "turn flag ai_triage off, tickets go back to the queue"),
    Field("within", "the time that turning it off may take", "10 min"),
    Field(
        "drilled", "when it was tried, and the time it took", "{date} in 4 min", Shape.DATED, required=False
    ),
)
ENTRY = "a path, a URL, `n/a - reason` or `missing`"
INFRA = (
    Field("feature_store", ENTRY, "n/a - retrieval only, no features"),
    Field("model_registry", ENTRY, "https://mlflow.example.com"),
    Field("eval_pipeline", ENTRY, ".github/workflows/eval.yml"),
    Field("deploy_process", ENTRY, "missing"),
)
SIGNOFFS = (
    Field("data_science", "who signs for data science", "alice-k", placeholder="login"),
    Field("platform", "who signs for the platform", "bob-m", placeholder="login"),
    Field("product", "who signs for the product", "carol-s"),
    Field("security", "who signs for security", "dan-w", placeholder="login"),
    Field("legal", "who signs for legal, if anybody", "lea-l", required=False),
    Field("privacy", "who signs for privacy, if anybody", "pia-d", required=False),
    Field("works_council", "who signs for the works council, if anybody", "wim-k", required=False),
)
CHARTER = Field(
    "charter",
    "the charter",
    shape=Shape.SECTION,
    fields=(
        Field("poc", "the version of this language", "1"),
        Field("owner", "one GitHub login", "jane-doe", placeholder="login"),
        Field("ship_by", "the day it goes live", shape=Shape.DATE, placeholder="YYYY-MM-DD"),
        Field("target", "where it will run", shape=Shape.SECTION, fields=TARGET),
        Field("done", "what done means, in numbers", EXAMPLE, Shape.LIST),
        Field("evidence", "where the numbers are found", shape=Shape.METRICS, required=False),
        Field("rollback", "how it is turned off", shape=Shape.SECTION, fields=ROLLBACK),
        Field("infra", "what it runs on", shape=Shape.SECTION, fields=INFRA),
        Field("signoffs", "who signs", shape=Shape.SECTION, fields=SIGNOFFS),
        Field(
            "waived",
            "what may be missed, until when, and why",
            "latency_p95 until {later} - reason",
            Shape.WAIVERS,
            required=False,
        ),
        Field("paused", "until when, and why", "until {date} - reason", Shape.DATED, required=False),
        Field("stopped", "when and why it ended", "{date} - reason", Shape.DATED, required=False),
        Field("budget", "what it may cost; shown, never judged", "40000 EUR", required=False),
        Field(
            "stop_if",
            "what would end it, in numbers",
            "accuracy < 80 % on holdout",
            Shape.LIST,
            required=False,
        ),
    ),
)


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
