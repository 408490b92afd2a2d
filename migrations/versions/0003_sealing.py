"""Sealing: steps, snapshots, published receipts; what was sealed never changes."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REFUSAL = "what was sealed never changes"
SEALED = {
    "score_snapshot": ("campaign_id", "version"),
    "sealed_score": ("campaign_id", "version", "subject_id"),
    "published_receipts": ("campaign_id", "organization_code"),
}
"""The guarded tables with their keys."""


def upgrade() -> None:
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.add_column(sa.Column("frozen_at", UtcDateTime(), nullable=True))
    op.create_table(
        "sealing",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "frozen",
                "recorded",
                "unlinked",
                "sealed",
                name="step",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("staff_id", BigId, nullable=True),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_sealing_campaign_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_sealing_staff_id")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_sealing")),
    )
    op.create_table(
        "score_snapshot",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("staff_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_score_snapshot_campaign_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_score_snapshot_staff_id")),
        sa.PrimaryKeyConstraint("campaign_id", "version", name=op.f("pk_score_snapshot")),
    )
    op.create_table(
        "sealed_score",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("place", "ballots", "eligible", "issued")),
        sa.Column("returned", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("figures", "derivation", "tallies")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "version"],
            ["score_snapshot.campaign_id", "score_snapshot.version"],
            name=op.f("fk_sealed_score_campaign_id_version"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "version", "subject_id", name=op.f("pk_sealed_score")),
    )
    op.create_table(
        "published_receipts",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("organization_code", sa.String(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.Column("invalid", sa.Integer(), nullable=False),
        sa.Column("weightless", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("receipts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_published_receipts_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "organization_code", name=op.f("pk_published_receipts")),
    )
    _add_guards()


def _add_guards() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_sealed_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
        )
    for table, key in SEALED.items():
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_sealed_change()"
            )
        else:
            _guard_sqlite(table, key)


def _guard_sqlite(table: str, key: tuple[str, ...]) -> None:
    # REPLACE deletes a row without asking the trigger of deletions, so what is inserted is looked at as well.
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    moments = {
        "update": f"BEFORE UPDATE ON {table}",
        "delete": f"BEFORE DELETE ON {table}",
        # All names are constants of this module.
        "insert": f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})",  # noqa: S608
    }
    for name, moment in moments.items():
        op.execute(f"CREATE TRIGGER {table}_{name} {moment} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")


def downgrade() -> None:
    for table in ("published_receipts", "sealed_score", "score_snapshot", "sealing"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_sealed_change")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_column("frozen_at")
