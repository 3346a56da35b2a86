"""Commands whose answers the tests of texts read."""

from __future__ import annotations

import re
from datetime import date

from service.rules.charter.line_keys import Key, Waiver
from service.rules.charter.model import Charter
from service.rules.checks.judge import judge
from service.rules.commands.arguments import Extend, Waive
from service.texts.commands import EditLocation
from tests.harness.github import charter_file
from tests.harness.places import CHARTERS
from tests.unit.texts.reading import CHARTER_URL

TODAY = date(2026, 11, 23)
EXAMPLE = (CHARTERS / "ok" / "example.md").read_text()
BARE = re.sub(r"^(?:owner|ship_by): .*\n", "", EXAMPLE, flags=re.MULTILINE)
MAIN = EditLocation(CHARTER_URL, "main", is_default=True)
WAIVE = Waive(Waiver(Key("error_rate"), date(2026, 12, 18), "logs come late"))
EXTEND = Extend(date(2027, 3, 15), "the cluster comes late")


def charter_of(text: str) -> Charter:
    charter = judge(charter_file(text), today=TODAY).charter
    assert charter is not None
    return charter
