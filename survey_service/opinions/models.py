"""Opinions and their cases. Of the author nothing is kept but a digest of what only he can show.

No row says when an opinion came, but for the day, and no number tells which came first: ids are drawn at
random, so that neither their order nor a gap between them says anything (`domain.md` section 7).
"""

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.opinions.rules import (
    MAX_PHOTOS,
    MAX_REMARK_LENGTH,
    OPEN,
    Action,
    Category,
    Level,
    Source,
    State,
    Topic,
    Verdict,
)
from survey_service.organizations.models import Organization
from survey_service.staff.models import StaffAccount

_NO_ORDER = {"sqlite_with_rowid": False}
_OPEN_STATES = ", ".join(sorted(f"'{state}'" for state in OPEN))


class Opinion(Base):
    """What somebody wrote, redacted, and where its case stands.

    Read it through `queries.visible_to` only: that is the one gate that keeps reports from those concerned.
    """

    __tablename__ = "opinion"
    __table_args__ = (
        Index("ix_opinion_queue", "is_open", "position"),
        # All that the gate and the filters of lists ask for stands in these, so that looking touches no row.
        Index("ix_opinion_state", "state", "position", "organization_id", "handler_id", "concealed_id"),
        Index(
            "ix_opinion_organization", "organization_id", "position", "state", "handler_id", "concealed_id"
        ),
        Index("ix_opinion_handler", "handler_id", "position", "state", "organization_id", "concealed_id"),
        CheckConstraint(f"is_open = (state IN ({_OPEN_STATES}))", name="open_states"),
        CheckConstraint("(state = 'joined') = (lead_id IS NOT NULL)", name="joined_has_lead"),
        CheckConstraint("lead_id <> id", name="leads_elsewhere"),
        _NO_ORDER,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigId, unique=True)
    """Its place in every list: the day on which it is due, then the id (`queries.position_of`)."""
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    handler_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    concealed_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organization.id"))
    """The place whose own people must not learn of it."""
    letter_id: Mapped[int | None] = mapped_column(BigId)
    source: Mapped[Source] = mapped_column(one_of(Source, name="source"))
    category: Mapped[Category | None] = mapped_column(one_of(Category, name="category"))
    is_report_by_author: Mapped[bool] = mapped_column(default=False)
    """Whether the author himself called it a report: then only the county may say that it is none."""
    topic: Mapped[Topic | None] = mapped_column(one_of(Topic, name="topic"))
    level: Mapped[Level | None] = mapped_column(one_of(Level, name="level"))
    state: Mapped[State] = mapped_column(one_of(State, name="state"))
    is_open: Mapped[bool]
    """Whether a deadline runs."""
    received_on: Mapped[date]
    since: Mapped[date]
    due_on: Mapped[date]
    is_extended: Mapped[bool] = mapped_column(default=False)
    is_reopened: Mapped[bool] = mapped_column(default=False)
    lead_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("opinion.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    may_publish: Mapped[bool]
    query_digest: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    content_digest: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    version: Mapped[int] = mapped_column(default=1)
    """Counts what was done to it: who acts on an older one is told so."""

    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id], lazy="raise_on_sql")
    handler: Mapped[Organization] = relationship(foreign_keys=[handler_id], lazy="raise_on_sql")
    concealed: Mapped[Organization | None] = relationship(foreign_keys=[concealed_id], lazy="raise_on_sql")


