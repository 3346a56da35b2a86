"""Who is logged in"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'person',
        sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('login', sa.Text(), nullable=False),
        sa.Column('access_token', sa.LargeBinary(), nullable=False),
        sa.Column('access_ends', sa.DateTime(timezone=True), nullable=True),
        sa.Column('refresh_token', sa.LargeBinary(), nullable=True),
        sa.Column('refresh_ends', sa.DateTime(timezone=True), nullable=True),
        sa.Column('visible', sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column('rows_of', sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column('refused', sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('asking_since', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_table(
        'session',
        sa.Column('hash', sa.LargeBinary(), nullable=False),
        sa.Column('person_id', sa.BigInteger(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('hash'),
    )
    op.create_index('ix_session_person_id', 'session', ['person_id'])
