"""The environments: places where others can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from service.rules.charter.lines import meant_load
from service.rules.charter.quantity import THOUSANDS, Refusal, parse_quantity
from service.rules.charter.units import CONCURRENT, Dimension
from service.rules.charter.values import NOT_APPLICABLE
from service.rules.checks.check import CheckContext, Example, Problem, check
from service.rules.source.nodes import Mapping, Scalar
from service.rules.source.text import choice, clip, shown
from service.rules.values.finding import Severity

MACHINES = frozenset({"laptop", "notebook", "colab", "jupyter", "macbook"})
NOWHERE = re.compile(r"(?:none|n/?a|nil|nowhere)(?:[\s,;(].*)?|-+", re.IGNORECASE)
CORNERS = frozenset({"local", "localhost", "sandbox", "playground"})
EXAMPLES = {"load": "50 req/s", "data": "180000 tickets/day"}
NONE = re.compile(
    r"(none|no|not|off|n/?a|nil|false|later|disabled|anonymous|without|-+)\b.*|open|-+", re.IGNORECASE
)
SHOWN = 20
LONGEST_NAME = 255
NEAR_ENOUGH = 0.6


@check(
    why="Something that works on a laptop or in a sandbox hasn't been tried where its users are.",
    examples=(Example("environment: laptop", "environment: support-prod", "target"),),
)
def target_environment(context: CheckContext) -> Iterator[Problem]:
    """The target is not a laptop, notebook or sandbox."""
    for key in ("environment", "measured_in"):
        environment = context.text("target", key)
        if environment and is_private(environment.value):
            message = f"{shown(environment.value)} isn't where it will run: name a GitHub environment"
            yield Problem(f"{message}, for example `support-prod`", environment)
        elif environment and NOWHERE.fullmatch(environment.value.strip()):
            message = f"{shown(environment.value)} isn't an environment"
            remedy = (
                "name one of GitHub's, for example `support-prod`"
                if key == "environment"
                else "delete the line"
            )
            yield Problem(f"{message}: {remedy}", environment)


def is_private(name: str) -> bool:
    """Whether the name says that nobody else can reach it; a `local-news-prod` is no such place."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return bool(MACHINES.intersection(words)) or words[-1] in CORNERS or words == ["my", "machine"]


@check(
    why="Ten documents a week and ten a second are different systems.",
    examples=(
        Example("load: high", "load: 50 req/s", "target"),
        Example("load: 50 users", "load: 50 concurrent users", "target"),
    ),
)
def target_quantity(context: CheckContext) -> Iterator[Problem]:
    """Load is a rate, or so many at once; data is a rate, or how much there is: a number with its unit."""
    for key, example in EXAMPLES.items():
        scalar = context.text("target", key)
        if scalar:
            yield from problems(context, key, scalar, example)


def problems(context: CheckContext, key: str, scalar: Scalar, example: str) -> Iterator[Problem]:
    """What is missing in one of the two."""
    quantity = parse_quantity(scalar.value)
    if isinstance(quantity, Refusal):
        meant = meant_load(scalar.value)
        if match := THOUSANDS.search(scalar.value):
            message = f"`{match[0]}` is {match['head']}{match['tail']} or {match['head']}.{match['tail']}?"
            yield Problem(f"{message} Write the one you mean", scalar)
        elif meant:
            yield Problem(f"Digits and unit only: write `{meant}`", scalar, context.line_with(scalar, meant))
        else:
            yield Problem(
                f"{shown(scalar.value)} isn't a number with a unit: write both, as in `{key}: {example}`",
                scalar,
            )
    elif quantity.value <= 0:
        yield Problem(
            f"{shown(scalar.value)} is zero: write the volume you expect, for example `{example}`", scalar
        )
    elif quantity.unit.dimension is Dimension.NONE:
        yield Problem(f"{shown(scalar.value)} what, per what? Write both, as in `{key}: {example}`", scalar)
    elif quantity.unit.dimension is Dimension.RATE and not quantity.unit.is_flow:
        message = f"{shown(scalar.value)} isn't a rate: write how many in what time, for example `{example}`"
        yield Problem(message, scalar)
    elif not quantity.unit.is_load:
        yield Problem(
            f"{shown(scalar.value)} counts nothing: write how many of what, as in `{key}: {example}`",
            scalar,
        )
    elif not quantity.unit.is_flow and key == "load" and not quantity.unit.text.startswith(CONCURRENT):
        meant = f"{clip(quantity.text)}/{example.rpartition('/')[2]}"
        yield Problem(
            f"{shown(scalar.value)} per what? Write `concurrent`, or a rate, as in `{meant}`", scalar
        )


