"""Vague words: they never fail a charter, they choose the question that a refused line is answered with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vague:
    """Words that sound like a criterion, the question that they leave open, and a line that answers it."""

    words: str
    question: str
    example: str


SPEED = Vague(
    "fast faster quick quicker quickly slow slower rapid rapidly prompt promptly snappy instant "
    "instantly immediately responsive timely"
    "|real-time|real time|low latency|performant",
    "Which percentile, how many ms, at what load?",
    "latency_p95 <= 300 ms at 50 req/s",
)
QUALITY = Vague(
    "good great excellent well bad clear easy easily intuitive seamless seamlessly graceful "
    "beautiful useful strong weak simple realistic helpful natural friendly nice delightful smart"
    "|user-friendly|user friendly|easy to use",
    "Whose rating, of how many?",
    "human_rating >= 4.2 on pilot with n >= 100",
)
CORRECTNESS = Vague(
    "accurate precise correct correctly right reliable trustworthy adequate appropriate acceptable "
    "reasonable sufficient sufficiently significant significantly effective efficient proficient "
    "suitable minimal relevant typical normal common customary generic routine "
    "ancillary transparent expandable"
    "|high-quality|high quality|state-of-the-art|human-level|human level|low error",
    "How often, on which data?",
    "accuracy >= 92 % on holdout with n >= 2000",
)
SERVICE = Vague(
    "robust scalable stable flexible resilient available works working"
    "|production-ready|production ready|works well|demo successful|up and running",
    "Which rate of failure, over how long?",
    "error_rate < 0.5 % over 7 d",
)
MONEY = Vague(
    "cheap cheaper affordable expensive|cost-effective|cost effective|low cost|low-cost",
    "How much, for what?",
    "cost_per_request < 0.02 USD",
)
AMOUNT = Vague(
    "some several many few most various almost nearly approximately about roughly usually generally "
    "often mostly majority lots",
    "How many of how many?",
    "task_success_rate >= 90 % on holdout with n >= 500",
)
COMPARISON = Vague(
    "better best higher lower improved improve improves minimize maximize optimize optimized reduce "
    "increase minimise maximise optimise superior",
    "From which number to which?",
    "accuracy >= 92 % on holdout with n >= 2000",
)
OPEN_END = Vague(
    "possible necessary needed etc tbd support supports eventually"
    "|as appropriate|as required|as needed|as applicable|if possible|where possible|if necessary"
    "|if practicable|provide for|be able to|capable of|not limited to|as a minimum|best effort"
    "|and so on|to be determined",
    "Which number, in any case?",
    "task_success_rate >= 90 % on holdout with n >= 500",
)
APPROVAL = Vague(
    "buy-in happy satisfied positive approve approved approval accepted agreed sign-off signoff "
    "stakeholders"
    "|signed off",
    "Approvals belong under `signoffs`.",
    "csat >= 4.2 on pilot with n >= 100",
)

FAMILIES = (SPEED, MONEY, SERVICE, QUALITY, CORRECTNESS, APPROVAL, COMPARISON, AMOUNT, OPEN_END)


def terms_of(family: Vague) -> list[str]:
    """The words of a family, then its phrases."""
    words, *phrases = family.words.split("|")
    return [*words.split(), *phrases]


VAGUE = {term: family for family in reversed(FAMILIES) for term in terms_of(family)}


def any_of(terms: Iterable[str]) -> re.Pattern[str]:
    """The longest of these terms in a text of small letters: a branch a letter, so that few are tried."""
    letters: dict[str, list[str]] = {}
    for term in sorted(terms, key=len, reverse=True):
        letters.setdefault(term[0], []).append(re.escape(term[1:]))
    branches = (f"{letter}(?:{'|'.join(rests)})" for letter, rests in letters.items())
    return re.compile(rf"(?<![\w-])(?:{'|'.join(branches)})(?![\w-])")


ANY_TERM = any_of(VAGUE)

# In prose most of these words are innocent; these few are promises nearly always.
PROMISES = re.compile(
    r"(?<![\w-])(?:(?:blazing(?:ly)?|super) fast|fast(?:er)?|real-time|snappy|robust|scalable|seamless(?:ly)?"
    r"|intuitive|user-friendly|state-of-the-art|high-quality|production-ready|human-level|best-in-class"
    r"|world-class|cost-effective|highly accurate|reliable)(?![\w-])",
    re.IGNORECASE,
)


def vague_in_prose(line: str) -> re.Match[str] | None:
    """The first word of a line that promises what only a number can."""
    return PROMISES.search(line)


def vague_word(text: str) -> tuple[str, Vague] | None:
    """The word of a text that leaves the most to say, with its family."""
    found = ANY_TERM.findall(text.lower())
    if not found:
        return None
    term = min(found, key=lambda each: FAMILIES.index(VAGUE[each]))
    return term, VAGUE[term]
