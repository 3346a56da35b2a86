"""What the pages show of each POC, and who is logged in"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


revision = '0014'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('poc', sa.Column('owner', sa.Text(), nullable=True))
    op.add_column('poc', sa.Column('met', sa.Integer(), nullable=True))
    op.add_column('poc', sa.Column('thresholds', sa.Integer(), nullable=True))
    op.add_column('poc', sa.Column('judged', postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column('poc', sa.Column('days', sa.ARRAY(sa.Integer()), nullable=True))
    op.add_column('poc', sa.Column('counted_on', sa.Date(), nullable=True))
    op.add_column('poc', sa.Column('turn_id', sa.BigInteger(), nullable=True))
    op.add_column('poc', sa.Column('waits_for', sa.Text(), nullable=True))
    op.add_column('poc', sa.Column('waits_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('poc', sa.Column('ship_by', sa.Date(), nullable=True))
    op.add_column('poc', sa.Column('first_ship_by', sa.Date(), nullable=True))
    op.add_column('poc', sa.Column('ship_dates', sa.Integer(), server_default='0', nullable=False))
    op.execute("""
        UPDATE poc SET turn_id = t.id, waits_since = t.since, waits_for = CASE
            WHEN t.party IN ('signer', 'platform') THEN replace(t.for_group, '_', ' ')
            WHEN t.party = 'reviewer' THEN 'a review'
            WHEN t.party = 'blocker' THEN 'another issue'
            WHEN t.party = 'owner' THEN 'the owner'
            WHEN t.party = 'unnamed' THEN 'a charter'
        END
        FROM (SELECT DISTINCT ON (poc_id) * FROM turn ORDER BY poc_id, id DESC) t WHERE t.poc_id = poc.id
    """)
    op.execute("""
        UPDATE poc SET ship_by = d.dates[d.count], first_ship_by = d.dates[1], ship_dates = d.count
        FROM (
            SELECT poc_id, array_agg(ship_by ORDER BY id) AS dates, count(*)::int AS count
            FROM ship_date GROUP BY poc_id
        ) d WHERE d.poc_id = poc.id
    """)