class OpinionOriginal(Base):
    """The words before redaction, encrypted; only the county reads them, with a reason."""

    __tablename__ = "opinion_original"
    __table_args__ = (_NO_ORDER,)

    opinion_id: Mapped[int] = mapped_column(BigId, ForeignKey("opinion.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class OpinionPhoto(Base):
    """A photo as it was drawn anew, encrypted; a branch sees it when an office has looked at it."""

    __tablename__ = "opinion_photo"
    __table_args__ = (
        PrimaryKeyConstraint("opinion_id", "number"),
        CheckConstraint(f"number BETWEEN 1 AND {MAX_PHOTOS}", name="number"),
        _NO_ORDER,
    )

    opinion_id: Mapped[int] = mapped_column(BigId, ForeignKey("opinion.id"))
    number: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    is_shown: Mapped[bool] = mapped_column(default=False)


class OpinionAnswer(Base):
    """What was answered: at most once, and once more after the reopening."""

    __tablename__ = "opinion_answer"
    __table_args__ = (
        PrimaryKeyConstraint("opinion_id", "round"),
        CheckConstraint("round IN (0, 1)", name="round"),
        CheckConstraint("private_text <> '' OR public_text <> ''", name="says_something"),
    )

    opinion_id: Mapped[int] = mapped_column(BigId, ForeignKey("opinion.id"))
    round: Mapped[int]
    private_text: Mapped[str] = mapped_column(Text)
    public_text: Mapped[str] = mapped_column(Text)
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    answered_on: Mapped[date]

    organization: Mapped[Organization] = relationship(lazy="raise_on_sql")
    staff: Mapped[StaffAccount] = relationship(lazy="raise_on_sql")


class OpinionVerdict(Base):
    """What an author thinks of an answer; one for each round."""

    __tablename__ = "opinion_verdict"
    __table_args__ = (
        PrimaryKeyConstraint("opinion_id", "round"),
        CheckConstraint("round IN (0, 1)", name="round"),
        _NO_ORDER,
    )

    opinion_id: Mapped[int] = mapped_column(BigId, ForeignKey("opinion.id"))
    round: Mapped[int]
    verdict: Mapped[Verdict] = mapped_column(one_of(Verdict, name="verdict"))


class OpinionStep(Base):
    """The history of a case, for staff: by whom, what, on which day; an author's step names nobody."""

    __tablename__ = "opinion_step"
    __table_args__ = (PrimaryKeyConstraint("opinion_id", "number"),)

    opinion_id: Mapped[int] = mapped_column(BigId, ForeignKey("opinion.id"))
    number: Mapped[int]
    action: Mapped[Action] = mapped_column(one_of(Action, name="action"))
    state: Mapped[State] = mapped_column(one_of(State, name="state"))
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    organization_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organization.id"))
    """Whose people did it."""
    remark: Mapped[str] = mapped_column(String(MAX_REMARK_LENGTH), default="")
    taken_on: Mapped[date]

    organization: Mapped[Organization | None] = relationship(lazy="raise_on_sql")
    staff: Mapped[StaffAccount | None] = relationship(lazy="raise_on_sql")


class OpinionAuthorAct(Base):
    """What an author did to a case, until the audit trail has it with all others of its day.

    It refers to no opinion: a case that is gone leaves its entry all the same.
    """

    __tablename__ = "opinion_author_act"
    __table_args__ = (PrimaryKeyConstraint("opinion_id", "number"), _NO_ORDER)

    opinion_id: Mapped[int] = mapped_column(BigId, autoincrement=False)
    number: Mapped[int]
    """Of the step in the history of the case; 0 for its coming."""
    taken_on: Mapped[date] = mapped_column(index=True)
    root_id: Mapped[int] = mapped_column(BigId)
    """The organization above all others of the case's tree."""
    before: Mapped[dict[str, str]] = mapped_column(JSON)
    after: Mapped[dict[str, str]] = mapped_column(JSON)


class OpinionKey(Base):
    """The key of originals and photos, wrapped by the master key."""

    __tablename__ = "opinion_key"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)


class OpinionBox(Base):
    """A posted code of an organization for opinions, apart from every campaign (意见箱)."""

    __tablename__ = "opinion_box"

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    letter_id: Mapped[int | None] = mapped_column(BigId, index=True)
    """The letter on which the code is printed, None on a wall."""
    code: Mapped[str] = mapped_column(String(13), unique=True)
    """It hangs on a wall, so it is stored as it is, and outlives a change of the master key."""
    place: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship(lazy="raise_on_sql")


class OpinionAllowance(Base):
    """That a credential has written its first, second or third opinion; nothing leads to which one.

    The digest is of a domain of its own, so that it meets no participation. All rows of a campaign are
    written anew after each new one, lest the transaction tell which opinion came with it.
    """

    __tablename__ = "opinion_allowance"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "digest", "number"),
        CheckConstraint("number BETWEEN 1 AND 3", name="number"),
        _NO_ORDER,
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    """0 for boxes."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    number: Mapped[int]
    month: Mapped[str] = mapped_column(String(7), default="")
    """For boxes, such as 2026-11: the next month allows anew."""
    is_stirred: Mapped[bool] = mapped_column(default=False)
    """Whether the row has been written anew since it came."""


class OpinionIntake(Base):
    """That the texts of a campaign's ballots have been taken in: once, after its last ballot."""

    __tablename__ = "opinion_intake"

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"), primary_key=True)
    taken_on: Mapped[date]
