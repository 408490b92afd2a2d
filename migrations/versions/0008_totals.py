"""The scores of towns and counties."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mass_total",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("as_of_returned", sa.Integer(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_mass_total_campaign_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_mass_total_organization_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "organization_id", name=op.f("pk_mass_total")),
    )
    with op.batch_alter_table("mass_score", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_whole", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    with op.batch_alter_table("mass_score", schema=None) as batch_op:
        batch_op.drop_column("is_whole")
    op.drop_table("mass_total")
