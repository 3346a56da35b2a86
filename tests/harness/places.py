"""Where the suite's data stands."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
CHARTERS = ROOT / "tests" / "charters"
"""`ok/` are silent; of those in `err/` the `.out` file says what is found."""
POLICIES = ROOT / "tests" / "policies"
DELIVERIES = ROOT / "tests" / "deliveries"
"""Recorded payloads; the `.out` file says what each means."""
GOLDEN = ROOT / "tests" / "texts"
"""Golden texts, as people read them."""
EXAMPLES = ROOT / "docs" / "examples"
