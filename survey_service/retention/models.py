"""When the schedule was last run."""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base

THE_ONE = 1
"""The id of the only row."""


class RetentionRun(Base):
    """The day in Shanghai on which the schedule was last run; whoever runs it holds the row."""

    __tablename__ = "retention_run"
    __table_args__ = (CheckConstraint(f"id = {THE_ONE}", name="the_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ran_on: Mapped[date | None]
