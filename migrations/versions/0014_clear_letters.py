"""Clear letters: letters, their versions, and openings by day. What was sent in cannot be changed."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0014"
down_revision = "0015b"
branch_labels = None
depends_on = None

REFUSAL = "a version that was sent in is never changed"
GUARDED = {
    "sent": (
        "UPDATE",
        "OLD.submitted_at IS NOT NULL AND (NEW.document <> OLD.document OR NEW.digest <> OLD.digest "
        "OR NEW.letter_id <> OLD.letter_id OR NEW.number <> OLD.number OR NEW.submitted_at IS NULL "
        "OR NEW.submitted_at <> OLD.submitted_at OR NEW.submitted_by <> OLD.submitted_by)",
    ),
    "decided": ("UPDATE", "OLD.decided_at IS NOT NULL"),
    "kept": ("DELETE", "OLD.submitted_at IS NOT NULL"),
}
"""Under which condition a statement about a version is refused."""


def upgrade() -> None:
    op.create_table(
        "clear_letter",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("campaign_id", BigId, nullable=True),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("published_number", sa.Integer(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawal", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_clear_letter_campaign_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_clear_letter_organization_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_clear_letter_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clear_letter")),
        sa.UniqueConstraint("code", name=op.f("uq_clear_letter_code")),
    )
    op.create_index(op.f("ix_clear_letter_campaign_id"), "clear_letter", ["campaign_id"])
    op.create_index(op.f("ix_clear_letter_organization_id"), "clear_letter", ["organization_id"])
    op.create_table(
        "clear_letter_version",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("letter_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("changed_by", BigId, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_by", BigId, nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column(
            "decision",
            sa.Enum(
                "approved", "sent_back", name="decision", native_enum=False, create_constraint=True, length=24
            ),
            nullable=True,
        ),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("decided_by", BigId, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_clear_letter_version_decided_at_once"),
        ),
        sa.CheckConstraint(
            "decided_at IS NULL OR submitted_at IS NOT NULL",
            name=op.f("ck_clear_letter_version_submitted_first"),
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> submitted_by",
            name=op.f("ck_clear_letter_version_decided_by_another"),
        ),
        sa.CheckConstraint(
            "decision IS NULL OR decision <> 'sent_back' OR remark <> ''",
            name=op.f("ck_clear_letter_version_sent_back_why"),
        ),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["clear_letter.id"], name=op.f("fk_clear_letter_version_letter_id")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], ["staff_account.id"], name=op.f(f"fk_clear_letter_version_{column}")
            )
            for column in ("changed_by", "submitted_by", "decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clear_letter_version")),
        sa.UniqueConstraint("letter_id", "number", name=op.f("uq_clear_letter_version_letter_id_number")),
    )
    op.create_table(
        "clear_letter_reading",
        sa.Column("letter_id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["clear_letter.id"], name=op.f("fk_clear_letter_reading_letter_id")
        ),
        sa.PrimaryKeyConstraint("letter_id", "day", name=op.f("pk_clear_letter_reading")),
    )
    _add_guards()


def _add_guards() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute(
            "CREATE FUNCTION refuse_letter_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
        )
        act = "EXECUTE FUNCTION refuse_letter_change()"
    else:
        act = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for name, (moment, condition) in GUARDED.items():
        op.execute(
            f"CREATE TRIGGER clear_letter_version_{name} BEFORE {moment} ON clear_letter_version "
            f"FOR EACH ROW WHEN ({condition}) {act}"
        )


def downgrade() -> None:
    for table in ("clear_letter_reading", "clear_letter_version", "clear_letter"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_letter_change")
