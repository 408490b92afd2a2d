"""Assisted visits: a locked session, a count of today, and who is stationed where."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0013b"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff_token", sa.Column("locked_at", UtcDateTime(), nullable=True))
    op.create_table(
        "visit_count",
        sa.Column("staff_id", BigId, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.CheckConstraint("visits > 0", name=op.f("ck_visit_count_visits")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_visit_count_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_visit_count")),
    )
    op.create_table(
        "stationing",
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_stationing_staff_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_stationing_organization_id")
        ),
        sa.PrimaryKeyConstraint("staff_id", "organization_id", name=op.f("pk_stationing")),
    )


def downgrade() -> None:
    op.drop_table("stationing")
    op.drop_table("visit_count")
    op.drop_column("staff_token", "locked_at")
