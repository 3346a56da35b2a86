"""View values to the texts that people read, through templates/."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.packaged import packaged
from service.rules.charter.goalposts import bound_text
from service.rules.charter.model import Charter
from service.rules.checks.verdict import ChangeKind, Unjudged, Verdict
from service.rules.commands.parsing import Verb
from service.rules.digest.week import Digest
from service.rules.evidence.values import Result, Status
from service.rules.evidence.wording import level_text, measured_text, verdict_text
from service.rules.gate.signoffs import named
from service.rules.gate.verdict import DeploymentAnswer, Gate, Occasion, elsewhere
from service.rules.policy.model import WhenUnjudged
from service.rules.source.text import clip
from service.rules.stall.stalls import Cause, EscalationStep
from service.rules.stall.waiting_on import Wants
from service.rules.values.actions import CheckRunOutput, Conclusion, ProposalState
from service.rules.values.finding import Finding, Severity
from service.rules.values.groups import Group
from service.texts.charter import UNJUDGED, CheckView, again, annotate, check_title, said_and_asked
from service.texts.commands import AmendView, RequestedChange, proposal_title
from service.texts.gate import GateStatus, GateView, gate_title, gate_view, move_subject
from service.texts.goalposts import measured_for, subject
from service.texts.markdown import FILTERS, enclosed, inert, plural, unmarked
from service.texts.policy import MOST_LISTED, NAMED, PolicyView, policy_title
from service.texts.record import Record
from service.texts.stall import StallView, stall_title

SUMMARY_LIMIT = 65_535
"""GitHub's, in characters, for a check run's summary and an issue's body."""
TITLE_LIMIT = 255
DEPLOYMENT_LIMIT = 1_000
"""Characters of a comment on a deployment; GitHub takes some more."""
LONGEST_ENVIRONMENT, LONGEST_COMMAND = 80, 120
MOST_ROWS = 10
"""POCs of one kind that a digest names."""


