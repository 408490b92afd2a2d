"""Find the subjects of a rating by their place in it, so that a page of twenty thousand is read at once."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("uq_rating_subject_place", "rating_subject", ["cycle_id", "position"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_rating_subject_place", "rating_subject")
