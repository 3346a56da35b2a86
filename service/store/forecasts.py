"""The turns in which an organisation's signers were waited for, and signed."""

from __future__ import annotations

from sqlalchemy import text

from service.rules.stall.forecast import PastTurn
from service.rules.stall.waiting_on import Wants
from service.rules.values.groups import Group
from service.rules.values.subjects import PocId
from service.store.table import Table

MOST_TURNS = 200
"""The newest: what people did years ago says little of today."""

ENDED = text("""
SELECT t.poc_id, t.wants, t.for_group, t.since, n.since AS until
FROM turn t
JOIN poc p ON p.id = t.poc_id
JOIN repository r ON r.id = p.repository_id
CROSS JOIN LATERAL (
    SELECT since FROM turn WHERE poc_id = t.poc_id AND id > t.id ORDER BY id LIMIT 1
) n
WHERE r.installation_id = :installation AND t.party = 'signer' AND t.for_group IS NOT NULL
    AND t.wants IN ('start-signature', 'ship-signature') AND n.since >= t.since
ORDER BY t.id DESC LIMIT :most
""")


class Forecasts(Table):
    """Reads over the turns of many POCs."""

    def past_turns(self, installation_id: int) -> tuple[PastTurn, ...]:
        """The newest turns that have ended, in one statement."""
        asked = {"installation": installation_id, "most": MOST_TURNS}
        with self._database.reading() as session:
            rows = session.connection().execute(ENDED, asked).all()
        return tuple(
            PastTurn(PocId(row.poc_id), Wants(row.wants), Group(row.for_group), row.since, row.until)
            for row in rows
        )
