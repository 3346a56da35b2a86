"""The policy's keys: what each decides, how its values are read, and what holds without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from service.rules.policy import values as read
from service.rules.policy.model import Mode, Undecided, WhenUnjudged
from service.rules.values.groups import NEEDED, Group, Level

MOST_ITEMS = 100
MOST_FREEZES = 50
MOST_READERS = 10
"""Each costs a call for each person, every few minutes."""
LONGEST_PROPERTY = 75
LONGEST_ENVIRONMENT = 255
MOST_WORKING_DAYS = 260
"""A year of them."""
MOST_ISSUES = 1000
"""GitHub takes no more content from one installation in an hour."""
WEEKEND = "[saturday, sunday]"
DAYS, ISSUES = read.count(1, MOST_WORKING_DAYS), read.count(0, MOST_ISSUES)


@dataclass(frozen=True, slots=True)
class Key:
    """One key; a section where it has `keys`."""

    name: str
    decides: str
    example: str = ""
    """A value as it is written on one line."""
    default: str = ""
    """The value that holds where the key is left out, as it would be written; empty where that is nothing."""
    parse: Callable[[str], Any] | None = None
    """Reads one value; None for a section."""
    most: int = 0
    """How many values its list may hold; 0 where it holds one value and no list."""
    keys: tuple[Key, ...] = ()
    free: bool = False
    """Whether it is a section whose keys are names of others' making, each with a list."""

    def key(self, name: str) -> Key | None:
        """The key of that name inside this one."""
        return next((each for each in self.keys if each.name == name), None)

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Key]]:
        """The keys that hold a value, each with the path that leads to it."""
        for each in self.keys:
            if each.keys:
                yield from each.leaves(f"{prefix}{each.name}.")
            else:
                yield f"{prefix}{each.name}", each


def selector(topics: tuple[str, str], names: tuple[str, str], stage: str) -> tuple[Key, ...]:
    """The keys of `select` and `exclude`: their examples and defaults."""
    globs = "any of these names; `*` and `?` stand for anything, and case doesn't matter"
    return (
        Key("topics", "any of these topics", *topics, read.topic, MOST_ITEMS),
        Key("names", globs, *names, read.glob, MOST_ITEMS),
        Key(
            "properties",
            "custom properties, each with the values that count",
            stage,
            parse=read.bounded(LONGEST_PROPERTY),
            most=MOST_ITEMS,
            free=True,
        ),
    )


def section(name: str, decides: str, *keys: Key) -> Key:
    """A key with keys of its own."""
    return Key(name, decides, keys=keys)


def group(name: str, whose: str, members: str, lead: str, deputies: str) -> Key:
    """A section of `groups`."""
    signers = f"who may sign for {whose}; without it, anybody whom a charter names"
    away = f"who signs for the named person of {whose} while that person is away"
    brought_in = f"who is brought in when {whose} doesn't answer"
    return section(
        name,
        whose,
        Key("members", signers, members, parse=read.login, most=MOST_ITEMS),
        Key("lead", brought_in, lead, parse=read.login),
        Key("deputies", away, deputies, parse=read.login, most=MOST_ITEMS),
    )


