"""Scores as they are released, each with the derivation that leads to it."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, String, Text, true
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
    is_whole: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether nothing that enters the shown score is withheld beside it."""
    released_at: Mapped[datetime]
    """When the figures were last made exact, never before the end; until then, when the campaign opened."""


class MassTotal(Base):
    """The score of all subjects under one organization, from their released ballots."""

    __tablename__ = "mass_total"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "organization_id"),
        ForeignKeyConstraint(["campaign_id"], ["campaign.id"]),
        ForeignKeyConstraint(["organization_id"], ["organization.id"]),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    organization_id: Mapped[int] = mapped_column(BigId)
    as_of_returned: Mapped[int]
    figures: Mapped[str] = mapped_column(Text)
    """The figures of one row of a score table, without those of its parts, as JSON."""
