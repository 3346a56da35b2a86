"""Who is waited for, and the policy"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('blocker',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('named_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('commanded', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('open', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('assignees', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('repository_id', 'reference')
    )
    op.create_table('policy',
    sa.Column('installation_id', sa.BigInteger(), nullable=False),
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('blob_sha', sa.Text(), nullable=True),
    sa.Column('good_blob_sha', sa.Text(), nullable=True),
    sa.Column('good_text', sa.Text(), nullable=True),
    sa.Column('findings', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('broken_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('installation_id')
    )
    op.create_table('rest',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), server_default='', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'source')
    )
    op.create_table('ship_date',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('ship_by', sa.Date(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ship_date_repository', 'ship_date', ['repository_id', 'id'], unique=False)
    op.create_table('turn',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('party', sa.Text(), nullable=False),
    sa.Column('wants', sa.Text(), nullable=False),
    sa.Column('for_group', sa.Text(), nullable=True),
    sa.Column('people', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('about', sa.Text(), server_default='', nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('turn_repository', 'turn', ['repository_id', 'id'], unique=False)
    op.create_table('write_slot',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('installation_id', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('write_slot_installation', 'write_slot', ['installation_id', 'at'], unique=False)
    op.add_column('poc', sa.Column('history_read_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('poc', sa.Column('request_proven_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('poc', sa.Column('request_unsigned', postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column('poc', sa.Column('owner_login', sa.Text(), nullable=True))
    op.add_column('poc', sa.Column('owner_access', sa.Text(), nullable=True))
    op.add_column('poc', sa.Column('owner_asked_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('poc', sa.Column('owner_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('poc', sa.Column('stalled_since', sa.Date(), nullable=True))
    op.add_column('poc', sa.Column('stall_cause', sa.Text(), nullable=True))
    op.add_column('repository', sa.Column('properties', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('stall_issue', sa.Column('home_repository_id', sa.BigInteger(), nullable=True))
    op.add_column('stall_issue', sa.Column('episode', sa.Integer(), server_default='1', nullable=False))
    op.add_column('stall_issue', sa.Column('rung', sa.Integer(), server_default='0', nullable=False))
    op.add_column('stall_issue', sa.Column('reopened', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('stall_issue', sa.Column('assignee', sa.Text(), nullable=True))
    op.execute('UPDATE stall_issue SET rung = 1')
