"""Is this repository a POC? Design section 4: topic, name, or a charter that declares itself."""

from __future__ import annotations

from datetime import timedelta

from service.rules.facts import Repository

POC_TOPICS = frozenset({"poc", "proof-of-concept"})
OPT_OUT_TOPIC = "not-a-poc"
DORMANT_AFTER = timedelta(days=90)


def exclusion(repository: Repository) -> str | None:
    """Why a repository is never a POC, whatever else speaks for it; None where nothing does."""
    if repository.archived:
        return "archived"
    if repository.fork:
        return "a fork"
    if repository.is_template:
        return "a template"
    if repository.name == ".github":
        return "the organization's .github repository"
    if OPT_OUT_TOPIC in repository.topics:
        return f"topic {OPT_OUT_TOPIC}"
    return None


def poc_reason(repository: Repository, *, declares_charter: bool) -> str | None:
    """Why a repository is a POC, in words for its people; None if it is none."""
    if exclusion(repository):
        return None
    for topic in sorted(POC_TOPICS.intersection(repository.topics)):
        return f"topic `{topic}`"
    name = repository.name.lower()
    if name.startswith("poc-") or name.endswith("-poc"):
        return f"its name, `{repository.name}`"
    return "its `POC.md`" if declares_charter else None
