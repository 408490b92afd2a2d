"""Runs of printing and their parts. What a part holds can only be read with its batch's key."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.campaigns.rules import Mode
from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.entrances.rules import MAX_GROUP_LENGTH
from survey_service.print_runs.rules import MAX_TITLE_LENGTH, PartState, PrintLayout, PrintSplit


class PrintRun(Base):
    """What somebody wants on paper; `organization_id` is where he stands, above everybody in the run."""

    __tablename__ = "print_run"

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"), index=True)
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    mode: Mapped[Mode] = mapped_column(one_of(Mode, name="run_mode"))
    layout: Mapped[PrintLayout] = mapped_column(one_of(PrintLayout, name="layout"))
    split: Mapped[PrintSplit] = mapped_column(one_of(PrintSplit, name="split"))
    title: Mapped[str] = mapped_column(String(MAX_TITLE_LENGTH), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    """The words of a letter, as the staff wrote them."""
    created_at: Mapped[datetime]


class PrintPart(Base):
    """One PDF of a run: slots of one batch, between two serials.

    `content` is the PDF, encrypted under a key that follows from the batch's own: whoever destroys that one
    makes every copy unreadable, those in backups too. A `claimed_at` that is older than the lease belongs to
    a process that was killed.
    """

    __tablename__ = "print_part"
    __table_args__ = (
        CheckConstraint("(state = 'printed') = (content IS NOT NULL)", name="printed_has_content"),
        Index("ix_print_part_state", "state", "run_id"),
    )

    run_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("print_run.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("code_batch.id", ondelete="CASCADE"), index=True)
    group_name: Mapped[str] = mapped_column(String(MAX_GROUP_LENGTH), default="")
    first_serial: Mapped[int]
    last_serial: Mapped[int]
    codes: Mapped[int]
    state: Mapped[PartState] = mapped_column(one_of(PartState, name="part_state"), default=PartState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
