"""Sign-in of staff by phone: bindings, and desktops that wait for a phone."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0020"
down_revision = "0015c"
branch_labels = None
depends_on = None

TABLES = ("staff_binding", "desktop_request")


def upgrade() -> None:
    op.create_table(
        "staff_binding",
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column(
            "provider",
            sa.Enum("wechat", "wecom", name="provider", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("bound_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_staff_binding_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", "provider", name=op.f("pk_staff_binding")),
        sa.UniqueConstraint("provider", "digest", name=op.f("uq_staff_binding_provider_digest")),
    )
    op.create_table(
        "desktop_request",
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("staff_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_desktop_request_staff_id")),
        sa.PrimaryKeyConstraint("code_digest", name=op.f("pk_desktop_request")),
    )
    op.create_index(op.f("ix_desktop_request_expires_at"), "desktop_request", ["expires_at"], unique=False)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
