"""What authors of opinions did, until the audit trail has it with all others of its day."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opinion_author_act",
        sa.Column("opinion_id", BigId, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("root_id", BigId, nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("opinion_id", "number", name=op.f("pk_opinion_author_act")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_opinion_author_act_taken_on", "opinion_author_act", ["taken_on"])


def downgrade() -> None:
    op.drop_table("opinion_author_act")
