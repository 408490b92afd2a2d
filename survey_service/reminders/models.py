"""The last reminder of each branch."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId


class Reminder(Base):
    """When a branch was last reminded of a campaign; nothing about who has taken part."""

    __tablename__ = "reminder"

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaign.id"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), primary_key=True)
    made_on: Mapped[date]
