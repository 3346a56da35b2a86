"""View values to the texts that people read, through templates/."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.rules.plan import STALL_MARKER, CheckRunOutput, Conclusion
from service.rules.report import CheckView, annotate
from service.rules.stall import Cause, Stall
from service.rules.verdict import Situation, Verdict

SUMMARY_LIMIT = 65_535
"""GitHub's, in characters, for a check run's summary and an issue's body."""
TITLE_LIMIT = 255
ZERO_WIDTH_JOINER = "\u2060"
"""Invisible, and enough to keep GitHub from reading a mention, a reference or a closing keyword."""

_ACTIVE = re.compile(r"(@)(?=[\w-])|(#)(?=\d)|(GH-)(?=\d)|(<)(?=!--)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\|*_\[\]<>~&])")


def find_templates() -> Path:
    """Where the templates are: beside the package in a checkout and an image, inside it in a wheel."""
    package = Path(__file__).parent
    places = (package.parent / "templates", package / "templates")
    return next(place for place in places if (place / "checks").is_dir())


def plain(value: str) -> str:
    """Text of a stranger's, for Markdown prose: it shows as written, and does nothing."""
    joined = " ".join(value.split())
    return _ACTIVE.sub(lambda match: match[0] + ZERO_WIDTH_JOINER, _MARKUP.sub(r"\\\1", joined))


def code(value: str) -> str:
    """Text of a stranger's, as code in a table's cell."""
    joined = " ".join(value.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", joined)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if joined.startswith("`") or joined.endswith("`") else ""
    return f"{fence}{pad}{joined}{pad}{fence}" if joined else ""


def in_words(day: date) -> str:
    """A date for a sentence: 26 February 2027."""
    return f"{day.day} {day:%B} {day.year}"


def plural(count: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class Texts:
    """The templates, loaded once."""

    def __init__(self, templates: Path) -> None:
        # Markdown, not HTML: what strangers wrote passes `plain` or `code`, and each template names which.
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(plain=plain, code=code, in_words=in_words)

    def check_run(self, verdict: Verdict, view: CheckView) -> CheckRunOutput:
        """The check run `POC charter`."""
        summary = self._render("checks/charter.md", view=view, Situation=Situation)
        return CheckRunOutput(
            conclusion=verdict.conclusion,
            title=_clip(check_title(view, verdict.conclusion), TITLE_LIMIT),
            summary=_clip(summary, SUMMARY_LIMIT),
            annotations=annotate(verdict),
        )

    def stall_issue(
        self, stall: Stall, *, full_name: str, charter_url: str, draft_url: str
    ) -> tuple[str, str]:
        """Title and body of the stall issue; the marker is the body's first line."""
        name = full_name.partition("/")[2]
        body = self._render(
            "issues/stall.md",
            marker=STALL_MARKER,
            stall=stall,
            Cause=Cause,
            charter_url=charter_url,
            draft_url=draft_url,
        )
        waits_for = stall.owner if stall.owner and stall.cause is Cause.OWNER_SILENT else "a charter"
        title = f"{name} is waiting for {waits_for}: {stall.limit} working days"
        return _clip(title, TITLE_LIMIT), _clip(body, SUMMARY_LIMIT)

    def _render(self, template: str, **values: object) -> str:
        text = self._environment.get_template(template).render(values)
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def check_title(view: CheckView, conclusion: Conclusion) -> str:
    """The verdict in a few words."""
    match view.situation:
        case Situation.NO_CHARTER:
            return "No POC.md yet"
        case Situation.DELETED:
            return "This change removes the charter"
        case _ if view.failed:
            lines = plural(len({finding.line for finding in view.errors}), "line")
            verb = "needs" if lines.startswith("1 ") else "need"
            title = f"{lines} of the charter {verb} a change"
        case _ if view.charter and view.charter.stopped_on:
            title = "Stopped on purpose"
        case Situation.BEHIND:
            title = f"Charter complete, as it stands on {view.base_ref}"
        case _:
            title = "Charter complete"
    return f"{title} (observing)" if view.observe and conclusion is Conclusion.NEUTRAL else title


def _clip(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    note = "\n\n… shortened: GitHub takes no more."
    return text[: limit - len(note)] + note if limit > len(note) * 2 else text[: limit - 1] + "…"
