"""Find the box of an opinion by its code, which is no secret, and not by a digest under the master key."""

import sqlalchemy as sa
from alembic import op

revision = "0015b"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("opinion_box", schema=None) as batch_op:
        batch_op.drop_constraint("uq_opinion_box_code_digest", type_="unique")
        batch_op.drop_column("code_digest")
        batch_op.create_unique_constraint("uq_opinion_box_code", ["code"])


def downgrade() -> None:
    with op.batch_alter_table("opinion_box", schema=None) as batch_op:
        batch_op.drop_constraint("uq_opinion_box_code", type_="unique")
        batch_op.add_column(sa.Column("code_digest", sa.LargeBinary(16)))
