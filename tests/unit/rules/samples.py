"""A whole charter with some of its lines written differently."""

from __future__ import annotations

import re
from datetime import date

from service.rules.charter.model import Charter
from service.rules.checks.check import Example
from service.rules.checks.judge import Judgement, judge
from service.rules.checks.surroundings import Access, RepositoryFacts
from service.rules.policy.model import GroupPolicy, Policy
from service.rules.source.text import CharterFile, FileKind
from service.rules.values.groups import Group
from tests.harness.places import CHARTERS

TODAY = date(2026, 11, 22)
SAMPLE = (CHARTERS / "ok" / "example.md").read_text()
KEY = re.compile(r"([a-z_0-9]+):")


def judged(text: str, before: Charter | None = None, today: date = TODAY) -> Judgement:
    """Judge in a world in which the examples that GitHub or a policy knows better about are wrong."""
    world = RepositoryFacts(
        owner_access=Access.UNKNOWN if "somebody-who-left" in text else Access.WRITE,
        environments=frozenset({"support-prod", "support-staging"}) if "porduction" in text else None,
        missing_paths=frozenset({".github/workflows/evil.yml"}),
        strangers=frozenset({"a-login-that-changed-hands"}),
    )
    members = {Group.SECURITY: GroupPolicy(frozenset({"dan-w"}))} if "mallory" in text else {}
    members |= {Group.LEGAL: GroupPolicy()} if "legal:" in text else {}
    allowed = frozenset({"support-prod"}) if "somewhere-else" in text else frozenset()
    policy = Policy(groups=members, environments=allowed)
    file = CharterFile(FileKind.FILE, text.encode())
    return judge(file, before=before, today=today, outside=world, policy=policy)


def rendered(example: Example, text: str, sample: str = SAMPLE) -> str:
    """The sample with the example's lines in place of those that it has for the same keys."""
    prose, _, rest = sample.partition("```yaml\n")
    block, _, _ = rest.partition("```")
    if example.section == "body":
        return f"{text}\n\n```yaml\n{block}```\n"
    lines = block.splitlines()
    if example.section:
        start = lines.index(f"{example.section}:") + 1
        end = next((at for at in range(start, len(lines)) if not lines[at].startswith(" ")), len(lines))
        lines[start:end] = inner(example, text, lines[start:end])
    else:
        for key in keys(example):
            lines = without(lines, key)
        lines += text.splitlines()
    return f"{prose}```yaml\n" + "\n".join(lines) + "\n```\n"


def inner(example: Example, text: str, lines: list[str]) -> list[str]:
    written = [f"  {line}" for line in text.splitlines()]
    if lines[0].startswith("  - "):
        named = {line.split()[1] for line in f"{example.bad}\n{example.good}".splitlines() if line.strip()}
        others = [line for line in lines if line.split()[1] not in named]
        return [*written, *(others if len(others) < len(lines) else lines[:-1])]
    gone = keys(example)
    return [line for line in lines if line.strip().partition(":")[0] not in gone] + written


def keys(example: Example) -> set[str]:
    lines = f"{example.bad}\n{example.good}".splitlines()
    return {match[1] for line in lines if (match := KEY.match(line))}


def without(lines: list[str], key: str) -> list[str]:
    kept: list[str] = []
    inside = False
    for line in lines:
        inside = line.startswith(f"{key}:") or (inside and line.startswith(" "))
        kept += [] if inside else [line]
    return kept


CODE = re.compile(r"`[^`]*`")
WORD = r"(?:an? )?(?:`…`|\w+)"
CHOICE = re.compile(rf"{WORD}(?:, {WORD})+,? (?:and|or) {WORD}")
REMEDY = re.compile(
    r"\b(?:check|write|add|delete|keep|name|use|move|look|say|save|put|replace|leave|begin|end|indent|close|create"
    r"|remove|fix)\b|(?:like|for example|as in|did you mean) `…`",
    re.IGNORECASE,
)


def last_clause(message: str) -> str:
    """What stands last in a message, where a choice of several words is one, and code holds no words."""
    bare = CHOICE.sub("…", CODE.sub("`…`", message))
    return re.split(r"[:;,.?] ", bare)[-1]
