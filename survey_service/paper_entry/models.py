"""Batches of paper, and the drafts that live until they are closed.

No draft holds stubs and ballots together, and neither has an order that the other shares: ballots are
numbered as they lie in their shuffled pile, stubs have no numbers. Triggers of the database refuse every
change of a batch that has ended, and of totals.
"""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.paper_entry.rules import BatchState, ListKind

# SQLite would otherwise keep the order of keying in its hidden rowid.
_NO_ORDER = {"sqlite_with_rowid": False}
_THREE_LOOKS = "keying IN (1, 2, 3)"


class PaperBatch(Base):
    """A pile of paper of one subject and rater class; `mode` is paper or paper_total.

    The numbers stand there from the closing on. `set_aside` ballots came with stubs whose slots had been used
    before: as many were drawn by lot, and are not counted. A spoiled or blank ballot is counted as returned.
    """

    __tablename__ = "paper_batch"
    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
        CheckConstraint("mode IN ('paper', 'paper_total')", name="mode_of_paper"),
        CheckConstraint("issued >= 0", name="issued"),
        CheckConstraint("(state = 'closed') = (returned IS NOT NULL)", name="closed_with_numbers"),
        CheckConstraint("(state = 'open') = (ended_by IS NULL)", name="ended_by_somebody"),
        CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name="ended_at_some_time"),
        CheckConstraint("set_aside BETWEEN 0 AND returned", name="set_aside_of_returned"),
        CheckConstraint("invalid + blank + partly_spoiled <= returned", name="parts_of_returned"),
        Index("ix_paper_batch_campaign", "campaign_id", "subject_id"),
    )

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    rater_class: Mapped[RaterClass] = mapped_column(one_of(RaterClass, name="rater_class"))
    mode: Mapped[Mode] = mapped_column(one_of(Mode, name="mode"))
    issued: Mapped[int]
    state: Mapped[BatchState] = mapped_column(one_of(BatchState, name="state"), default=BatchState.OPEN)
    opened_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    opened_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    returned: Mapped[int | None]
    set_aside: Mapped[int | None]
    invalid: Mapped[int | None]
    blank: Mapped[int | None]
    partly_spoiled: Mapped[int | None]


class PaperList(Base):
    """Who keys one list of a batch: two people, and where they differ a third look.

    Where one of the two takes that look himself, somebody else confirms it.
    """

    __tablename__ = "paper_list"
    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "kind"),
        CheckConstraint("second_by <> first_by", name="two_people"),
        CheckConstraint("confirmed_by <> settled_by", name="another_confirms"),
        CheckConstraint("NOT first_finished OR first_by IS NOT NULL", name="first_is_somebody"),
        CheckConstraint("NOT second_finished OR second_by IS NOT NULL", name="second_is_somebody"),
        CheckConstraint("settled_by IS NULL OR (first_finished AND second_finished)", name="settled_last"),
        CheckConstraint("confirmed_by IS NULL OR settled_by IS NOT NULL", name="confirmed_after"),
    )

    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("paper_batch.id"))
    kind: Mapped[ListKind] = mapped_column(one_of(ListKind, name="kind"))
    first_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    second_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    first_finished: Mapped[bool] = mapped_column(default=False)
    second_finished: Mapped[bool] = mapped_column(default=False)
    settled_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    confirmed_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))


class PaperStub(Base):
    """A draft: one look found the stub of a slot. It is deleted when the batch ends."""

    __tablename__ = "paper_stub"
    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "keying", "entrance_id"),
        CheckConstraint(_THREE_LOOKS, name="three_looks"),
        _NO_ORDER,
    )

    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("paper_batch.id"))
    keying: Mapped[int]
    entrance_id: Mapped[int] = mapped_column(BigId)


class PaperLine(Base):
    """A draft: how one look read a ballot of the shuffled pile, or a line of a meeting's sheet.

    It is deleted when the batch ends.
    """

    __tablename__ = "paper_line"
    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "keying", "position"),
        CheckConstraint(_THREE_LOOKS, name="three_looks"),
        _NO_ORDER,
    )

    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("paper_batch.id"))
    keying: Mapped[int]
    position: Mapped[int]
    line: Mapped[str] = mapped_column(Text)


class PaperTotal(Base):
    """How many hands or strokes one option of an item got at a meeting.

    Under "" stand the blanks, under `spoiled` what could not be read.
    """

    __tablename__ = "paper_total"
    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "item", "option"),
        CheckConstraint("number >= 0", name="number"),
    )

    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("paper_batch.id"))
    item: Mapped[str] = mapped_column(String(64))
    option: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