class Texts:
    """The templates, loaded once."""

    def __init__(self) -> None:
        # Markdown, not HTML: what strangers wrote passes `plain` or `code`, and each template names which.
        self._environment = Environment(
            loader=FileSystemLoader(packaged("templates")),
            auto_reload=False,
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701
            trim_blocks=True,
            lstrip_blocks=True,
        )
        shown = (bound_text, level_text, measured_for, measured_text, move_subject, subject, verdict_text)
        self._environment.filters.update({each.__name__: each for each in (*FILTERS, *shown)})
        for enum in (
            Cause,
            ChangeKind,
            Conclusion,
            GateStatus,
            Occasion,
            ProposalState,
            Status,
            Verb,
            Wants,
            WhenUnjudged,
        ):
            self._environment.globals[enum.__name__] = enum

    def check_run(self, verdict: Verdict, view: CheckView) -> CheckRunOutput:
        """The check run `POC charter`."""
        exempt = verdict.conclusion is Conclusion.NEUTRAL and not view.observe
        summary = self._render("checks/charter.md", view=view, exempt=exempt)
        return CheckRunOutput(
            conclusion=verdict.conclusion,
            title=_clip_title(check_title(view, verdict.conclusion)),
            summary=_clip(summary),
            annotations=annotate(verdict),
            would=verdict.would,
            rules=verdict.rules,
        )

    def not_a_poc(self, reason: str | None) -> CheckRunOutput:
        """The check run `POC charter` in a repository that isn't a POC, for a `reason` where one is known."""
        summary = self._render("checks/not_a_poc.md", reason=reason)
        return CheckRunOutput(Conclusion.SUCCESS, "Not a POC", summary)

    def unjudged(self, it: Unjudged) -> CheckRunOutput:
        """The check run `POC charter` on a commit that could not be judged."""
        said, asked = said_and_asked(it.cause)
        summary = self._render("checks/unjudged.md", it=it, said=said, asked=asked)
        title = _clip_title(inert(f"{UNJUDGED}: {said}"))
        return CheckRunOutput(it.conclusion, title, summary.rstrip(), footnote=again(it.again_at))

    def stall_issue(self, view: StallView) -> tuple[str, str]:
        """Title of the stall issue, and our block of its body."""
        body = self._render("issues/stall.md", view=view)
        return _clip_title(inert(stall_title(view))), enclosed(view.place.poc_id, _clip(body))

    def ladder_comment(self, view: StallView, step: EscalationStep) -> str:
        """What is said once in the stall issue, at the second and the third step."""
        name = "ladder_lead" if step is EscalationStep.LEAD else "ladder_decision"
        return unmarked(self._render(f"comments/{name}.md", view=view))

    def gate_check(self, gate: Gate, view: GateView) -> CheckRunOutput:
        """The check run `POC ship gate`."""
        summary = self._render("checks/gate.md", view=view)
        return CheckRunOutput(gate.conclusion, _clip_title(gate_title(gate)), _clip(summary))

    def deployment_comment(self, gate: Gate, answer: DeploymentAnswer, environment: str) -> str:
        """What people read beside a deployment that was approved or rejected: what fits into GitHub's box."""
        view = gate_view(gate)
        listing = view.standing is GateStatus.JUDGED and not (
            gate.ready or elsewhere(gate.facts, environment)
        )
        text = ""
        for shown in range(len(view.rows), -1, -1):
            text = self._render(
                "comments/deployment.md",
                view=view,
                answer=answer,
                environment=clip(environment, LONGEST_ENVIRONMENT),
                listing=listing,
                shown=shown,
            )
            if len(text) <= DEPLOYMENT_LIMIT:
                return text
        return f"{text[: DEPLOYMENT_LIMIT - 1]}…"

    def refused_command(self, text: str, reason: str) -> str:
        """Why a command was not followed; the line itself is said where the reason does not name it."""
        return self._render("comments/refused.md", text=clip(text, LONGEST_COMMAND), reason=reason)

    def charter_line(self, view: AmendView) -> str:
        """What to write into the charter for a command, and what it will do."""
        return self._render("comments/amend.md", view=view, lines=view.amendment.after)

    def proposal(self, view: AmendView, asked: RequestedChange) -> tuple[str, str]:
        """Title and body of the pull request that changes the charter for a command."""
        body = self._render("comments/proposal.md", view=view, asked=asked)
        return _clip_title(inert(proposal_title(view))), unmarked(_clip(body))

    def charter_proposed(self, view: AmendView, reference: str, state: ProposalState) -> str:
        """Which pull request changes the charter for a command, and what merging it will do."""
        return self._render("comments/proposed.md", view=view, reference=reference, state=state)

    def help_text(self) -> str:
        """The commands."""
        return self._render("comments/help.md")

    def shipped(self, gate: Gate, environment: str, sha: str, day: date) -> str:
        """Said once on the ship request, when a commit that met everything was deployed."""
        view = gate_view(gate)
        return self._render("comments/shipped.md", view=view, environment=environment, sha=sha, day=day)

    def stop_criterion(
        self, result: Result, owner: str | None, product: str | None, *, charter_url: str = ""
    ) -> tuple[str, str]:
        """Title and body of the issue that says once that a line of `stop_if` has become true."""
        number = result.measurement
        body = self._render(
            "issues/stop_if.md",
            result=result,
            day=number.at.astimezone(UTC).date() if number else None,
            people=[
                f"@{login} ({role})" for login, role in ((owner, "owner"), (product, "product")) if login
            ],
            charter_url=charter_url,
        )
        return _clip_title(f"Stop criterion reached: {result.threshold.metric}"), _clip(body)

    def left_behind(self, agreed: Charter, environment: str, name: str, reason: str) -> tuple[str, str]:
        """Title and body of the issue that says once that an environment stays held.

        `reason` is why the repository isn't a POC; without one it still is, and only its charter is gone.
        """
        people = {"owner": agreed.owner_login, "product": named(agreed, Group.PRODUCT)}
        body = self._render(
            "issues/left.md",
            people=[f"@{login} ({role})" for role, login in people.items() if login],
            platform=named(agreed, Group.PLATFORM),
            environment=clip(environment, LONGEST_ENVIRONMENT),
            name=name,
            reason=reason,
        )
        what = "a POC without a charter" if not reason else "not a POC any more"
        return _clip_title(inert(f"{name} is {what}, and {environment} stays held")), _clip(body)

    def policy_check(self, view: PolicyView) -> CheckRunOutput:
        """The check run `POC policy`; its lists are as long as GitHub takes them."""
        summary = ""
        for most in NAMED:
            summary = self._render("checks/policy.md", view=view, most_listed=MOST_LISTED, most_named=most)
            if len(summary) <= SUMMARY_LIMIT:
                break
        return CheckRunOutput(
            conclusion=Conclusion.FAILURE if view.broken else Conclusion.SUCCESS,
            title=_clip_title(policy_title(view)),
            summary=_clip(summary),
            annotations=view.annotations,
        )

    def policy_broken(
        self, findings: Sequence[Finding], url: str, *, has_good: bool = True
    ) -> tuple[str, str]:
        """Title and body of the issue that says once that the default branch's policy cannot be read.

        `url` leads to the file; `has_good` is whether an earlier policy stays in force, or the defaults hold.
        """
        rows = [finding for finding in findings if finding.severity is Severity.ERROR]
        body = self._render(
            "issues/policy.md",
            rows=rows,
            most_listed=MOST_LISTED,
            url=url,
            has_good=has_good,
        )
        return "POC policy can't be read, and isn't in force", _clip(body)

    def digest_issue(self) -> tuple[str, str]:
        """Title and body of the issue that the digests are comments on."""
        return "POCs, week by week", self._render("digest/issue.md")

    def digest(self, view: Digest, *, public: bool, web_url: str) -> str:
        """A week's digest; in a `public` repository private ones are not named."""
        return self._digest("digest/digest.md", view, public=public, web_url=web_url)

    def digest_for_slack(self, view: Digest, account: str, web_url: str) -> str:
        """The same for Slack, in its markup."""
        return self._digest("digest/slack.txt", view, account=account, web_url=web_url)

    def _digest(self, template: str, view: Digest, **values: object) -> str:
        waited = (*view.decisions, *view.stalled)
        late = len(view.overdue) + sum(each.poc.is_late(view.today) for each in waited)
        counts = (
            (len(view.decisions), "needs a decision", "need a decision"),
            (len(view.stalled), "stalled", "stalled"),
            (late, "past its ship date", "past their ship date"),
            (len(view.shipped), "shipped", "shipped"),
            (len(view.stopped), "stopped on purpose", "stopped on purpose"),
        )
        said = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        headline = ", ".join([plural(view.active, "active POC"), *said])
        return self._render(
            template, view=view, headline=headline, most=MOST_ROWS, rungs=len(EscalationStep), **values
        )

    def record(self, record: Record) -> str:
        """The record of a POC, in Markdown."""
        return self._render("record/record.md", record=record)

    def _render(self, template: str, **values: object) -> str:
        text = self._environment.get_template(template).render(values)
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def texts() -> Texts:
    """The templates, compiled once in a process."""
    return Texts()


def _clip_title(title: str) -> str:
    return title if len(title) <= TITLE_LIMIT else f"{title[: TITLE_LIMIT - 1]}…"


def _clip(text: str) -> str:
    note = "\n\n… shortened: GitHub takes no more.\n"
    return text if len(text) <= SUMMARY_LIMIT else text[: SUMMARY_LIMIT - len(note)] + note
