"""The accounts that sign, and for whom"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('signature', sa.Column('behalf', sa.Text(), nullable=True))
    op.create_table(
        'signer_account',
        sa.Column('repository_id', sa.BigInteger(), nullable=False),
        sa.Column('login', sa.Text(), nullable=False),
        sa.Column('account_id', sa.BigInteger(), nullable=False),
        sa.Column('bound_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('repository_id', 'login'),
    )
