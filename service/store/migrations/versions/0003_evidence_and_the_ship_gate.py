"""Evidence and the ship gate"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('blob',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('blob_sha', sa.Text(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=True),
    sa.Column('kept', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'blob_sha')
    )
    op.create_table('blob_at',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('commit_sha', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('blob_sha', sa.Text(), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'commit_sha', 'path')
    )
    op.create_table('evidence',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('run_sha', sa.Text(), nullable=False),
    sa.Column('commit_sha', sa.Text(), nullable=True),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('level', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('metric', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=True),
    sa.Column('dataset', sa.Text(), nullable=True),
    sa.Column('load', sa.Text(), nullable=True),
    sa.Column('measured_over', sa.Text(), nullable=True),
    sa.Column('segment', sa.Text(), nullable=True),
    sa.Column('n', sa.BigInteger(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('repository_id', 'run_sha', 'source_id', 'key')
    )
    op.create_index('evidence_commit', 'evidence', ['repository_id', 'commit_sha'], unique=False)
    op.create_index('evidence_metric', 'evidence', ['repository_id', 'metric', 'at'], unique=False)
    op.create_index('evidence_source', 'evidence', ['repository_id', 'source_id'], unique=False)
    op.create_table('known_commit',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('sha', sa.Text(), nullable=False),
    sa.Column('tree_sha', sa.Text(), nullable=False),
    sa.Column('parents', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'sha')
    )
    op.create_table('message',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('github_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'key')
    )
    op.create_table('poc',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='none', nullable=False),
    sa.Column('state_since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('ship_request', sa.Integer(), nullable=True),
    sa.Column('ship_requested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('shipped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('shipped_sha', sa.Text(), nullable=True),
    sa.Column('bound_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('environment', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('repository_id')
    )
    op.create_table('signature',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('login', sa.Text(), nullable=False),
    sa.Column('signs_for', sa.Text(), nullable=False),
    sa.Column('round', sa.Text(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('repository_id', 'source', 'signs_for', 'round')
    )
    op.create_index(op.f('ix_signature_repository_id'), 'signature', ['repository_id'], unique=False)
    op.create_table('used_token',
    sa.Column('jti', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('jti')
    )
    op.create_index(op.f('ix_used_token_expires_at'), 'used_token', ['expires_at'], unique=False)
