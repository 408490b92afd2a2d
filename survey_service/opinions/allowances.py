"""What is left of having written: numbers of a credential, kept apart from what was written."""

import random
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, insert, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.core import clock
from survey_service.opinions.models import OpinionAllowance

_BOXES = 0


def stir_allowances(session: Session, *, campaign_id: int) -> None:
    """Write the rows of a campaign anew, in another order and one transaction.

    A row that was inserted together with an opinion would otherwise carry the number of its transaction, and
    stand where it came.
    """
    rows = _take(session, campaign_id)
    random.SystemRandom().shuffle(rows)
    if rows:
        session.execute(insert(OpinionAllowance), rows)


def _take(session: Session, campaign_id: int) -> list[dict[str, object]]:
    statement = delete(OpinionAllowance).where(OpinionAllowance.campaign_id == campaign_id)
    columns = OpinionAllowance.__table__.columns
    taken = session.connection().execute(statement.returning(*columns))
    return [dict(row) | {"is_stirred": True} for row in taken.mappings()]


def list_unstirred(session: Session) -> list[int]:
    """Return the campaigns with rows that stand as they came; 0 stands for the boxes."""
    unstirred = select(OpinionAllowance.campaign_id).where(OpinionAllowance.is_stirred.is_(False))
    return list(session.scalars(unstirred.distinct()))


def has_old(session: Session, *, now: datetime) -> bool:
    """Tell whether there are rows of sealed campaigns or of earlier months."""
    return bool(session.scalar(select(exists().where(_is_old(now)))))


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete the rows of sealed campaigns and those of boxes from earlier months."""
    session.execute(delete(OpinionAllowance).where(_is_old(now)))


def _is_old(now: datetime) -> ColumnElement[bool]:
    month = clock.local_day(now).strftime("%Y-%m")
    sealed = select(Campaign.id).where(Campaign.sealed_at.is_not(None))
    of_boxes = (OpinionAllowance.campaign_id == _BOXES) & (OpinionAllowance.month != month)
    return of_boxes | OpinionAllowance.campaign_id.in_(sealed)
