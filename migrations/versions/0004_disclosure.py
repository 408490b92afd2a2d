"""Disclosure control: the slices behind each release, and whether scores are shown before closing."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "live_scores",
                sa.Enum(
                    "stepwise",
                    "after_closing",
                    name="live_scores",
                    native_enum=False,
                    create_constraint=True,
                    length=24,
                ),
                nullable=False,
                server_default="stepwise",
            )
        )
    with op.batch_alter_table("mass_score", schema=None) as batch_op:
        batch_op.add_column(sa.Column("released_slices", sa.Text(), nullable=False, server_default="[]"))
    # Releases of the older form are made anew by the next sweep.
    op.execute(
        "DELETE FROM mass_score WHERE campaign_id IN (SELECT id FROM campaign WHERE sealed_at IS NULL)"
    )


def downgrade() -> None:
    with op.batch_alter_table("mass_score", schema=None) as batch_op:
        batch_op.drop_column("released_slices")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_constraint("live_scores", type_="check")
        batch_op.drop_column("live_scores")
