"""Walk and count the cases of a state along an index that holds the whole gate."""

from alembic import op

revision = "0015c"
down_revision = "0013b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_opinion_state",
        "opinion",
        ["state", "position", "organization_id", "handler_id", "concealed_id"],
    )
    op.create_index("ix_opinion_handler_state", "opinion", ["handler_id", "state", "position"])


def downgrade() -> None:
    op.drop_index("ix_opinion_handler_state", "opinion")
    op.drop_index("ix_opinion_state", "opinion")
