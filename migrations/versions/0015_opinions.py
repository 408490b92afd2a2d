"""Opinions: what people write, their cases, answers, verdicts, photos, boxes, and the key of originals."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = (
    "opinion_allowance",
    "opinion_key",
    "opinion",
    "opinion_box",
    "opinion_answer",
    "opinion_original",
    "opinion_photo",
    "opinion_step",
    "opinion_verdict",
    "opinion_intake",
)


def upgrade() -> None:
    op.create_table(
        "opinion_allowance",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.CheckConstraint("number BETWEEN 1 AND 3", name=op.f("ck_opinion_allowance_number")),
        sa.PrimaryKeyConstraint("campaign_id", "digest", "number", name=op.f("pk_opinion_allowance")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opinion_key",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion_key")),
    )
    op.create_table(
        "opinion",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("position", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("handler_id", BigId, nullable=False),
        sa.Column("concealed_id", BigId, nullable=True),
        sa.Column("letter_id", BigId, nullable=True),
        sa.Column(
            "source",
            sa.Enum(
                "entrance",
                "letter",
                "box",
                "ballot",
                "paper",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "category",
            sa.Enum(
                "complaint",
                "enquiry",
                "suggestion",
                "help",
                "report",
                "other",
                name="category",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("is_report_by_author", sa.Boolean(), nullable=False),
        sa.Column(
            "topic",
            sa.Enum(
                "party_building",
                "collective_economy",
                "living_environment",
                "risk_control",
                "civility",
                name="topic",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column(
            "level",
            sa.Enum(
                "village",
                "town",
                "county",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "triaged",
                "accepted",
                "transferred",
                "declined",
                "in_progress",
                "answered",
                "called_back",
                "rated",
                "reopened",
                "joined",
                "closed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("is_extended", sa.Boolean(), nullable=False),
        sa.Column("is_reopened", sa.Boolean(), nullable=False),
        sa.Column("lead_id", BigId, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("may_publish", sa.Boolean(), nullable=False),
        sa.Column("query_digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("content_digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'joined') = (lead_id IS NOT NULL)", name=op.f("ck_opinion_joined_has_lead")
        ),
        sa.CheckConstraint(
            "is_open = (state IN ('accepted', 'in_progress', 'received', 'reopened', '"
            "transferred', 'triaged'))",
            name=op.f("ck_opinion_open_states"),
        ),
        sa.CheckConstraint("lead_id <> id", name=op.f("ck_opinion_leads_elsewhere")),
        sa.ForeignKeyConstraint(["concealed_id"], ["organization.id"], name=op.f("fk_opinion_concealed_id")),
        sa.ForeignKeyConstraint(["handler_id"], ["organization.id"], name=op.f("fk_opinion_handler_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["opinion.id"], name=op.f("fk_opinion_lead_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_opinion_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion")),
        sa.UniqueConstraint("position", name=op.f("uq_opinion_position")),
        sa.UniqueConstraint("query_digest", name=op.f("uq_opinion_query_digest")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_opinion_handler", "opinion", ["handler_id", "is_open", "position"], unique=False)
    op.create_index(op.f("ix_opinion_lead_id"), "opinion", ["lead_id"], unique=False)
    op.create_index(
        "ix_opinion_organization", "opinion", ["organization_id", "is_open", "position"], unique=False
    )
    op.create_index("ix_opinion_queue", "opinion", ["is_open", "position"], unique=False)
    op.create_table(
        "opinion_box",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("letter_id", BigId, nullable=True),
        sa.Column("code", sa.String(length=13), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_opinion_box_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion_box")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_opinion_box_code_digest")),
    )
    op.create_index(op.f("ix_opinion_box_letter_id"), "opinion_box", ["letter_id"], unique=False)
    op.create_index(op.f("ix_opinion_box_organization_id"), "opinion_box", ["organization_id"], unique=False)
    op.create_table(
        "opinion_answer",
        sa.Column("opinion_id", BigId, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("private_text", sa.Text(), nullable=False),
        sa.Column("public_text", sa.Text(), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "private_text <> '' OR public_text <> ''", name=op.f("ck_opinion_answer_says_something")
        ),
        sa.CheckConstraint("round IN (0, 1)", name=op.f("ck_opinion_answer_round")),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinion.id"], name=op.f("fk_opinion_answer_opinion_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_opinion_answer_organization_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_opinion_answer_staff_id")),
        sa.PrimaryKeyConstraint("opinion_id", "round", name=op.f("pk_opinion_answer")),
    )
    op.create_table(
        "opinion_original",
        sa.Column("opinion_id", BigId, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinion.id"], name=op.f("fk_opinion_original_opinion_id")),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_opinion_original")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opinion_photo",
        sa.Column("opinion_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("is_shown", sa.Boolean(), nullable=False),
        sa.CheckConstraint("number BETWEEN 1 AND 3", name=op.f("ck_opinion_photo_number")),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinion.id"], name=op.f("fk_opinion_photo_opinion_id")),
        sa.PrimaryKeyConstraint("opinion_id", "number", name=op.f("pk_opinion_photo")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opinion_step",
        sa.Column("opinion_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "triage",
                "accept",
                "transfer",
                "decline",
                "begin",
                "extend",
                "answer",
                "call_back",
                "rate",
                "join",
                "note",
                "mask",
                "show_photo",
                "close",
                name="action",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "triaged",
                "accepted",
                "transferred",
                "declined",
                "in_progress",
                "answered",
                "called_back",
                "rated",
                "reopened",
                "joined",
                "closed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("staff_id", BigId, nullable=True),
        sa.Column("organization_id", BigId, nullable=True),
        sa.Column("remark", sa.String(length=500), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinion.id"], name=op.f("fk_opinion_step_opinion_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_opinion_step_organization_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_opinion_step_staff_id")),
        sa.PrimaryKeyConstraint("opinion_id", "number", name=op.f("pk_opinion_step")),
    )
    op.create_table(
        "opinion_verdict",
        sa.Column("opinion_id", BigId, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "satisfied",
                "basically_satisfied",
                "dissatisfied",
                "partly_solved",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("round IN (0, 1)", name=op.f("ck_opinion_verdict_round")),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinion.id"], name=op.f("fk_opinion_verdict_opinion_id")),
        sa.PrimaryKeyConstraint("opinion_id", "round", name=op.f("pk_opinion_verdict")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opinion_intake",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_opinion_intake_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_opinion_intake")),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
