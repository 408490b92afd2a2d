"""What a ballot leaves behind, completely: four rows that share no key, no time and no order.

No foreign keys stand here: every row is inserted out of the locked campaign row by the one statement in
`statements.py`, and a key between these tables is just what must not exist (`domain.md` section 7).
"""

from sqlalchemy import LargeBinary, PrimaryKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId

# SQLite would otherwise keep the order of arrival in its hidden rowid.
_NO_ORDER = {"sqlite_with_rowid": False}


class Participation(Base):
    """That a credential has been used. Neither kind, class, subject nor entrance can be read from it."""

    __tablename__ = "participation"
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "digest"), _NO_ORDER)

    campaign_id: Mapped[int] = mapped_column(BigId)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))


class Ballot(Base):
    """What was answered, without the texts. `place_id` names the posted entrance, 0 in every other mode."""

    __tablename__ = "ballot"
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "subject_id", "id"), _NO_ORDER)

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    id: Mapped[bytes] = mapped_column(LargeBinary(16))
    rater_class: Mapped[str] = mapped_column(String(24))
    mode: Mapped[str] = mapped_column(String(12))
    place_id: Mapped[int] = mapped_column(BigId, default=0)
    flag: Mapped[str] = mapped_column(String(20), default="")
    answers: Mapped[str] = mapped_column(Text)


class BallotText(Base):
    """What was written in a text item; nothing leads from it to the ballot."""

    __tablename__ = "ballot_text"
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "subject_id", "item", "id"), _NO_ORDER)

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    item: Mapped[str] = mapped_column(String(64))
    id: Mapped[bytes] = mapped_column(LargeBinary(16))
    text: Mapped[str] = mapped_column(Text)


class Receipt(Base):
    """The receipt that the voter keeps."""

    __tablename__ = "receipt"
    __table_args__ = (PrimaryKeyConstraint("receipt", "campaign_id"), _NO_ORDER)

    receipt: Mapped[str] = mapped_column(String(13))
    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)


class DirtyMark(Base):
    """That a subject's tally lacks a ballot: a new row for each ballot, never an upsert.

    It lives until the next rebuild, a second or so, and names the ballot so that the rebuild can
    rewrite it in another order.
    """

    __tablename__ = "dirty_mark"
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "id"), _NO_ORDER)

    campaign_id: Mapped[int] = mapped_column(BigId)
    id: Mapped[bytes] = mapped_column(LargeBinary(16))
    subject_id: Mapped[int] = mapped_column(BigId)
    ballot_id: Mapped[bytes] = mapped_column(LargeBinary(16))
