"""Ratings: schemes, cycles, subjects with their sheets and findings, grades, decisions, steps, objections."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (
    "rating_scheme",
    "rating_cycle",
    "rating_move",
    "rating_subject",
    "rating_decision",
    "rating_grade",
    "rating_objection",
    "rating_sheet",
)


def upgrade() -> None:
    op.create_table(
        "rating_scheme",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_rating_scheme_organization_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_rating_scheme_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_scheme")),
        sa.UniqueConstraint(
            "organization_id", "code", "version", name=op.f("uq_rating_scheme_organization_id_code_version")
        ),
    )
    op.create_table(
        "rating_cycle",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("scheme_code", sa.String(length=64), nullable=False),
        sa.Column("scheme_version", sa.Integer(), nullable=False),
        sa.Column("scheme_digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("campaign_id", BigId, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("graded_revision", sa.Integer(), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_rating_cycle_campaign_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_rating_cycle_organization_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_rating_cycle_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_cycle")),
    )
    op.create_index(op.f("ix_rating_cycle_campaign_id"), "rating_cycle", ["campaign_id"], unique=False)
    op.create_index(
        op.f("ix_rating_cycle_organization_id"), "rating_cycle", ["organization_id"], unique=False
    )
    op.create_index(op.f("ix_rating_cycle_scheme_digest"), "rating_cycle", ["scheme_digest"], unique=False)
    op.create_table(
        "rating_move",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "completed", "sent_back", name="kind", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["rating_cycle.id"], name=op.f("fk_rating_move_cycle_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_rating_move_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_move")),
    )
    op.create_index(op.f("ix_rating_move_cycle_id"), "rating_move", ["cycle_id"], unique=False)
    op.create_table(
        "rating_subject",
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("field_code", sa.String(length=64), nullable=True),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("exclusion", sa.Text(), nullable=True),
        sa.Column("grade_final", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["cycle_id"], ["rating_cycle.id"], name=op.f("fk_rating_subject_cycle_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_rating_subject_organization_id")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_rating_subject_subject_id")),
        sa.PrimaryKeyConstraint("cycle_id", "subject_id", name=op.f("pk_rating_subject")),
    )
    op.create_index(
        op.f("ix_rating_subject_organization_id"), "rating_subject", ["organization_id"], unique=False
    )
    op.create_table(
        "rating_decision",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "committee",
                "objection",
                "downgrade",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("grade_proposed", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trigger", sa.String(length=64), nullable=True),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cycle_id", "subject_id"],
            ["rating_subject.cycle_id", "rating_subject.subject_id"],
            name=op.f("fk_rating_decision_cycle_id_subject_id"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_rating_decision_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_decision")),
        sa.UniqueConstraint(
            "cycle_id", "subject_id", "number", name=op.f("uq_rating_decision_cycle_id_subject_id_number")
        ),
    )
    op.create_table(
        "rating_grade",
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("total", sa.String(length=40), nullable=True),
        sa.Column("grade_by_score", sa.String(length=20), nullable=True),
        sa.Column("grade_proposed", sa.String(length=20), nullable=True),
        sa.Column("is_tied", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cycle_id", "subject_id"],
            ["rating_subject.cycle_id", "rating_subject.subject_id"],
            name=op.f("fk_rating_grade_cycle_id_subject_id"),
        ),
        sa.PrimaryKeyConstraint("cycle_id", "subject_id", name=op.f("pk_rating_grade")),
    )
    op.create_table(
        "rating_objection",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cycle_id", "subject_id"],
            ["rating_subject.cycle_id", "rating_subject.subject_id"],
            name=op.f("fk_rating_objection_cycle_id_subject_id"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_rating_objection_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_objection")),
    )
    op.create_index(op.f("ix_rating_objection_cycle_id"), "rating_objection", ["cycle_id"], unique=False)
    op.create_table(
        "rating_sheet",
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "self", "town", "county", name="level", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("entries", sa.Text(), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cycle_id", "subject_id"],
            ["rating_subject.cycle_id", "rating_subject.subject_id"],
            name=op.f("fk_rating_sheet_cycle_id_subject_id"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_rating_sheet_staff_id")),
        sa.PrimaryKeyConstraint("cycle_id", "subject_id", "level", name=op.f("pk_rating_sheet")),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
