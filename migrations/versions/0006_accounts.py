"""Accounts: one-time passwords that expire, approval, second factors, separate administrators."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLES_BEFORE = ("county_admin", "town_staff", "branch_secretary", "auditor")
ROLES = (*ROLES_BEFORE, "system_admin", "security_admin")
ROLE_CHECK = "ck_staff_account_role"


def upgrade() -> None:
    with op.batch_alter_table("staff_account", schema=None) as batch_op:
        for name in ("password_expires_at", "approved_at", "last_signed_in_at"):
            batch_op.add_column(sa.Column(name, UtcDateTime(), nullable=True))
    op.execute("UPDATE staff_account SET approved_at = created_at")
    _allow_roles(ROLES)
    with op.batch_alter_table("staff_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("client", sa.String(length=32), nullable=False, server_default=""))
    op.create_table(
        "second_factor",
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("wrapped_secret", sa.LargeBinary(length=64), nullable=False),
        sa.Column("last_step", BigId, nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_second_factor_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_recovery_code_staff_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_recovery_code")),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_staff_id"), ["staff_id"], unique=False)


def _allow_roles(roles: tuple[str, ...]) -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.drop_constraint(op.f(ROLE_CHECK), "staff_account", type_="check")
    # SQLite makes the table anew, and forgets the old check on the way.
    with op.batch_alter_table("staff_account", schema=None) as batch_op:
        allowed = ", ".join(f"'{role}'" for role in roles)
        batch_op.create_check_constraint(op.f(ROLE_CHECK), sa.text(f"role IN ({allowed})"))


def downgrade() -> None:
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    with op.batch_alter_table("staff_token", schema=None) as batch_op:
        batch_op.drop_column("client")
    _allow_roles(ROLES_BEFORE)
    with op.batch_alter_table("staff_account", schema=None) as batch_op:
        for name in ("last_signed_in_at", "approved_at", "password_expires_at"):
            batch_op.drop_column(name)
