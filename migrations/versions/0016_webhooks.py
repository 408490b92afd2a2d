"""Webhooks: receivers, what they asked for, messages and attempts."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0016"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = ("webhook", "webhook_delivery", "webhook_topic", "webhook_attempt")
TOPICS = ("opinion.received", "opinion.changed", "warning.raised", "rating.published", "webhook.ping")
FAULTS = ("forbidden_address", "unreachable", "timed_out", "no_trust", "no_answer")


def _one_of(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("wrapped_secret", sa.LargeBinary(), nullable=True),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_webhook_organization_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_webhook_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(op.f("ix_webhook_organization_id"), "webhook", ["organization_id"], unique=False)
    op.create_table(
        "webhook_delivery",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("webhook_id", BigId, nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("topic", _one_of(*TOPICS, name="topic"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", _one_of("pending", "delivered", "failed", name="state"), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'pending') = (not_before IS NOT NULL)", name=op.f("ck_webhook_delivery_pending")
        ),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "webhook_id", "message_id", name=op.f("uq_webhook_delivery_webhook_id_message_id")
        ),
    )
    op.create_index("ix_webhook_delivery_created_at", "webhook_delivery", ["created_at"], unique=False)
    op.create_index(
        "ix_webhook_delivery_state_not_before", "webhook_delivery", ["state", "not_before"], unique=False
    )
    op.create_table(
        "webhook_topic",
        sa.Column("webhook_id", BigId, nullable=False),
        sa.Column("topic", _one_of(*TOPICS, name="topic"), nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_topic_webhook_id")),
        sa.PrimaryKeyConstraint("webhook_id", "topic", name=op.f("pk_webhook_topic")),
    )
    op.create_table(
        "webhook_attempt",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("fault", _one_of(*FAULTS, name="fault"), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_delivery.id"],
            name=op.f("fk_webhook_attempt_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
    )
    op.create_index(op.f("ix_webhook_attempt_delivery_id"), "webhook_attempt", ["delivery_id"], unique=False)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
