"""Secrecy: PostgreSQL clears rewritten ballots away within minutes; when the retention schedule was run."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0004"
branch_labels = None
depends_on = None

REWRITTEN = ("ballot", "ballot_text", "dirty_mark")
DEAD_ROWS = 50
"""A large table would otherwise keep a fifth of its rows in old versions, with their old transactions."""


def upgrade() -> None:
    run = op.create_table(
        "retention_run",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ran_on", sa.Date(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_retention_run_the_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_run")),
    )
    op.bulk_insert(run, [{"id": 1}])
    if op.get_bind().dialect.name == "postgresql":
        for table in REWRITTEN:
            op.execute(
                f"ALTER TABLE {table} SET "
                f"(autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = {DEAD_ROWS})"
            )


def downgrade() -> None:
    op.drop_table("retention_run")
    if op.get_bind().dialect.name == "postgresql":
        for table in REWRITTEN:
            op.execute(
                f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)"
            )
