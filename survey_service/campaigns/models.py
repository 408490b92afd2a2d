"""Campaigns, their subjects, and the corrections made after launch."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.campaigns.rules import (
    DEFAULT_DISPUTE_PERMILLE,
    MIN_CELL_FLOOR,
    LiveScores,
    OpenRequires,
    Revote,
    Window,
)
from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.organizations.rules import SubjectKind


class Campaign(Base):
    """One survey over many subjects; the row is also the fence between ballots and closing.

    `accepts_until` stands beside the times it follows from because the ballot's statement compares
    with it; `wrapped_key` is the campaign key, which turns credentials into participation digests.
    `frozen_at` shuts out ballots when sealing begins; `sealed_at` says that it has been finished.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint(f"min_cell >= {MIN_CELL_FLOOR}", name="min_cell"),
        CheckConstraint("opens_at < closes_at", name="window"),
        CheckConstraint("closed_at IS NULL OR launched_at IS NOT NULL", name="closed_after_launch"),
        CheckConstraint("sealed_at IS NULL OR closed_at IS NOT NULL", name="sealed_after_close"),
    )

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    notice: Mapped[str] = mapped_column(Text, default="")
    questionnaire_version_id: Mapped[int] = mapped_column(BigId, ForeignKey("questionnaire_version.id"))
    subject_kind: Mapped[SubjectKind] = mapped_column(one_of(SubjectKind, name="subject_kind"))
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    accepts_until: Mapped[datetime]
    grace_hours: Mapped[int]
    open_requires: Mapped[OpenRequires] = mapped_column(one_of(OpenRequires, name="open_requires"))
    revote: Mapped[Revote] = mapped_column(one_of(Revote, name="revote"))
    min_cell: Mapped[int]
    live_scores: Mapped[LiveScores] = mapped_column(
        one_of(LiveScores, name="live_scores"), default=LiveScores.STEPWISE
    )
    dispute_permille: Mapped[int] = mapped_column(default=DEFAULT_DISPUTE_PERMILLE)
    """From which share of disputed codes on the county looks at a subject."""
    has_household_codes: Mapped[bool] = mapped_column(default=False)
    has_reminders: Mapped[bool] = mapped_column(default=False)
    """Whether secretaries are reminded of it, once a week at most."""
    formula: Mapped[str] = mapped_column(Text)
    formula_hash: Mapped[str | None] = mapped_column(String(64))
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    recording_digest: Mapped[str | None] = mapped_column(String(64))
    copied_from_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("campaign.id"))
    created_at: Mapped[datetime]
    launched_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    sealed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    @property
    def window(self) -> Window:
        return Window(
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            grace=timedelta(hours=self.grace_hours),
            launched_at=self.launched_at,
            closed_at=self.closed_at,
            sealed_at=self.sealed_at,
            withdrawn_at=self.withdrawn_at,
        )


class CampaignSubject(Base):
    """A subject of a campaign with its eligible numbers; the row is the lock of its tally."""

    __tablename__ = "campaign_subject"

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"), primary_key=True)
    subject_id: Mapped[int] = mapped_column(BigId, ForeignKey("subject.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    position: Mapped[int]
    eligible: Mapped[str] = mapped_column(Text, default="{}")
    """Eligible number per rater class as JSON, as given; at launch every class is filled in."""


class CampaignCorrection(Base):
    """A correction after launch: of the title, the notice or the closing time, and of nothing else."""

    __tablename__ = "campaign_correction"

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"), index=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    at: Mapped[datetime]
    field: Mapped[str] = mapped_column(String(20))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


class CampaignRecording(Base):
    """The questionnaire read aloud; small enough for the database, and so in every backup."""

    __tablename__ = "campaign_recording"

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    content_type: Mapped[str] = mapped_column(String(40))
    content: Mapped[bytes] = mapped_column(LargeBinary)
