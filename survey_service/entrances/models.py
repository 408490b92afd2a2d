"""Entrances: posted codes and slots. A slot is the credential; its code is only the key to it."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.entrances.rules import MAX_GROUP_LENGTH, RevokedAs


class CodeBatch(Base):
    """Entrances of a subject or panel that were made together; the wrapped key lets codes be printed again.

    The key is destroyed when the batch is marked as handed out, seven days after its codes left the system
    for the first time (`printed_at`), or when the campaign ends. What stands in batches of earlier releases
    for several subjects together has no subject.

    A sitting is a batch with companions: the same panel codes open slots of several campaigns, each with a
    batch of its own. The key, and what became of the paper, stand at the first of them, the lead.
    """

    __tablename__ = "code_batch"
    __table_args__ = (
        UniqueConstraint("campaign_id", "idempotency_key", "subject_id"),
        CheckConstraint("handed_out_at IS NULL OR wrapped_key IS NULL", name="handed_out_without_key"),
        CheckConstraint(
            "lead_id IS NULL OR (panel_id IS NOT NULL AND wrapped_key IS NULL)", name="companion_without_key"
        ),
        Index("ix_code_batch_lead", "lead_id"),
    )

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"))
    subject_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("subject.id"))
    panel_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("panel.id"))
    lead_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("code_batch.id", ondelete="SET NULL"))
    turn: Mapped[int] = mapped_column(default=0)
    """Which campaign of a sitting this is, from 0; 0 for every batch that stands alone."""
    mode: Mapped[Mode | None] = mapped_column(one_of(Mode, name="batch_mode"))
    rater_class: Mapped[RaterClass | None] = mapped_column(one_of(RaterClass, name="batch_class"))
    idempotency_key: Mapped[str | None] = mapped_column(String(128))
    request_digest: Mapped[str] = mapped_column(String(64))
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    printed_at: Mapped[datetime | None]
    handed_out_at: Mapped[datetime | None]

    @property
    def place_id(self) -> int:
        """The subject or the panel whose slots it holds; its codes are derived from that."""
        place_id = self.subject_id or self.panel_id
        assert place_id is not None
        return place_id


class Panel(Base):
    """Invited people who rate several subjects, one code each: all subjects of a campaign under one place.

    What they rate in other campaigns with the same code belongs to the panels of these.
    """

    __tablename__ = "panel"
    __table_args__ = (UniqueConstraint("campaign_id", "organization_id"),)

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"))
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))


class PanelSubject(Base):
    """A subject that a panel rates: written down, since the tree may change while the codes are out."""

    __tablename__ = "panel_subject"
    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
        Index("ix_panel_subject_subject", "campaign_id", "subject_id"),
    )

    panel_id: Mapped[int] = mapped_column(BigId, ForeignKey("panel.id"), primary_key=True)
    subject_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigId)


class HouseholdGroup(Base):
    """A villagers' group (村民小组): a run of serials of a village's household codes."""

    __tablename__ = "household_group"
    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
        CheckConstraint("first_serial <= last_serial", name="range"),
    )

    campaign_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    first_serial: Mapped[int] = mapped_column(primary_key=True)
    last_serial: Mapped[int]
    name: Mapped[str] = mapped_column(String(MAX_GROUP_LENGTH))


class Entrance(Base):
    """A way into a campaign for one rater class, and for one subject or for those of a panel.

    A posted entrance keeps its code, since it hangs on a wall anyway. A slot (`serial`, `issue`, `batch_id`)
    keeps only the keyed digest of its code. Reissue raises `issue` and changes the digest, not the row, so a
    spent slot stays spent. In a sitting one code opens a slot in each campaign: these share the digest and
    the serial, and `turn` tells them apart.
    """

    __tablename__ = "entrance"
    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
        UniqueConstraint("campaign_id", "subject_id", "mode", "rater_class", "serial"),
        UniqueConstraint("panel_id", "rater_class", "serial"),
        UniqueConstraint("code_digest", "turn"),
        CheckConstraint("(subject_id IS NULL) = (panel_id IS NOT NULL)", name="subject_or_panel"),
        CheckConstraint("panel_id IS NULL OR (mode = 'panel' AND serial IS NOT NULL)", name="panel_of_slots"),
        CheckConstraint("turn = 0 OR panel_id IS NOT NULL", name="turn_of_panels"),
        CheckConstraint("serial IS NULL OR batch_id IS NOT NULL", name="slot_has_batch"),
        CheckConstraint("(serial IS NULL) = (code IS NOT NULL)", name="slot_hides_code"),
        CheckConstraint("revoked_as IS NULL OR revoked_at IS NOT NULL", name="revoked_with_time"),
        Index("ix_entrance_batch", "batch_id"),
    )

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int | None] = mapped_column(BigId)
    panel_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("panel.id"))
    mode: Mapped[Mode] = mapped_column(one_of(Mode, name="mode"))
    rater_class: Mapped[RaterClass] = mapped_column(one_of(RaterClass, name="rater_class"))
    code_digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    turn: Mapped[int] = mapped_column(default=0)
    code: Mapped[str | None] = mapped_column(String(13))
    place: Mapped[str] = mapped_column(String(100), default="")
    is_preview: Mapped[bool] = mapped_column(default=False)
    batch_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("code_batch.id"))
    serial: Mapped[int | None]
    issue: Mapped[int] = mapped_column(default=1)
    revoked_at: Mapped[datetime | None]
    revoked_as: Mapped[RevokedAs | None] = mapped_column(one_of(RevokedAs, name="revoked_as"))
