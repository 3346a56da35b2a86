"""A record of each POC"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint('poc_pkey', 'poc')
    op.alter_column('poc', 'repository_id', server_default=None)
    op.execute('DROP SEQUENCE poc_repository_id_seq')
    op.add_column('poc', sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False))
    op.add_column('poc', sa.Column('charter_path', sa.Text(), server_default='POC.md', nullable=False))
    op.create_primary_key('poc_pkey', 'poc', ['id'])
    op.create_unique_constraint('poc_repository_id_charter_path_key', 'poc', ['repository_id', 'charter_path'])
    # What is a POC, or was one once, has a record from now on.
    op.execute("""
    INSERT INTO poc (repository_id, charter_path, state_since)
    SELECT known.repository_id, known.charter_path, coalesce(r.registered_at, r.first_seen_at, now())
    FROM (
        SELECT id AS repository_id, 'POC.md' AS charter_path FROM repository WHERE poc_reason IS NOT NULL
        UNION SELECT repository_id, 'POC.md' FROM turn
        UNION SELECT repository_id, 'POC.md' FROM ship_date
        UNION SELECT repository_id, 'POC.md' FROM rest
        UNION SELECT repository_id, 'POC.md' FROM blocker
        UNION SELECT repository_id, 'POC.md' FROM signature
        UNION SELECT repository_id, charter_path FROM stall_issue
    ) known LEFT JOIN repository r ON r.id = known.repository_id
    ORDER BY known.repository_id, known.charter_path
    ON CONFLICT DO NOTHING
    """)
    for table in ('turn', 'ship_date', 'rest', 'blocker', 'signature', 'stall_issue'):
        op.add_column(table, sa.Column('poc_id', sa.BigInteger(), nullable=True))
        path = 't.charter_path' if table == 'stall_issue' else "'POC.md'"
        op.execute(
            f'UPDATE {table} t SET poc_id = p.id FROM poc p'
            f' WHERE p.repository_id = t.repository_id AND p.charter_path = {path}'
        )
        op.alter_column(table, 'poc_id', nullable=False)
    # The keys and indexes that a column is part of go with it.
    op.drop_column('stall_issue', 'charter_path')
    for table in ('turn', 'ship_date', 'rest', 'blocker', 'signature', 'stall_issue'):
        op.drop_column(table, 'repository_id')
    op.create_primary_key('rest_pkey', 'rest', ['poc_id', 'source'])
    op.create_primary_key('blocker_pkey', 'blocker', ['poc_id', 'reference'])
    op.create_primary_key('stall_issue_pkey', 'stall_issue', ['poc_id'])
    op.create_unique_constraint('signature_poc_id_source_signs_for_round_key', 'signature', ['poc_id', 'source', 'signs_for', 'round'])
    op.create_index(op.f('ix_signature_poc_id'), 'signature', ['poc_id'], unique=False)
    op.create_index('ship_date_poc', 'ship_date', ['poc_id', 'id'], unique=False)
    op.create_index('turn_poc', 'turn', ['poc_id', 'id'], unique=False)