POLICY = section(
    "policy file",
    "all of it",
    Key("policy", "the version of this language", "1"),
    Key(
        "mode",
        "`enforce`, or `observe`: the same texts, and nothing is held up; without it, the service's `MODE`",
        "enforce",
        parse=read.word(Mode),
    ),
    section(
        "observe",
        "what is only observed although `mode` is `enforce`",
        *selector(("[pilot]", ""), ('["lab-*"]', ""), "{stage: [pilot]}"),
        Key(
            "rules",
            "codes of checks, or what the ship gate asks for: `threshold`, `infra`, `rollback`, `signature`, "
            "`request`, `paused`",
            "[done-sample, rollback]",
            parse=read.rule,
            most=MOST_ITEMS,
        ),
        Key(
            "until", "when a decision is due; passing changes nothing by itself", "2027-03-01", parse=read.day
        ),
    ),
    section(
        "enforce",
        "what is enforced although `mode` is `observe`",
        *selector(("[gated]", ""), ('["core-*"]', ""), "{stage: [live]}"),
        Key(
            "until", "when a decision is due; passing changes nothing by itself", "2027-03-01", parse=read.day
        ),
    ),
    section(
        "select",
        "what is a POC",
        *selector(
            ("[poc, proof-of-concept]", "[poc, proof-of-concept]"),
            ('["poc-*", "*-poc"]', '["poc-*", "*-poc"]'),
            "{stage: [poc]}",
        ),
    ),
    section(
        "exclude",
        "what isn't a POC, whatever else says that it is",
        *selector(("[not-a-poc]", "[not-a-poc]"), ('["sandbox-*"]', ""), "{stage: [retired]}"),
    ),
    section(
        "limits",
        "after how many working days somebody is asked",
        Key("share", "for the owner: this share of the planned working days", "15 %", "15 %", read.share),
        Key("shortest", "for the owner: at least so many", "7", "7", DAYS),
        Key("longest", "for the owner: at most so many", "20", "20", DAYS),
        Key("waiting", "for a signer, a reviewer, a group", "5", "5", DAYS),
        Key("charter", "for bringing a charter", "10", "10", DAYS),
    ),
    section(
        "calendar",
        "on which days something is expected",
        Key("time_zone", "where days begin and end", "Europe/Berlin", "UTC", read.time_zone),
        Key("weekend", "the days off in each week", WEEKEND, WEEKEND, read.weekday, len(read.DAYS)),
        Key(
            "freezes",
            "days on which nothing is expected: `DATE to DATE - reason`, or one `DATE`",
            "[2026-12-21 to 2027-01-03 - year end]",
            parse=read.freeze,
            most=MOST_FREEZES,
        ),
    ),
    section(
        "groups",
        "who signs for whom",
        group("data_science", "data science", "[alice-k, ann-b]", "ds-lead", "[ann-b]"),
        group("platform", "platform", "[bob-m, ben-o]", "platform-lead", "[ben-o]"),
        group("product", "product", "[carol-s]", "product-lead", "[cleo-t]"),
        group("security", "security", "[dan-w, eve-s]", "sec-lead", "[eve-s]"),
        group("legal", "legal", "[lea-l]", "legal-lead", "[leo-m]"),
        group("privacy", "privacy", "[pia-d]", "privacy-lead", "[pat-e]"),
        group("works_council", "the works council", "[wim-k]", "council-lead", "[wes-l]"),
    ),
    Key(
        "environments",
        "the targets that a charter may name; without it, any",
        "[support-prod]",
        parse=read.bounded(LONGEST_ENVIRONMENT),
        most=MOST_ITEMS,
    ),
    section(
        "evidence",
        "which numbers count",
        Key("max_age", "how old a number may be", "14 d", "14 d", read.age),
        Key(
            "level",
            "`measured`: only what a workflow run sent; `self-reported`: files as well",
            "measured",
            "self-reported",
            read.word(Level),
        ),
        Key(
            "undecided",
            "a share whose 95 % interval crosses its bound: `by-point` goes by the number; or `not-met`",
            "not-met",
            "by-point",
            read.word(Undecided),
        ),
        Key(
            "events",
            "workflow events whose numbers are taken although outsiders can trigger them",
            "[pull_request_target]",
            parse=read.event,
            most=MOST_ITEMS,
        ),
    ),
    section(
        "signoffs",
        "who doesn't have to sign, and what a sign-off to ship covers",
        Key(
            "not_needed",
            "groups for which a charter may write `n/a - reason` in place of a person",
            "[security]",
            parse=read.dispensable,
            most=len(Group) - len(NEEDED),
        ),
        Key(
            "of_head",
            "`true`: only approvals of the ship request's newest commit; `false`: of any of its commits, as "
            "long as the charter means the same",
            "true",
            "false",
            read.yes_or_no,
        ),
    ),
    Key(
        "when_unjudged",
        "what `POC charter` says of a pull request that can't be judged for now: `failure`, or `neutral` "
        "where it doesn't change `POC.md`",
        "neutral",
        "failure",
        read.word(WhenUnjudged),
    ),
    Key("issues_a_day", "at most so many new stall issues a day in the organisation", "5", "5", ISSUES),
    Key(
        "central_repository",
        "where the digest goes, and the issues of repositories that have issues disabled",
        "acme/poc-portfolio",
        parse=read.full_name,
    ),
    Key(
        "portfolio_readers",
        "teams of the organisation whose members see every POC as a row without texts",
        "[acme/leaders]",
        parse=read.team,
        most=MOST_READERS,
    ),
)
