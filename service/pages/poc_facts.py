"""What holds for a POC, and who says so: the policy, the service's settings, GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.rules.charter.model import Charter
from service.rules.policy.model import NO_POLICY, Mode, Policy
from service.rules.policy.recognition import mode_of
from service.rules.source.text import CHARTER_PATH, in_words
from service.store.portfolio import OnePoc
from service.texts.markdown import plural


@dataclass(frozen=True, slots=True)
class Fact:
    """A rule with its value, and where the value comes from."""

    rule: str
    value: str
    source: str


def _mode(stored: OnePoc, policy: Policy, own: str, *, observe: bool | None) -> Fact:
    """Whether things are held up, and who says so."""
    installation = stored.record.installation
    switched = installation.switched if installation else None
    begins = installation.begins_observing if installation else True
    default = None if observe is None else Mode.OBSERVE if observe else Mode.ENFORCE
    repository = stored.record.known.repository
    mode = mode_of(policy, repository, switched=switched, default=default, begins=begins)
    if switched:
        whose = f"an operator, by poc-governor {switched}"
    elif mode_of(policy, repository, default=None, begins=False) is mode and policy.mode:
        whose = own
    else:
        whose = "MODE of the service" if default else "how an installation starts; poc-policy.yml decides"
    return Fact("Checks and issues", str(mode), whose)


def facts_of(
    stored: OnePoc, charter: Charter, policy: Policy, *, observe: bool | None, level: str
) -> Iterator[Fact]:
    """What holds, what it is, and who says so; `observe` and `level` are the service's own settings."""
    record, day = stored.record, policy.calendar.day
    own = "poc-policy.yml" if policy is not NO_POLICY else "the default; poc-policy.yml can change it"
    known = record.known
    yield Fact(
        "It is a POC", known.poc_reason or "not any more", "the policy's selectors, or the charter itself"
    )
    yield _mode(stored, policy, own, observe=observe)
    if known.charter_changed_at:
        yield Fact(
            "The charter",
            f"as of {in_words(day(known.charter_changed_at))}",
            f"{CHARTER_PATH} on {known.repository.default_branch}",
        )
    limits = policy.limits
    yield Fact("Anybody we ask has", f"{limits.waiting} working days", own)
    share = f"{limits.share * 100:f}".rstrip("0").rstrip(".")
    yield Fact(
        "The owner has",
        f"{share} % of the planned working days, {limits.shortest} to {limits.longest}",
        own,
    )
    yield Fact("A number counts for", plural(policy.evidence_days, "calendar day"), own)
    yield Fact("Numbers that count", level, "EVIDENCE_LEVEL of the service, or the policy")
    places = [each.value for each in (charter.target.measured_in, charter.target.environment) if each]
    if places:
        yield Fact("Numbers come from", " or ".join(places), f"`target` in {CHARTER_PATH}")
    if access := record.poc.owner:
        yield Fact(
            f"Access of the owner, {access.login}",
            str(access.access),
            f"GitHub, on {in_words(day(access.asked_at))}",
        )
    if record.poc.environment:
        yield Fact(
            "Held until it ships", record.poc.environment, "the environment that platform signed for last"
        )
    if stored.looked_at:
        yield Fact("Looked at last", in_words(day(stored.looked_at)), "this service")
