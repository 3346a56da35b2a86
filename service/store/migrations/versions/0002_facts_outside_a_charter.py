"""Facts outside a charter"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('outside_fact',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('blob_sha', sa.Text(), nullable=False),
    sa.Column('ref', sa.Text(), nullable=False),
    sa.Column('gathered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('complete', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'blob_sha')
    )
