"""Deliveries that were refused, by the minute"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('refused',
    sa.Column('minute', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deliveries', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('minute')
    )
