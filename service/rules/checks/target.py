"""The environments: places where others can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from service.rules.charter.quantity import Quantity, Refusal, parse_quantity
from service.rules.charter.suggestions import REPAIRS
from service.rules.charter.units import Dimension
from service.rules.checks.check import Check, CheckContext, Example, Problem
from service.rules.source.nodes import Mapping, Scalar
from service.rules.source.wording import clip, shown
from service.rules.values.finding import Severity

MACHINES = frozenset({"laptop", "notebook", "colab", "jupyter", "macbook"})
NOWHERE = re.compile(r"(?:none|n/?a|nil|nowhere)(?:[\s,;(].*)?|-+", re.IGNORECASE)
CORNERS = frozenset({"local", "localhost", "sandbox", "playground"})


def target_environment(context: CheckContext) -> Iterator[Problem]:
    """An environment, target or measured in, that is somebody's machine or a sandbox."""
    for key in ("environment", "measured_in"):
        environment = context.text("target", key)
        if environment and is_private(environment.value):
            message = f"{shown(environment.value)} is not where it will run: name a GitHub environment"
            yield Problem(f"{message}, like `support-prod`", environment)
        elif environment and NOWHERE.fullmatch(environment.value.strip()):
            message = f"{shown(environment.value)} is no environment"
            remedy = (
                "name one of GitHub's, like `support-prod`" if key == "environment" else "delete the line"
            )
            yield Problem(f"{message}: {remedy}", environment)


def is_private(name: str) -> bool:
    """Whether the name says that nobody else can reach it; a `local-news-prod` is no such place."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return bool(MACHINES.intersection(words)) or words[-1] in CORNERS or words == ["my", "machine"]


TARGET_ENVIRONMENT = Check(
    "target-environment",
    "The target is not a laptop, notebook or sandbox.",
    target_environment,
    why="What works on a laptop or in a sandbox has not been tried where its users are.",
    examples=(Example("environment: laptop", "environment: support-prod", "target"),),
)


MOST_LISTED = 2
SHOWN = 20
LONGEST_NAME = 255
NEAR_ENOUGH = 0.6


def environment_not_allowed(context: CheckContext) -> Iterator[Problem]:
    """A target that the policy does not list; without a list each is right."""
    allowed = sorted(context.policy.environments)
    environment = context.text("target", "environment")
    name = environment.value.lower() if environment else ""
    if environment is None or not allowed or name in allowed:
        return
    near = get_close_matches(name[:LONGEST_NAME], allowed, n=1, cutoff=NEAR_ENOUGH)
    meant = near[0] if near else allowed[0] if len(allowed) == 1 else None
    message = f"{shown(environment.value, SHOWN)} is not allowed by the policy: write {choice(allowed)}"
    yield Problem(message, environment, context.line_with(environment, meant) if meant else None)


def choice(allowed: list[str]) -> str:
    """The first names of the list."""
    names = [shown(name, SHOWN) for name in allowed[:MOST_LISTED]]
    more = len(allowed) - len(names)
    return f"{', '.join(names)} or {more} more" if more else " or ".join(names)


ENVIRONMENT_NOT_ALLOWED = Check(
    "environment-not-allowed",
    "The target is an environment that the organisation's policy lists.",
    environment_not_allowed,
    why="A platform team runs what is deployed where it expects it; asked of the policy, not offline.",
    examples=(Example("environment: somewhere-else", "environment: support-prod", "target"),),
)


"""GitHub's."""


def environment_unknown(context: CheckContext) -> Iterator[Problem]:
    """An environment, target or measured in, that GitHub does not list."""
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
        message = f"{shown(environment.value)} is no environment of this repository"
        if near := get_close_matches(name[:LONGEST_NAME], sorted(listed), n=1, cutoff=0.75):
            meant = listed[near[0]]
            fix = context.line_with(environment, meant)
            yield Problem(f"{message}: write {shown(meant)}, or create it", environment, fix)
        else:
            yield Problem(f"{message}: create it in the settings, or name one that is", environment)


