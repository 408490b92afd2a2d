"""Ratings: evidence, visits, sheets handed in and handed back, deadlines of steps."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0019"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("rating_evidence", "rating_visit", "rating_return", "rating_deadline")
UNANSWERED = sa.text("answered_at IS NULL")


def words(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def level() -> sa.Enum:
    return words("self", "town", "county", name="level")


def of_subject(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["cycle_id", "subject_id"],
            ["rating_subject.cycle_id", "rating_subject.subject_id"],
            name=op.f(f"fk_{table}_cycle_id_subject_id"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f(f"fk_{table}_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    op.add_column("rating_sheet", sa.Column("submitted_at", UtcDateTime(), nullable=True))
    op.create_table(
        "rating_evidence",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("level", level(), nullable=False),
        sa.Column("indicator", sa.String(length=64), nullable=False),
        sa.Column("kind", words("file", "link", name="kind"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("content_type", sa.String(length=100), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'file') = (content IS NOT NULL)", name=op.f("ck_rating_evidence_content_of_file")
        ),
        sa.CheckConstraint(
            "(kind = 'file') = (digest IS NOT NULL)", name=op.f("ck_rating_evidence_digest_of_file")
        ),
        sa.CheckConstraint(
            "(kind = 'link') = (url IS NOT NULL)", name=op.f("ck_rating_evidence_url_of_link")
        ),
        *of_subject("rating_evidence"),
    )
    op.create_table(
        "rating_visit",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("visitors", sa.String(length=200), nullable=False),
        sa.Column("outcome", words("confirmed", "differs", name="outcome"), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        *of_subject("rating_visit"),
    )
    op.create_table(
        "rating_return",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("level", level(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        *of_subject("rating_return"),
    )
    op.create_table(
        "rating_deadline",
        sa.Column("cycle_id", BigId, nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["rating_cycle.id"], name=op.f("fk_rating_deadline_cycle_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_rating_deadline_staff_id")),
        sa.PrimaryKeyConstraint("cycle_id", "step", name=op.f("pk_rating_deadline")),
    )
    for table in ("rating_evidence", "rating_visit"):
        op.create_index(op.f(f"ix_{table}_cycle_id_subject_id"), table, ["cycle_id", "subject_id"])
    op.create_index(
        "uq_rating_return_open",
        "rating_return",
        ["cycle_id", "subject_id", "level"],
        unique=True,
        postgresql_where=UNANSWERED,
        sqlite_where=UNANSWERED,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    with op.batch_alter_table("rating_sheet") as sheet:
        sheet.drop_column("submitted_at")
