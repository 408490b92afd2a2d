"""The chain, its head, and the day on which the head was last sent out."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.audit import MAX_TARGET_LENGTH
from survey_service.core.db import Base, BigId

THE_ONE = 1
"""The id in tables of a single row."""


class AuditEntry(Base):
    """An act. Triggers refuse every change; nothing refers to other tables, so nothing holds an entry back.

    The columns hold exactly what the digest covers: the moment as text, the facts as canonical JSON.
    """

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(MAX_TARGET_LENGTH))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the chain; whoever appends holds this row until his commit."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint(f"id = {THE_ONE}", name="the_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


class AuditDelivery(Base):
    """When the head was last sent out, and when a failed sending is tried again."""

    __tablename__ = "audit_delivery"
    __table_args__ = (CheckConstraint(f"id = {THE_ONE}", name="the_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sent_on: Mapped[date | None]
    """The day in Shanghai."""
    sent_seq: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int]
    not_before: Mapped[datetime | None]
