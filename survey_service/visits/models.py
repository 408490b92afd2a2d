"""How many visits somebody has begun today, and where he is stationed. Nothing here knows of a voter."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId


class VisitCount(Base):
    """The visits of one staff member on the last day that had any; no history, no place, no code."""

    __tablename__ = "visit_count"
    __table_args__ = (CheckConstraint("visits > 0", name="visits"),)

    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"), primary_key=True)
    day: Mapped[date]
    visits: Mapped[int]


class Stationing(Base):
    """That a staff member is stationed at a village (办点): there he helps nobody to vote."""

    __tablename__ = "stationing"

    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), primary_key=True)
