"""Who waits for a subject, and whose it is; what GitHub leaves an installation to ask"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subject', sa.Column('urgency', sa.SmallInteger(), server_default='2', nullable=False))
    op.add_column('subject', sa.Column('installation_id', sa.BigInteger(), nullable=True))
    op.add_column('subject', sa.Column('marked_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        'subject_waiting',
        'subject',
        ['installation_id', 'urgency'],
        unique=False,
        postgresql_where=sa.text('wanted > done'),
    )
    op.add_column('installation', sa.Column('calls_limit', sa.Integer(), nullable=True))
    op.add_column('installation', sa.Column('calls_remaining', sa.Integer(), nullable=True))
    op.add_column('installation', sa.Column('calls_reset_at', sa.DateTime(timezone=True), nullable=True))
