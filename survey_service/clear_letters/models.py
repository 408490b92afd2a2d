"""Letters, their versions, and how often each was opened on which day."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, PrimaryKeyConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.clear_letters.rules import LETTER_CODE_LENGTH, MOST_TITLE, Decision
from survey_service.core.db import Base, BigId, Id, one_of


class ClearLetter(Base):
    """A letter of one organization; what it says stands in its versions.

    `revision` rises with everything that is done to the letter, so that nobody overwrites what he has not
    seen. `published_number` is the version that the public page shows.
    """

    __tablename__ = "clear_letter"

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("campaign.id"), index=True)
    code: Mapped[str] = mapped_column(String(LETTER_CODE_LENGTH), unique=True)
    title: Mapped[str] = mapped_column(String(MOST_TITLE))
    revision: Mapped[int]
    number: Mapped[int]
    published_number: Mapped[int | None]
    published_at: Mapped[datetime | None]
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawal: Mapped[str] = mapped_column(Text, default="")
    """Why the letter was taken down."""


class ClearLetterVersion(Base):
    """What a letter said when it was sent in; triggers of the database refuse every change from then on.

    Whoever sends a version in does not decide about it.
    """

    __tablename__ = "clear_letter_version"
    __table_args__ = (
        UniqueConstraint("letter_id", "number"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_at_once"),
        CheckConstraint("decided_at IS NULL OR submitted_at IS NOT NULL", name="submitted_first"),
        CheckConstraint("decided_by IS NULL OR decided_by <> submitted_by", name="decided_by_another"),
        CheckConstraint("decision IS NULL OR decision <> 'sent_back' OR remark <> ''", name="sent_back_why"),
    )

    id: Mapped[Id]
    letter_id: Mapped[int] = mapped_column(BigId, ForeignKey("clear_letter.id"))
    number: Mapped[int]
    document: Mapped[str] = mapped_column(Text)
    """The content as canonical JSON."""
    digest: Mapped[str] = mapped_column(String(64))
    changed_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    changed_at: Mapped[datetime]
    submitted_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    submitted_at: Mapped[datetime | None]
    decision: Mapped[Decision | None] = mapped_column(one_of(Decision, name="decision"))
    remark: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None]


class ClearLetterReading(Base):
    """How often a letter's page was opened on a day: a number, and nothing about who did."""

    __tablename__ = "clear_letter_reading"
    __table_args__ = (PrimaryKeyConstraint("letter_id", "day"),)

    letter_id: Mapped[int] = mapped_column(BigId, ForeignKey("clear_letter.id"))
    day: Mapped[date] = mapped_column(Date)
    count: Mapped[int]
