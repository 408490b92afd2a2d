"""Questionnaires and their versions."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from survey_service.core.db import Base, BigId, Id


class Questionnaire(Base):
    """A form under one title; what is asked stands in its versions."""

    __tablename__ = "questionnaire"

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class QuestionnaireVersion(Base):
    """What is asked; from its first use on (`frozen_at`) it never changes again."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (UniqueConstraint("questionnaire_id", "number"),)

    id: Mapped[Id]
    questionnaire_id: Mapped[int] = mapped_column(BigId, ForeignKey("questionnaire.id"))
    number: Mapped[int]
    definition: Mapped[str] = mapped_column(Text)
    """The items as canonical JSON: one text, so that its digest can be checked on every engine."""
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    frozen_at: Mapped[datetime | None]
