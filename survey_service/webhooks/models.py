"""Receivers, what is sent to each, and each attempt."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.organizations.models import Organization
from survey_service.webhooks.rules import MAX_URL_LENGTH, DeliveryFault, DeliveryState, Topic

MAX_TITLE_LENGTH = 100


class Webhook(Base):
    """A receiver; it is told what happens in the sub-tree of its organization."""

    __tablename__ = "webhook"

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    title: Mapped[str] = mapped_column(String(MAX_TITLE_LENGTH))
    url: Mapped[str] = mapped_column(String(MAX_URL_LENGTH))
    wrapped_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None for the moment between the row's number and the secret that is bound to it."""
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship(lazy="raise_on_sql")
    topics: Mapped[list["WebhookTopic"]] = relationship(
        cascade="all, delete-orphan", order_by="WebhookTopic.topic", lazy="selectin"
    )


class WebhookTopic(Base):
    """What a receiver asked to be told."""

    __tablename__ = "webhook_topic"

    webhook_id: Mapped[int] = mapped_column(BigId, ForeignKey("webhook.id"), primary_key=True)
    topic: Mapped[Topic] = mapped_column(one_of(Topic, name="topic"), primary_key=True)


class WebhookDelivery(Base):
    """A message to one receiver. A worker that takes it moves `not_before` on, and so owns it for a while."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "message_id"),
        CheckConstraint("(state = 'pending') = (not_before IS NOT NULL)", name="pending"),
        Index("ix_webhook_delivery_state_not_before", "state", "not_before"),
        Index("ix_webhook_delivery_created_at", "created_at"),
    )

    id: Mapped[Id]
    webhook_id: Mapped[int] = mapped_column(BigId, ForeignKey("webhook.id"))
    message_id: Mapped[str] = mapped_column(String(40))
    """What receivers know a message by, however often it arrives."""
    topic: Mapped[Topic] = mapped_column(one_of(Topic, name="topic"))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[DeliveryState] = mapped_column(one_of(DeliveryState, name="state"))
    attempts: Mapped[int]
    """Since it was last queued by a person or by what happened."""
    not_before: Mapped[datetime | None]
    created_at: Mapped[datetime]

    webhook: Mapped[Webhook] = relationship(lazy="raise_on_sql")


class WebhookAttempt(Base):
    """One attempt: the status of the answer, or why there was none."""

    __tablename__ = "webhook_attempt"

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("webhook_delivery.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime]
    status: Mapped[int | None]
    fault: Mapped[DeliveryFault | None] = mapped_column(one_of(DeliveryFault, name="fault"))
    milliseconds: Mapped[int]
