"""Anomalies: exclusions of flagged groups, decided by two persons; disputes and what the county ruled."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0005"
down_revision = "0008"
branch_labels = None
depends_on = None

CLASSES = (
    "villager",
    "party_member",
    "member_representative",
    "villager_representative",
    "veteran_cadre",
    "party_group_leader",
    "villager_group_leader",
)
MODES = ("panel", "household", "open", "open_device", "assisted", "paper", "paper_total")
FLAGS = ("serial_order", "many_credentials", "burst", "too_fast", "odd_hours")
REFUSAL = "what was decided stays decided"
GUARDED = {"exclusion": "WHEN (OLD.state <> 'proposed')", "dispute_ruling": ""}
"""Tables whose decided rows nobody changes, each with what makes a row decided."""
SLICE_KEY = ("campaign_id", "subject_id", "rater_class", "mode", "place_id")


def upgrade() -> None:
    _add_columns()
    _create_exclusion()
    _create_disputes()
    _add_guards()


def _one_of(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _add_columns() -> None:
    op.add_column(
        "campaign", sa.Column("dispute_permille", sa.Integer(), nullable=False, server_default="20")
    )
    with op.batch_alter_table("tally_slice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_excluded", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.drop_constraint(op.f("pk_tally_slice"), type_="primary")
        batch_op.create_primary_key(op.f("pk_tally_slice"), [*SLICE_KEY, "is_excluded"])


def _create_exclusion() -> None:
    op.create_table(
        "exclusion",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("rater_class", _one_of(*CLASSES, name="rater_class"), nullable=False),
        sa.Column("mode", _one_of(*MODES, name="mode"), nullable=False),
        sa.Column("place_id", BigId, nullable=False),
        sa.Column("flag", _one_of(*FLAGS, name="flag"), nullable=False),
        sa.Column("ballots", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", BigId, nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("state", _one_of("proposed", "confirmed", "declined", name="state"), nullable=False),
        sa.Column("decided_by", BigId, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("ck_exclusion_second_person")),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL)", name=op.f("ck_exclusion_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_exclusion_decided_at_some_time")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_exclusion_campaign_id_subject_id"),
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["staff_account.id"], name=op.f("fk_exclusion_proposed_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["staff_account.id"], name=op.f("fk_exclusion_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    in_force = sa.text("state <> 'declined'")
    op.create_index(
        "uq_exclusion_group",
        "exclusion",
        [*SLICE_KEY, "flag"],
        unique=True,
        postgresql_where=in_force,
        sqlite_where=in_force,
    )


def _create_disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "digest", name=op.f("pk_dispute")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dispute_count",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("disputes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_dispute_count_campaign_id_subject_id"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", name=op.f("pk_dispute_count")),
    )
    op.create_table(
        "dispute_ruling",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("decision", _one_of("hold", "release", name="decision"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", BigId, nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_dispute_ruling_campaign_id_subject_id"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["staff_account.id"], name=op.f("fk_dispute_ruling_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute_ruling")),
    )
    op.create_index(op.f("ix_dispute_ruling_campaign_id"), "dispute_ruling", ["campaign_id"])


def _add_guards() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute(
            "CREATE FUNCTION refuse_decided_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
        )
    acts = {
        True: "EXECUTE FUNCTION refuse_decided_change()",
        False: f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    }
    for table, is_decided in GUARDED.items():
        for moment, condition in (("UPDATE", is_decided), ("DELETE", "")):
            op.execute(
                f"CREATE TRIGGER {table}_{moment.lower()} BEFORE {moment} ON {table} "
                f"FOR EACH ROW {condition} {acts[is_postgresql]}"
            )


def downgrade() -> None:
    for table in ("dispute_ruling", "dispute_count", "dispute", "exclusion"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_decided_change")
    # Excluded ballots are counted anew with all others.
    op.execute("DELETE FROM tally_slice WHERE is_excluded")
    with op.batch_alter_table("tally_slice", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("pk_tally_slice"), type_="primary")
        batch_op.drop_column("is_excluded")
        batch_op.create_primary_key(op.f("pk_tally_slice"), [*SLICE_KEY])
    op.drop_column("campaign", "dispute_permille")
