"""The charter's keys: what each holds, whether it must be there, and a line that would be right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from service.rules.charter.threshold import EXAMPLE

WEEKS_AHEAD = 12


class Shape(StrEnum):
    """What a key holds."""

    TEXT = "text"
    DATE = "date"
    DATED = "dated"
    LIST = "list"
    SECTION = "section"
    METRICS = "metrics"
    """A mapping whose keys are metrics."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key."""

    name: str
    asks: str
    example: str = ""
    shape: Shape = Shape.TEXT
    required: bool = True
    fields: tuple[Field, ...] = ()

    def sample(self, today: date) -> str:
        """A value that would be right on that day."""
        if self.shape is Shape.DATE:
            return (today + timedelta(weeks=WEEKS_AHEAD)).isoformat()
        if self.shape is Shape.DATED:
            return self.example.format(date=today.isoformat())
        return self.example

    def field(self, name: str) -> Field | None:
        """The key of that name inside this one."""
        return next((each for each in self.fields if each.name == name), None)


TARGET = (
    Field("environment", "the GitHub environment it will run in", "support-prod"),
    Field("measured_in", "the environment that gives the numbers", "support-staging", required=False),
    Field("load", "the real load, per time", "50 req/s"),
    Field("data", "the real volume of data, per time", "180000 tickets/day"),
    Field("auth", "how its users sign in", "okta-oidc"),
)
ROLLBACK = (
    Field("how", "how it is turned off", "turn flag ai_triage off, tickets go back to the queue"),
    Field("within", "the time that turning it off may take", "10 min"),
    Field(
        "drilled", "when it was tried, and the time it took", "{date} in 4 min", Shape.DATED, required=False
    ),
)
INFRA = (
    Field("feature_store", "a path, a URL, `n/a - reason` or `missing`", "n/a - retrieval only, no features"),
    Field(
        "model_registry",
        "a path, a URL, `n/a - reason` or `missing`",
        "https://mlflow.example.com",
    ),
    Field("eval_pipeline", "a path, a URL, `n/a - reason` or `missing`", ".github/workflows/eval.yml"),
    Field("deploy_process", "a path, a URL, `n/a - reason` or `missing`", "missing"),
)
SIGNOFFS = (
    Field("data_science", "who signs for data science", "alice-k"),
    Field("platform", "who signs for the platform", "bob-m"),
    Field("product", "who signs for the product", "carol-s"),
    Field("security", "who signs for security", "dan-w"),
)
CHARTER = Field(
    "charter",
    "the charter",
    shape=Shape.SECTION,
    fields=(
        Field("poc", "the version of this language", "1"),
        Field("owner", "one GitHub login", "jane-doe"),
        Field("ship_by", "the day it goes live", shape=Shape.DATE),
        Field("target", "where it will run", shape=Shape.SECTION, fields=TARGET),
        Field("done", "what done means, in numbers", EXAMPLE, Shape.LIST),
        Field("evidence", "where the numbers are found", shape=Shape.METRICS, required=False),
        Field("rollback", "how it is turned off", shape=Shape.SECTION, fields=ROLLBACK),
        Field("infra", "what it runs on", shape=Shape.SECTION, fields=INFRA),
        Field("signoffs", "who signs", shape=Shape.SECTION, fields=SIGNOFFS),
        Field("paused", "until when, and why", "until {date} - reason", Shape.DATED, required=False),
        Field("stopped", "when and why it ended", "{date} - reason", Shape.DATED, required=False),
        Field(
            "stop_if",
            "what would end it, in numbers",
            "accuracy < 80 % on holdout",
            Shape.LIST,
            required=False,
        ),
    ),
)
