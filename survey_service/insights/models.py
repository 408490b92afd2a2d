"""What is kept about opinions beside their cases; all but the warnings can be made anew from them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.insights.rules import WarningKind
from survey_service.opinions.models import Opinion
from survey_service.organizations.models import Organization

THE_ONE = 1
"""The id in tables of a single row."""
_NO_ORDER = {"sqlite_with_rowid": False}


class OpinionIndex(Base):
    """The words of an opinion as the index of pairs knows them: folded, redacted, of some version.

    It refers to no opinion, so that a deleted one leaves what is needed to take its pairs out.
    """

    __tablename__ = "opinion_index"
    __table_args__ = (_NO_ORDER,)

    opinion_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    version: Mapped[int]
    position: Mapped[int] = mapped_column(BigId)
    """Where the opinion stood in lists then."""
    folded: Mapped[str] = mapped_column(Text)


class OpinionBigram(Base):
    """Two characters that stand together in an opinion: those that hold a pair, in the order of lists."""

    __tablename__ = "opinion_bigram"
    __table_args__ = (_NO_ORDER,)

    bigram: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Both code points, 21 bits each."""
    position: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """Of `OpinionIndex`: its last bits are the opinion's id (`opinions.queries.id_at`)."""


class OpinionLikeness(Base):
    """That an opinion says nearly the same as the first of its group."""

    __tablename__ = "opinion_likeness"
    __table_args__ = (_NO_ORDER,)

    first_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("opinion.id", ondelete="CASCADE"), primary_key=True
    )
    opinion_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("opinion.id", ondelete="CASCADE"), primary_key=True, unique=True
    )
    similarity: Mapped[float] = mapped_column(Float)


class OpinionWord(Base):
    """A word by which the opinions of a place differ from those of its neighbours; reports are left out."""

    __tablename__ = "opinion_word"

    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), primary_key=True)
    word: Mapped[str] = mapped_column(String(40), primary_key=True)
    opinions: Mapped[int]
    z: Mapped[float] = mapped_column(Float)


class OpinionWarning(Base):
    """That somebody should look now; raised once for each `key`."""

    __tablename__ = "opinion_warning"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("(kind = 'many_similar') = (opinion_id IS NULL)", name="about"),
        Index("ix_opinion_warning_organization_id_raised_on", "organization_id", "raised_on"),
    )

    id: Mapped[Id]
    kind: Mapped[WarningKind] = mapped_column(one_of(WarningKind, name="kind"))
    key: Mapped[str] = mapped_column(String(80))
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    opinion_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("opinion.id", ondelete="CASCADE"), index=True
    )
    words: Mapped[str] = mapped_column(String(200))
    opinions: Mapped[int]
    raised_on: Mapped[date]
    """The day only: the moment would tell when an opinion came."""
    receivers: Mapped[int]
    """How many other systems were told; what came of it stands in the log of webhooks."""

    organization: Mapped[Organization] = relationship(lazy="raise_on_sql")
    opinion: Mapped[Opinion | None] = relationship(lazy="raise_on_sql")


class WarningSight(Base):
    """That somebody has seen a warning."""

    __tablename__ = "opinion_warning_sight"

    warning_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("opinion_warning.id", ondelete="CASCADE"), primary_key=True
    )
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"), primary_key=True)
    at: Mapped[datetime]


class OpinionTold(Base):
    """Which version of a case other systems were told last."""

    __tablename__ = "opinion_told"
    __table_args__ = (_NO_ORDER,)

    opinion_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("opinion.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int]


class InsightRun(Base):
    """The hour of the last look at everything; whoever looks holds the row."""

    __tablename__ = "insight_run"
    __table_args__ = (CheckConstraint(f"id = {THE_ONE}", name="the_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[datetime | None]
