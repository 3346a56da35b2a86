"""When the database was last backed up"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0024'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'last_backup',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint('id = 1', name='last_backup_one'),
        sa.PrimaryKeyConstraint('id'),
    )
