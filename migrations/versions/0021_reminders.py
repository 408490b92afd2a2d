"""Reminders to secretaries: a campaign's switch, the last one of each branch, a topic of webhooks."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TOPICS = ("opinion.received", "opinion.changed", "warning.raised", "rating.published", "webhook.ping")
NEW_TOPIC = "reminder.made"


def upgrade() -> None:
    op.add_column(
        "campaign", sa.Column("has_reminders", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "reminder",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_reminder_campaign_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_reminder_organization_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "organization_id", name=op.f("pk_reminder")),
    )
    _allow_topics((*TOPICS, NEW_TOPIC))


def _allow_topics(topics: tuple[str, ...]) -> None:
    allowed = ", ".join(f"'{topic}'" for topic in topics)
    for table in ("webhook_topic", "webhook_delivery"):
        check = f"ck_{table}_topic"
        if op.get_bind().dialect.name == "postgresql":
            op.drop_constraint(op.f(check), table, type_="check")
        # SQLite makes the table anew, and forgets the old check on the way.
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_check_constraint(op.f(check), sa.text(f"topic IN ({allowed})"))


def downgrade() -> None:
    delivery, attempt, asked = (
        sa.table(name, sa.column("id"), sa.column("delivery_id"), sa.column("topic"))
        for name in ("webhook_delivery", "webhook_attempt", "webhook_topic")
    )
    sent = sa.select(delivery.c.id).where(delivery.c.topic == NEW_TOPIC)
    op.execute(attempt.delete().where(attempt.c.delivery_id.in_(sent)))
    op.execute(delivery.delete().where(delivery.c.topic == NEW_TOPIC))
    op.execute(asked.delete().where(asked.c.topic == NEW_TOPIC))
    _allow_topics(TOPICS)
    op.drop_table("reminder")
    op.drop_column("campaign", "has_reminders")
