"""Scores as they are released, each with the derivation that leads to it."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId


class MassScore(Base):
    """The latest release of one subject's score.

    `tally_revision` is the revision last looked at; `as_of_returned` the number of ballots behind the
    released figures, which lags while the campaign is open.
    """

    __tablename__ = "mass_score"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "subject_id"),
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    tally_revision: Mapped[int]
    as_of_returned: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    figures: Mapped[str] = mapped_column(Text)
    """The figures of the score table as JSON."""
    derivation: Mapped[str] = mapped_column(Text)
    """Items and trace as JSON; read for one subject only."""
    released_slices: Mapped[str] = mapped_column(Text, default="[]")
    """The counted ballots of the last figures shown, by class and mode, as JSON: the figures follow from
    them, and the next step starts from them."""
    released_at: Mapped[datetime]
    """When the figures became what they are; after the closing, when they were made exact."""
