"""Schemes of a county's own, cycles, what was filled in, the grades, and every decision about them."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.organizations.rules import SubjectKind
from survey_service.ratings.vocabulary import (
    DecisionKind,
    EvidenceKind,
    Level,
    MoveKind,
    VisitOutcome,
    WarningKind,
)

MAX_SCHEME_CODE = 64
MAX_GRADE = 20


class RatingScheme(Base):
    """One version of a scheme that an organization wrote; the presets are files of the program.

    `source` is the text as it was given, `document` what was understood of it, as canonical JSON.
    """

    __tablename__ = "rating_scheme"
    __table_args__ = (UniqueConstraint("organization_id", "code", "version"),)

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    code: Mapped[str] = mapped_column(String(MAX_SCHEME_CODE))
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    created_at: Mapped[datetime]


class RatingCycle(Base):
    """One run of a scheme over many subjects; the scheme is copied in, so that nothing can change it.

    `position` is the step that is to be completed next, the number of steps when all are. `revision` rises
    with everything that a grade follows from; `graded_revision` is the one that the stored grades are of.
    """

    __tablename__ = "rating_cycle"

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    year: Mapped[int]
    scheme_code: Mapped[str] = mapped_column(String(MAX_SCHEME_CODE))
    scheme_version: Mapped[int]
    scheme_digest: Mapped[str] = mapped_column(String(64), index=True)
    document: Mapped[str] = mapped_column(Text)
    campaign_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("campaign.id"), index=True)
    position: Mapped[int]
    revision: Mapped[int]
    graded_revision: Mapped[int]
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class RatingSubject(Base):
    """A subject of a cycle. `findings` is JSON: restrictions that apply, bonus and penalty, with notes."""

    __tablename__ = "rating_subject"
    __table_args__ = (Index("uq_rating_subject_place", "cycle_id", "position", unique=True),)

    cycle_id: Mapped[int] = mapped_column(BigId, ForeignKey("rating_cycle.id"), primary_key=True)
    subject_id: Mapped[int] = mapped_column(BigId, ForeignKey("subject.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    position: Mapped[int]
    field_code: Mapped[str | None] = mapped_column(String(MAX_SCHEME_CODE))
    findings: Mapped[str] = mapped_column(Text, default="{}")
    exclusion: Mapped[str | None] = mapped_column(Text)
    grade_final: Mapped[str | None] = mapped_column(String(MAX_GRADE))


def _of_subject() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["cycle_id", "subject_id"], ["rating_subject.cycle_id", "rating_subject.subject_id"]
    )


class RatingSheet(Base):
    """What one level has filled in for one subject; `entries` is JSON by indicator."""

    __tablename__ = "rating_sheet"
    __table_args__ = (
        PrimaryKeyConstraint("cycle_id", "subject_id", "level"),
        _of_subject(),
    )

    cycle_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    level: Mapped[Level] = mapped_column(one_of(Level, name="level"))
    entries: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    changed_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    """When it was handed in; it is closed from then on until it is handed back."""


class RatingGrade(Base):
    """The proposal for one subject as it was last worked out, with the trace that leads to it."""

    __tablename__ = "rating_grade"
    __table_args__ = (
        PrimaryKeyConstraint("cycle_id", "subject_id"),
        _of_subject(),
    )

    cycle_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    total: Mapped[str | None] = mapped_column(String(40))
    grade_by_score: Mapped[str | None] = mapped_column(String(MAX_GRADE))
    grade_proposed: Mapped[str | None] = mapped_column(String(MAX_GRADE))
    is_tied: Mapped[bool]
    reasons: Mapped[str] = mapped_column(Text)
    trace: Mapped[str] = mapped_column(Text)
    """Canonical JSON: the same inputs give the same text."""


class RatingDecision(Base):
    """A decision about a grade; a later one takes the place of an earlier one, which stays."""

    __tablename__ = "rating_decision"
    __table_args__ = (
        _of_subject(),
        UniqueConstraint("cycle_id", "subject_id", "number"),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    number: Mapped[int]
    """Counts from 1 for each subject: two who decide at once cannot both have the next number."""
    kind: Mapped[DecisionKind] = mapped_column(one_of(DecisionKind, name="kind"))
    grade: Mapped[str] = mapped_column(String(MAX_GRADE))
    grade_proposed: Mapped[str | None] = mapped_column(String(MAX_GRADE))
    reason: Mapped[str] = mapped_column(Text)
    trigger: Mapped[str | None] = mapped_column(String(MAX_SCHEME_CODE))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    at: Mapped[datetime]


class RatingMove(Base):
    """A step that was completed or sent back; nothing of the history is ever taken away."""

    __tablename__ = "rating_move"

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(BigId, ForeignKey("rating_cycle.id"), index=True)
    kind: Mapped[MoveKind] = mapped_column(one_of(MoveKind, name="kind"))
    step: Mapped[str] = mapped_column(String(MAX_SCHEME_CODE))
    remark: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    at: Mapped[datetime]


class RatingObjection(Base):
    """An objection during the public notice, and what came of it; who raised it is not stored."""

    __tablename__ = "rating_objection"
    __table_args__ = (_of_subject(),)

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(BigId, index=True)
    subject_id: Mapped[int] = mapped_column(BigId)
    text: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    settled_at: Mapped[datetime | None]


class RatingEvidence(Base):
    """A file or a link that proves an entry of a sheet."""

    __tablename__ = "rating_evidence"
    __table_args__ = (
        _of_subject(),
        Index("ix_rating_evidence_cycle_id_subject_id", "cycle_id", "subject_id"),
        CheckConstraint("(kind = 'file') = (content IS NOT NULL)", name="content_of_file"),
        CheckConstraint("(kind = 'file') = (digest IS NOT NULL)", name="digest_of_file"),
        CheckConstraint("(kind = 'link') = (url IS NOT NULL)", name="url_of_link"),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    level: Mapped[Level] = mapped_column(one_of(Level, name="level"))
    indicator: Mapped[str] = mapped_column(String(MAX_SCHEME_CODE))
    kind: Mapped[EvidenceKind] = mapped_column(one_of(EvidenceKind, name="kind"))
    title: Mapped[str] = mapped_column(String(200))
    url: Mapped[str | None] = mapped_column(Text)
    content_type: Mapped[str | None] = mapped_column(String(100))
    size: Mapped[int | None]
    digest: Mapped[str | None] = mapped_column(String(64))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    added_at: Mapped[datetime]


class RatingVisit(Base):
    """The record of a check on the spot; records are added and never changed."""

    __tablename__ = "rating_visit"
    __table_args__ = (
        _of_subject(),
        Index("ix_rating_visit_cycle_id_subject_id", "cycle_id", "subject_id"),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    visited_on: Mapped[date]
    visitors: Mapped[str] = mapped_column(String(200))
    outcome: Mapped[VisitOutcome] = mapped_column(one_of(VisitOutcome, name="outcome"))
    words: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    noted_at: Mapped[datetime]


_UNANSWERED = sql("answered_at IS NULL")


class RatingReturn(Base):
    """That a sheet was handed back with a remark; it is answered when the sheet comes again."""

    __tablename__ = "rating_return"
    __table_args__ = (
        _of_subject(),
        Index(
            "uq_rating_return_open",
            *("cycle_id", "subject_id", "level"),
            unique=True,
            postgresql_where=_UNANSWERED,
            sqlite_where=_UNANSWERED,
        ),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    level: Mapped[Level] = mapped_column(one_of(Level, name="level"))
    remark: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class RatingDeadline(Base):
    """The last day of a step where the office has set one; otherwise the days of the scheme count."""

    __tablename__ = "rating_deadline"
    __table_args__ = (PrimaryKeyConstraint("cycle_id", "step"),)

    cycle_id: Mapped[int] = mapped_column(BigId, ForeignKey("rating_cycle.id"))
    step: Mapped[str] = mapped_column(String(MAX_SCHEME_CODE))
    due_on: Mapped[date]
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    changed_at: Mapped[datetime]


_STANDING = sql("cleared_at IS NULL")


class RatingWarning(Base):
    """Something that needs somebody's attention; it is cleared by the sweep when it holds no longer.

    `organization_id` and `level` say whose it is. Cleared ones stay as the log.
    """

    __tablename__ = "rating_warning"
    __table_args__ = (
        Index(
            "uq_rating_warning_standing",
            *("cycle_id", "key"),
            unique=True,
            postgresql_where=_STANDING,
            sqlite_where=_STANDING,
        ),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answer_has_its_time"),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(BigId, ForeignKey("rating_cycle.id"))
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    subject_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("subject.id"))
    level: Mapped[Level] = mapped_column(one_of(Level, name="level"))
    kind: Mapped[WarningKind] = mapped_column(one_of(WarningKind, name="kind"))
    key: Mapped[str] = mapped_column(String(160))
    """What it is about, so that a second sweep finds it again."""
    facts: Mapped[str] = mapped_column(Text)
    """JSON: what its sentence names."""
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))


class RatingWatch(Base):
    """The day on which a cycle was last looked through for warnings."""

    __tablename__ = "rating_watch"

    cycle_id: Mapped[int] = mapped_column(BigId, ForeignKey("rating_cycle.id"), primary_key=True)
    looked_on: Mapped[date]


class RatingHistory(Base):
    """A final grade of another system or an earlier year, from a signed file."""

    __tablename__ = "rating_history"
    __table_args__ = (UniqueConstraint("organization_id", "subject_kind", "issuer", "file_cycle"),)

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    subject_kind: Mapped[SubjectKind] = mapped_column(one_of(SubjectKind, name="subject_kind"))
    name: Mapped[str] = mapped_column(String(200))
    year: Mapped[int]
    scheme_code: Mapped[str] = mapped_column(String(MAX_SCHEME_CODE))
    scheme_title: Mapped[str] = mapped_column(String(200))
    grade: Mapped[str] = mapped_column(String(MAX_GRADE))
    grade_title: Mapped[str] = mapped_column(String(200))
    rank: Mapped[int]
    """The place of the grade among all of its scheme; 0 is the best."""
    grades: Mapped[int]
    """How many grades the scheme has."""
    total: Mapped[str | None] = mapped_column(String(40))
    maximum: Mapped[str] = mapped_column(String(40))
    issuer: Mapped[str] = mapped_column(String(200))
    file_cycle: Mapped[int] = mapped_column(BigId)
    file_version: Mapped[int]
    file_digest: Mapped[str] = mapped_column(String(64))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    imported_at: Mapped[datetime]
