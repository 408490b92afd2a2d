"""How far a sealing has come, and what it writes once and for all.

Triggers of the database refuse every change of snapshots, sealed scores and published receipts.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, PrimaryKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId, one_of
from survey_service.sealing.rules import Step


class Sealing(Base):
    """The sealing of one campaign. `moved_at` is when it was last begun or taken a step further."""

    __tablename__ = "sealing"

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"), primary_key=True)
    step: Mapped[Step] = mapped_column(one_of(Step, name="step"))
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    """Who asked for it; None for the command line."""
    moved_at: Mapped[datetime]


class ScoreSnapshot(Base):
    """The sealed scores of a campaign with their inputs: version 1 at sealing, a new one for each correction.

    `digest` is the SHA-256 of the whole document, which `documents.py` puts together from `head` and the
    rows of `SealedScore`.
    """

    __tablename__ = "score_snapshot"
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "version"),)

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"))
    version: Mapped[int]
    head: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    created_at: Mapped[datetime]


class SealedScore(Base):
    """One subject of a snapshot; every text is canonical JSON.

    `tallies` are the counted ballots, with a salt. They stay inside, since they also tell about subjects and
    classes too small to be shown; the document holds their digest.
    """

    __tablename__ = "sealed_score"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "version", "subject_id"),
        ForeignKeyConstraint(
            ["campaign_id", "version"], ["score_snapshot.campaign_id", "score_snapshot.version"]
        ),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    version: Mapped[int]
    subject_id: Mapped[int] = mapped_column(BigId)
    position: Mapped[int]
    place: Mapped[str] = mapped_column(Text)
    ballots: Mapped[str] = mapped_column(Text)
    eligible: Mapped[str] = mapped_column(Text)
    issued: Mapped[str] = mapped_column(Text)
    returned: Mapped[int]
    figures: Mapped[str] = mapped_column(Text)
    """The figures of the score table."""
    derivation: Mapped[str] = mapped_column(Text)
    """Items and trace; read for one subject only."""
    tallies: Mapped[str] = mapped_column(Text)


class PublishedReceipts(Base):
    """The receipts that are published under one organization's code, one a line, sorted by code point.

    `totals` are the ballots of meetings, which have none.
    """

    __tablename__ = "published_receipts"
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "organization_code"),)

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"))
    organization_code: Mapped[str] = mapped_column(String(32))
    count: Mapped[int]
    excluded: Mapped[int]
    invalid: Mapped[int]
    weightless: Mapped[int]
    totals: Mapped[int] = mapped_column(default=0)
    digest: Mapped[str] = mapped_column(String(64))
    receipts: Mapped[str] = mapped_column(Text)

    @property
    def listed(self) -> list[str]:
        return self.receipts.split("\n") if self.receipts else []
