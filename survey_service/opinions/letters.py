"""Every public letter has a box of its own: what is written in it is known to answer that letter."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from survey_service.clear_letters.models import ClearLetter
from survey_service.core.audit import record
from survey_service.core.errors import NotFound, Unavailable
from survey_service.entrances import codes
from survey_service.opinions.models import OpinionBox
from survey_service.organizations.models import Organization

_IS_PUBLIC = ClearLetter.published_number.is_not(None) & ClearLetter.withdrawn_at.is_(None)


def follow_letter(session: Session, *, letter_id: int, now: datetime) -> None:
    """Open the box of a letter that is public, or close that of a letter that was taken down.

    The letter's row is held, so that two jobs at once open one box.
    """
    letter = session.get(ClearLetter, letter_id, with_for_update=True, populate_existing=True)
    if letter is None or letter.published_number is None:
        return
    box = session.scalar(select(OpinionBox).where(_is_open_box_of(letter_id)))
    if letter.withdrawn_at is None and box is None:
        _open(session, letter, now)
    elif letter.withdrawn_at is not None and box is not None:
        box.revoked_at = now
        record(session, "opinion_boxes.revoke", f"opinion_box:{box.id}")


def _open(session: Session, letter: ClearLetter, now: datetime) -> None:
    box = OpinionBox(
        organization=session.get_one(Organization, letter.organization_id),
        letter_id=letter.id,
        code=codes.random_code(),
        place=letter.title,
        created_at=now,
    )
    session.add(box)
    session.flush()
    record(session, "opinion_boxes.open", f"opinion_box:{box.id}", after={"letter_id": letter.id})


def letters_to_follow(session: Session, *, limit: int = 100) -> Sequence[int]:
    """Return the letters whose box does not stand as it should."""
    has_box = exists().where(_is_open_box_of(ClearLetter.id))
    is_left_open = ClearLetter.withdrawn_at.is_not(None) & has_box
    statement = select(ClearLetter.id).where(or_(_IS_PUBLIC & ~has_box, is_left_open))
    return session.scalars(statement.order_by(ClearLetter.id).limit(limit)).all()


def _is_open_box_of(letter_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return (OpinionBox.letter_id == letter_id) & OpinionBox.revoked_at.is_(None)


def box_of_letter(session: Session, *, letter_code: str | None) -> str:
    """Return the code of a public letter's box by the letter's own code.

    Raises NotFound, and Unavailable in the second between the publication and the opening of the box.
    """
    row = session.execute(
        select(ClearLetter.id, OpinionBox.code)
        .outerjoin(OpinionBox, _is_open_box_of(ClearLetter.id))
        .where(_IS_PUBLIC, ClearLetter.code == letter_code)
        .order_by(OpinionBox.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound
    if row[1] is None:
        raise Unavailable
    code: str = row[1]
    return code


def find_letter(session: Session, *, campaign_id: int, organization_id: int) -> int | None:
    """Return the one public letter of a campaign and an organization, on which its codes are printed."""
    found = session.scalars(
        select(ClearLetter.id)
        .where(_IS_PUBLIC, ClearLetter.campaign_id == campaign_id)
        .where(ClearLetter.organization_id == organization_id)
        .limit(2)
    ).all()
    return found[0] if len(found) == 1 else None
