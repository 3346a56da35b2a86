"""The first tables"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from procrastinate.schema import SchemaManager
import psycopg


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('charter_at',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('commit_sha', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('blob_sha', sa.Text(), nullable=True),
    sa.Column('data', sa.LargeBinary(), nullable=True),
    sa.Column('size', sa.Integer(), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'commit_sha')
    )
    op.create_table('check_run',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('head_sha', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('conclusion', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('github_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('check_run_commit', 'check_run', ['repository_id', 'head_sha', 'name', 'id'], unique=False)
    op.create_table('delivery',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('delivery_id', sa.Text(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('body_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('action', sa.Text(), nullable=True),
    sa.Column('installation_id', sa.BigInteger(), nullable=True),
    sa.Column('repository_id', sa.BigInteger(), nullable=True),
    sa.Column('subjects', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('ignored', sa.Text(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('delivery_id', 'event', 'body_sha256')
    )
    op.create_index(op.f('ix_delivery_received_at'), 'delivery', ['received_at'], unique=False)
    op.create_table('fact',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('fact_timeline', 'fact', ['subject', 'kind', 'at'], unique=False)
    op.create_index('fact_unanswered', 'fact', ['subject'], unique=False, postgresql_where=sa.text('answered_at IS NULL'))
    op.create_table('installation',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('permissions', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('suspended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rate_limited_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('merge_base',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('base_sha', sa.Text(), nullable=False),
    sa.Column('head_sha', sa.Text(), nullable=False),
    sa.Column('sha', sa.Text(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'base_sha', 'head_sha')
    )
    op.create_table('pull_request',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('head_sha', sa.Text(), nullable=False),
    sa.Column('before_sha', sa.Text(), nullable=True),
    sa.Column('base_ref', sa.Text(), nullable=False),
    sa.Column('base_sha', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'number')
    )
    op.create_table('repository',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('installation_id', sa.BigInteger(), nullable=False),
    sa.Column('full_name', sa.Text(), nullable=False),
    sa.Column('default_branch', sa.Text(), server_default='', nullable=False),
    sa.Column('private', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('archived', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('fork', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('is_template', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('has_issues', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('topics', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('pushed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('first_pushed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reread', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('poc_reason', sa.Text(), nullable=True),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('charter_kind', sa.Text(), nullable=True),
    sa.Column('charter_blob_sha', sa.Text(), nullable=True),
    sa.Column('charter_data', sa.LargeBinary(), nullable=True),
    sa.Column('charter_size', sa.Integer(), nullable=True),
    sa.Column('chartered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('charter_changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_repository_installation_id'), 'repository', ['installation_id'], unique=False)
    op.create_table('stall_issue',
    sa.Column('repository_id', sa.BigInteger(), nullable=False),
    sa.Column('charter_path', sa.Text(), nullable=False),
    sa.Column('installation_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('html_url', sa.Text(), nullable=True),
    sa.Column('opened_on', sa.Date(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by_us', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.PrimaryKeyConstraint('repository_id', 'charter_path')
    )
    op.create_index(op.f('ix_stall_issue_installation_id'), 'stall_issue', ['installation_id'], unique=False)
    op.create_table('subject',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('wanted', sa.BigInteger(), nullable=False),
    sa.Column('done', sa.BigInteger(), nullable=False),
    sa.Column('touched', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('dead_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('as_of', sa.DateTime(timezone=True), nullable=True),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_index('subject_dead', 'subject', ['dead_since'], unique=False, postgresql_where=sa.text('dead_since IS NOT NULL'))
    op.create_index('subject_dirty', 'subject', ['touched'], unique=False, postgresql_where=sa.text('wanted > done'))
    # Procrastinate's own tables, as of the version that pyproject.toml pins (3.10); its later versions bring
    # migrations of theirs, each of which becomes a revision here.
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(SchemaManager.get_schema().encode(), prepare=False)
