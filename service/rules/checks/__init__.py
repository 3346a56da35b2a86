"""The checks of a charter, a file for each section, in the order of its keys."""

from __future__ import annotations

from service.rules.checks import (
    body,
    budget,
    done_coverage,
    done_lines,
    done_pairs,
    evidence,
    infra,
    owner,
    paused_stopped,
    rollback,
    shape,
    ship_date,
    signoffs,
    target,
    waived,
)
from service.rules.checks.check import Check

SECTIONS = (
    shape, owner, ship_date, target, done_lines, done_pairs, done_coverage, evidence, rollback, infra,
    signoffs, waived, paused_stopped, budget, body,
)  # fmt: skip
CHECKS = tuple(value for section in SECTIONS for value in vars(section).values() if isinstance(value, Check))
"""Every check of every section, in the order in which its file has them."""
