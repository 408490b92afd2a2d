"""Mark the allowances that were written anew, so that a sweep finds those whose job was lost."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "opinion_allowance", sa.Column("is_stirred", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("opinion_allowance", "is_stirred")
