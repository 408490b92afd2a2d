"""Codes at scale: batches of one subject, villagers' groups, slots revoked by serial, runs of printing."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0011"
down_revision = "0012"
branch_labels = None
depends_on = None

MODES = ("panel", "household", "open", "open_device", "assisted", "paper", "paper_total")
CLASSES = (
    "villager",
    "party_member",
    "member_representative",
    "villager_representative",
    "veteran_cadre",
    "party_group_leader",
    "villager_group_leader",
)
REASONS = ("undelivered", "lost")
OLD_KEY = ["campaign_id", "idempotency_key"]
NEW_KEY = [*OLD_KEY, "subject_id"]


def upgrade() -> None:
    _change_batches()
    _name_batches()
    # Said in plain words, since a table that is made anew on SQLite would lose its other conditions.
    op.execute(
        "ALTER TABLE entrance ADD COLUMN revoked_as VARCHAR(24)"
        f" CONSTRAINT ck_entrance_revoked_as CHECK ({_is_one_of('revoked_as', REASONS)})"
        " CONSTRAINT ck_entrance_revoked_with_time CHECK (revoked_as IS NULL OR revoked_at IS NOT NULL)"
    )
    _create_groups()
    _create_runs()
    _create_parts()


def _is_one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _change_batches() -> None:
    with op.batch_alter_table("code_batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject_id", BigId, nullable=True))
        batch_op.add_column(sa.Column("panel_id", BigId, nullable=True))
        batch_op.add_column(sa.Column("mode", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("rater_class", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("printed_at", UtcDateTime(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_code_batch_subject_id"), "subject", ["subject_id"], ["id"])
        batch_op.create_foreign_key(op.f("fk_code_batch_panel_id"), "panel", ["panel_id"], ["id"])
        batch_op.drop_constraint(op.f("uq_code_batch_campaign_id_idempotency_key"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_code_batch_campaign_id_idempotency_key_subject_id"), NEW_KEY
        )
        batch_op.create_check_constraint(op.f("ck_code_batch_batch_mode"), _is_one_of("mode", MODES))
        batch_op.create_check_constraint(
            op.f("ck_code_batch_batch_class"), _is_one_of("rater_class", CLASSES)
        )
        batch_op.create_check_constraint(
            op.f("ck_code_batch_handed_out_without_key"), "handed_out_at IS NULL OR wrapped_key IS NULL"
        )


def _name_batches() -> None:
    """Write down whom earlier batches were made for; those for several subjects keep none.

    Their codes were shown when they were made: their days count from then.
    """
    op.execute(
        "UPDATE code_batch SET mode ="
        " (SELECT min(mode) FROM entrance WHERE entrance.batch_id = code_batch.id)"
    )
    op.execute(
        "UPDATE code_batch SET rater_class ="
        " (SELECT min(rater_class) FROM entrance WHERE entrance.batch_id = code_batch.id)"
    )
    op.execute(
        "UPDATE code_batch SET subject_id = (SELECT CASE WHEN min(subject_id) = max(subject_id)"
        " THEN min(subject_id) END FROM entrance WHERE entrance.batch_id = code_batch.id)"
    )
    op.execute(
        "UPDATE code_batch SET panel_id ="
        " (SELECT min(panel_id) FROM entrance WHERE entrance.batch_id = code_batch.id)"
    )
    op.execute("UPDATE code_batch SET printed_at = created_at WHERE mode IN ('household', 'panel')")


def _create_groups() -> None:
    op.create_table(
        "household_group",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("first_serial", sa.Integer(), nullable=False),
        sa.Column("last_serial", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.CheckConstraint("first_serial <= last_serial", name=op.f("ck_household_group_range")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_household_group_campaign_id_subject_id"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", "first_serial", name=op.f("pk_household_group")),
    )


def _one_of(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _create_runs() -> None:
    op.create_table(
        "print_run",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("mode", _one_of(*MODES, name="run_mode"), nullable=False),
        sa.Column("layout", _one_of("labels_24", "labels_12", "letter", name="layout"), nullable=False),
        sa.Column("split", _one_of("village", "group", name="split"), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_print_run_campaign_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_print_run_organization_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_print_run_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_run")),
    )
    op.create_index(op.f("ix_print_run_campaign_id"), "print_run", ["campaign_id"])


def _create_parts() -> None:
    op.create_table(
        "print_part",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", BigId, nullable=False),
        sa.Column("group_name", sa.String(length=40), nullable=False),
        sa.Column("first_serial", sa.Integer(), nullable=False),
        sa.Column("last_serial", sa.Integer(), nullable=False),
        sa.Column("codes", sa.Integer(), nullable=False),
        sa.Column(
            "state", _one_of("waiting", "printed", "failed", "dropped", name="part_state"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(state = 'printed') = (content IS NOT NULL)", name=op.f("ck_print_part_printed_has_content")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["print_run.id"], name=op.f("fk_print_part_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["code_batch.id"], name=op.f("fk_print_part_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_print_part")),
    )
    op.create_index(op.f("ix_print_part_batch_id"), "print_part", ["batch_id"])
    op.create_index("ix_print_part_state", "print_part", ["state", "run_id"])


def downgrade() -> None:
    op.drop_table("print_part")
    op.drop_table("print_run")
    op.drop_table("household_group")
    with op.batch_alter_table("entrance", schema=None) as batch_op:
        batch_op.drop_column("revoked_as")
    with op.batch_alter_table("code_batch", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_code_batch_handed_out_without_key"), type_="check")
        batch_op.drop_constraint(op.f("ck_code_batch_batch_class"), type_="check")
        batch_op.drop_constraint(op.f("ck_code_batch_batch_mode"), type_="check")
        batch_op.drop_constraint(op.f("uq_code_batch_campaign_id_idempotency_key_subject_id"), type_="unique")
        batch_op.create_unique_constraint(op.f("uq_code_batch_campaign_id_idempotency_key"), OLD_KEY)
        batch_op.drop_constraint(op.f("fk_code_batch_panel_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("fk_code_batch_subject_id"), type_="foreignkey")
        for column in ("printed_at", "rater_class", "mode", "panel_id", "subject_id"):
            batch_op.drop_column(column)
