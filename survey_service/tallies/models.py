"""The tally sheet: derived from the ballots alone, and written only by a rebuild."""

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId


class TallyRow(Base):
    """The ballots of one subject, rater class, mode and place, counted.

    `counts` is JSON: item key → option (or "" for a blank) → number of ballots.
    """

    __tablename__ = "tally_slice"
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "subject_id", "rater_class", "mode", "place_id"),)

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    rater_class: Mapped[str] = mapped_column(String(24))
    mode: Mapped[str] = mapped_column(String(12))
    place_id: Mapped[int] = mapped_column(BigId)
    returned: Mapped[int]
    valid: Mapped[int]
    standing: Mapped[int]
    counts: Mapped[str] = mapped_column(Text)


class TallyHead(Base):
    """How often a subject's tally was rebuilt; a score names the revision that it was made from."""

    __tablename__ = "tally_head"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "subject_id"),
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    revision: Mapped[int]
    returned: Mapped[int]


class TurnoutDay(Base):
    """How many ballots a subject's tally grew by on one day in Shanghai: the daily curve.

    The ballots carry no time, so this counter is all that is known about when they came.
    """

    __tablename__ = "turnout_day"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "subject_id", "day"),
        Index("ix_turnout_day_campaign", "campaign_id", "day"),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    day: Mapped[date]
    returned: Mapped[int]