@check(
    why="Most demos leave sign-in out, and production can't do without it.",
    examples=(Example("auth: none for now", "auth: okta-oidc", "target"),),
)
def target_auth(context: CheckContext) -> Iterator[Problem]:
    """The target has authentication."""
    auth = context.text("target", "auth")
    reasoned = NOT_APPLICABLE.fullmatch(auth.value.strip()) if auth else None
    if auth and NONE.fullmatch(auth.value.strip()) and not (reasoned and reasoned["reason"]):
        said = f"{shown(auth.value)} isn't a sign-in method"
        message = f"{said}: write the one that production uses or `n/a - <reason>`"
        yield Problem(message, auth)


@check(
    Severity.NOTICE,
    why="Before it's live, numbers come from staging or a shadow, which only counts if it's named.",
    examples=(Example("", "measured_in: support-staging", "target"),),
)
def measured_in(context: CheckContext) -> Iterator[Problem]:
    """`measured_in` names where numbers are taken first."""
    target = context.node("target")
    if (
        isinstance(target, Mapping)
        and context.text("target", "measured_in") is None
        and context.charter.target.environment
    ):
        message = (
            "Only numbers from the target will count: add `measured_in` if staging has its load and data"
        )
        yield Problem(message, context.key("target"))


@check(
    Severity.NOTICE,
    why="A protection rule holds deployments to a GitHub environment. Checked with GitHub, not offline.",
    examples=(Example("environment: support-porduction", "environment: support-prod", "target"),),
)
def environment_unknown(context: CheckContext) -> Iterator[Problem]:
    """The environments exist in the repository's settings."""
    if context.outside.environments is None:
        return
    listed = {name.lower(): name for name in context.outside.environments}  # GitHub minds no case
    told: set[str] = set()
    for key in ("environment", "measured_in"):
        environment = context.text("target", key)
        name = environment.value.lower() if environment else ""
        if environment is None or name in listed or name in told:
            continue
        told.add(name)
        message = f"{shown(environment.value)} isn't an environment here"
        if near := get_close_matches(name[:LONGEST_NAME], sorted(listed), n=1, cutoff=0.75):
            meant = listed[near[0]]
            example = context.line_with(environment, meant)
            yield Problem(f"{message}: write {shown(meant)}, or create it", environment, example=example)
        else:
            yield Problem(f"{message}: create it in the settings, or name another", environment)


@check(
    why="A platform team only runs things where it expects them. Checked with the policy, not offline.",
    examples=(Example("environment: somewhere-else", "environment: support-prod", "target"),),
)
def environment_not_allowed(context: CheckContext) -> Iterator[Problem]:
    """The target is an environment that the organisation's policy lists."""
    allowed = sorted(context.policy.environments)
    environment = context.text("target", "environment")
    name = environment.value.lower() if environment else ""
    if environment is None or not allowed or name in allowed:
        return
    near = get_close_matches(name[:LONGEST_NAME], allowed, n=1, cutoff=NEAR_ENOUGH)
    meant = near[0] if near else allowed[0] if len(allowed) == 1 else None
    message = f"{shown(environment.value, SHOWN)} isn't allowed by the policy: write {choice(allowed, SHOWN)}"
    example = context.line_with(environment, meant) if meant else None
    yield Problem(message, environment, example=example)
