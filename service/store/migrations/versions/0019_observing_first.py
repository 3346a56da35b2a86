"""A new installation begins by observing; those that are there go on as they were"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'installation',
        sa.Column('begins_observing', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    )
    op.alter_column('installation', 'begins_observing', server_default=sa.text('true'))
    op.add_column('installation', sa.Column('switched', sa.Text(), nullable=True))
    op.add_column('installation', sa.Column('observing_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('check_run', sa.Column('would', sa.Text(), nullable=True))
    op.add_column(
        'check_run', sa.Column('rules', sa.ARRAY(sa.Text()), server_default='{}', nullable=False)
    )