ENVIRONMENT_UNKNOWN = Check(
    "environment-unknown",
    "The environments exist in the repository's settings.",
    environment_unknown,
    Severity.NOTICE,
    why="A protection rule holds what is deployed to a GitHub environment; asked of GitHub, not offline.",
    examples=(Example("environment: support-porduction", "environment: support-prod", "target"),),
)


def measured_in(context: CheckContext) -> Iterator[Problem]:
    """A target that names no environment to measure in."""
    target = context.node("target")
    if (
        isinstance(target, Mapping)
        and context.text("target", "measured_in") is None
        and context.charter.target.environment
    ):
        message = (
            "Numbers will count from the target only: add `measured_in` if a staging has its load and data"
        )
        yield Problem(message, context.key("target"))


MEASURED_IN = Check(
    "measured-in",
    "`measured_in` names where numbers are taken first.",
    measured_in,
    Severity.NOTICE,
    why="Before it is live, numbers come from a staging or a shadow; that counts only if it is named.",
    examples=(Example("", "measured_in: support-staging", "target"),),
)


NONE = re.compile(
    r"(none|no|not|off|n/?a|nil|false|later|disabled|anonymous|without|-+)\b.*|open|-+", re.IGNORECASE
)


def target_auth(context: CheckContext) -> Iterator[Problem]:
    """No authentication, or one that comes later."""
    auth = context.text("target", "auth")
    if auth and NONE.fullmatch(auth.value.strip()):
        message = f"{shown(auth.value)} is no sign-in: write the one production has, like `okta-oidc`"
        yield Problem(message, auth)


TARGET_AUTH = Check(
    "target-auth",
    "The target has authentication.",
    target_auth,
    why="Sign-in is what most demos leave out, and what production cannot do without.",
    examples=(Example("auth: none for now", "auth: okta-oidc", "target"),),
)


EXAMPLES = {"load": "50 req/s", "data": "180000 tickets/day"}
LONGEST = 80


def target_quantity(context: CheckContext) -> Iterator[Problem]:
    """A load or a data volume that is no rate."""
    for key, example in EXAMPLES.items():
        scalar = context.text("target", key)
        if scalar:
            yield from problems(context, key, scalar, example)


def problems(context: CheckContext, key: str, scalar: Scalar, example: str) -> Iterator[Problem]:
    """What one of the two lacks."""
    quantity = parse_quantity(scalar.value)
    if isinstance(quantity, Refusal):
        meant = repaired(scalar.value)
        if meant:
            yield Problem(f"Digits and unit only: write `{meant}`", scalar, context.line_with(scalar, meant))
        else:
            yield Problem(f"{shown(scalar.value)} is no number with a unit: write `{key}: {example}`", scalar)
    elif quantity.value <= 0:
        yield Problem(
            f"{shown(scalar.value)} is nothing: write the volume expected, like `{example}`", scalar
        )
    elif quantity.unit.dimension is Dimension.NONE:
        yield Problem(f"{shown(scalar.value)} what, per what? Write `{key}: {example}`", scalar)
    elif quantity.unit.dimension is not Dimension.RATE:
        meant = f"{clip(quantity.text)}/{example.rpartition('/')[2]}"
        yield Problem(f"{shown(scalar.value)} per what? Write a rate, like `{meant}`", scalar)


def repaired(text: str) -> str | None:
    """The rate that was meant by `180,000 tickets/day` or `50 rps`."""
    if len(text) > LONGEST:
        return None
    for repair in REPAIRS:
        text = repair.slip.sub(repair.meant, text)
    meant = text.strip()
    quantity = parse_quantity(meant)
    is_rate = isinstance(quantity, Quantity) and quantity.unit.dimension is Dimension.RATE
    return meant if is_rate and "`" not in meant else None


TARGET_QUANTITY = Check(
    "target-quantity",
    "Load and data are rates: number, unit, per what.",
    target_quantity,
    why="Ten documents a week and ten a second are different systems.",
    examples=(
        Example("load: high", "load: 50 req/s", "target"),
        Example("data: 180000 tickets", "data: 180000 tickets/day", "target"),
    ),
)
