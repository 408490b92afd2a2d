"""What many opinions say together: the index of pairs, groups, words, warnings, and what others were told."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0017"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = (
    "insight_run",
    "opinion_bigram",
    "opinion_index",
    "opinion_word",
    "opinion_likeness",
    "opinion_told",
    "opinion_warning",
    "opinion_warning_sight",
)
KINDS = ("overdue", "safety", "threat", "many_similar")


def _of_opinion(table: str, column: str = "opinion_id") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], ["opinion.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "insight_run",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", UtcDateTime(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_insight_run_the_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insight_run")),
    )
    op.execute("INSERT INTO insight_run (id, hour) VALUES (1, NULL)")
    op.create_table(
        "opinion_bigram",
        sa.Column("bigram", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("opinion_id", BigId, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bigram", "opinion_id", name=op.f("pk_opinion_bigram")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opinion_index",
        sa.Column("opinion_id", BigId, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_opinion_index")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opinion_word",
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.Column("opinions", sa.Integer(), nullable=False),
        sa.Column("z", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_opinion_word_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "word", name=op.f("pk_opinion_word")),
    )
    op.create_table(
        "opinion_likeness",
        sa.Column("first_id", BigId, nullable=False),
        sa.Column("opinion_id", BigId, nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        _of_opinion("opinion_likeness", "first_id"),
        _of_opinion("opinion_likeness"),
        sa.PrimaryKeyConstraint("first_id", "opinion_id", name=op.f("pk_opinion_likeness")),
        sa.UniqueConstraint("opinion_id", name=op.f("uq_opinion_likeness_opinion_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opinion_told",
        sa.Column("opinion_id", BigId, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_opinion("opinion_told"),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_opinion_told")),
        sqlite_with_rowid=False,
    )
    _create_warnings()


def _create_warnings() -> None:
    kind = sa.Enum(*KINDS, name="kind", native_enum=False, create_constraint=True, length=24)
    op.create_table(
        "opinion_warning",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("opinion_id", BigId, nullable=True),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("opinions", sa.Integer(), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("receivers", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'many_similar') = (opinion_id IS NULL)", name=op.f("ck_opinion_warning_about")
        ),
        _of_opinion("opinion_warning"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_opinion_warning_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion_warning")),
        sa.UniqueConstraint("key", name=op.f("uq_opinion_warning_key")),
    )
    op.create_index(op.f("ix_opinion_warning_opinion_id"), "opinion_warning", ["opinion_id"], unique=False)
    op.create_index(
        "ix_opinion_warning_organization_id_raised_on",
        "opinion_warning",
        ["organization_id", "raised_on"],
        unique=False,
    )
    op.create_table(
        "opinion_warning_sight",
        sa.Column("warning_id", BigId, nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_opinion_warning_sight_staff_id")
        ),
        sa.ForeignKeyConstraint(
            ["warning_id"],
            ["opinion_warning.id"],
            name=op.f("fk_opinion_warning_sight_warning_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("warning_id", "staff_id", name=op.f("pk_opinion_warning_sight")),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
