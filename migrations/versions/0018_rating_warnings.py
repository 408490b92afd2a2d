"""Ratings: warnings with their log, the day of the last look, grades taken in from signed files."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0018"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = ("rating_warning", "rating_watch", "rating_history")
STANDING = sa.text("cleared_at IS NULL")


def words(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "rating_warning",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=True),
        sa.Column("level", words("self", "town", "county", name="level"), nullable=False),
        sa.Column(
            "kind",
            words("late_step", "late_sheet", "missing_evidence", "falling_score", name="kind"),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("staff_id", BigId, nullable=True),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_rating_warning_answer_has_its_time")
        ),
        key("rating_warning", "cycle_id", "rating_cycle"),
        key("rating_warning", "organization_id", "organization"),
        key("rating_warning", "subject_id", "subject"),
        key("rating_warning", "staff_id", "staff_account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_warning")),
    )
    op.create_index(op.f("ix_rating_warning_organization_id"), "rating_warning", ["organization_id"])
    op.create_index(
        "uq_rating_warning_standing",
        "rating_warning",
        ["cycle_id", "key"],
        unique=True,
        postgresql_where=STANDING,
        sqlite_where=STANDING,
    )
    op.create_table(
        "rating_watch",
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=False),
        key("rating_watch", "cycle_id", "rating_cycle"),
        sa.PrimaryKeyConstraint("cycle_id", name=op.f("pk_rating_watch")),
    )
    op.create_table(
        "rating_history",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column(
            "subject_kind",
            words("branch", "party_org", "service_centre", "person", name="subject_kind"),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("scheme_code", sa.String(length=64), nullable=False),
        sa.Column("scheme_title", sa.String(length=200), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("grade_title", sa.String(length=200), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("grades", sa.Integer(), nullable=False),
        sa.Column("total", sa.String(length=40), nullable=True),
        sa.Column("maximum", sa.String(length=40), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("file_cycle", BigId, nullable=False),
        sa.Column("file_version", sa.Integer(), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        key("rating_history", "organization_id", "organization"),
        key("rating_history", "staff_id", "staff_account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_history")),
        sa.UniqueConstraint(
            "organization_id",
            "subject_kind",
            "issuer",
            "file_cycle",
            name=op.f("uq_rating_history_organization_id_subject_kind_issuer_file_cycle"),
        ),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
