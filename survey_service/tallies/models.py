"""The tally sheet: derived from ballots and from meeting totals, and written only by a rebuild."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.ballots.rules import BallotFlag
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.tallies.rules import ExclusionState, Group


class TallyRow(Base):
    """The ballots of one subject, rater class, mode and place, counted; the excluded ones apart.

    `counts` is JSON: item key → option ("" for a blank, `spoiled` on paper) → number of ballots. `invalid`
    are the paper ballots that were spoiled as a whole.
    """

    __tablename__ = "tally_slice"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "subject_id", "rater_class", "mode", "place_id", "is_excluded"),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    rater_class: Mapped[str] = mapped_column(String(24))
    mode: Mapped[str] = mapped_column(String(12))
    place_id: Mapped[int] = mapped_column(BigId)
    returned: Mapped[int]
    valid: Mapped[int]
    standing: Mapped[int]
    counts: Mapped[str] = mapped_column(Text)
    invalid: Mapped[int] = mapped_column(default=0)
    is_excluded: Mapped[bool] = mapped_column(default=False)


class TallyHead(Base):
    """How often a subject's tally was rebuilt; a score names the revision that it was made from."""

    __tablename__ = "tally_head"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "subject_id"),
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    revision: Mapped[int]
    returned: Mapped[int]


class TurnoutDay(Base):
    """How many ballots a subject's tally grew by on one day in Shanghai: the daily curve.

    The ballots carry no time, so this counter is all that is known about when they came.
    """

    __tablename__ = "turnout_day"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "subject_id", "day"),
        Index("ix_turnout_day_campaign", "campaign_id", "day"),
    )

    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    day: Mapped[date]
    returned: Mapped[int]


_IN_FORCE = text("state <> 'declined'")


class Exclusion(Base):
    """That a group of flagged ballots is to be left out of the score: one person proposes, another decides.

    `ballots` is the size of the group when it was proposed; what comes later with the same flag belongs to it
    as well. Triggers of the database refuse every change of what was decided.
    """

    __tablename__ = "exclusion"
    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "subject_id"], ["campaign_subject.campaign_id", "campaign_subject.subject_id"]
        ),
        CheckConstraint("decided_by <> proposed_by", name="second_person"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at_some_time"),
        Index(
            "uq_exclusion_group",
            *("campaign_id", "subject_id", "rater_class", "mode", "place_id", "flag"),
            unique=True,
            postgresql_where=_IN_FORCE,
            sqlite_where=_IN_FORCE,
        ),
    )

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(BigId)
    subject_id: Mapped[int] = mapped_column(BigId)
    rater_class: Mapped[RaterClass] = mapped_column(one_of(RaterClass, name="rater_class"))
    mode: Mapped[Mode] = mapped_column(one_of(Mode, name="mode"))
    place_id: Mapped[int] = mapped_column(BigId)
    flag: Mapped[BallotFlag] = mapped_column(one_of(BallotFlag, name="flag"))
    ballots: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    proposed_at: Mapped[datetime]
    state: Mapped[ExclusionState] = mapped_column(
        one_of(ExclusionState, name="state"), default=ExclusionState.PROPOSED
    )
    decided_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def group(self) -> Group:
        return Group(self.subject_id, self.rater_class, self.mode, self.place_id, self.flag)
