"""Disputes: that somebody says "this was not me", without any trace of who, and what the county decided."""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, LargeBinary, PrimaryKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.anomalies.rules import DisputeDecision
from survey_service.core.db import Base, BigId, Id, one_of


class Dispute(Base):
    """That a spent slot was disputed: a digest under the campaign key, so that each counts once.

    Neither slot nor subject can be read from it. It is deleted at sealing, together with the key.
    """

    __tablename__ = "dispute"
    # SQLite would otherwise keep the order of arrival in its hidden rowid.
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "digest"), {"sqlite_with_rowid": False})

    campaign_id: Mapped[int] = mapped_column(BigId)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))


class DisputeCount(Base):
    """How many slots of a subject were disputed."""

    __tablename__ = "dispute_count"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "subject_id"),
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    disputes: Mapped[int]


class DisputeRuling(Base):
    """One decision of the county about a disputed subject; the newest is in force, none is ever changed."""

    __tablename__ = "dispute_ruling"
    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
    )

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId, index=True)
    subject_id: Mapped[int] = mapped_column(BigId)
    decision: Mapped[DisputeDecision] = mapped_column(one_of(DisputeDecision, name="decision"))
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime]
