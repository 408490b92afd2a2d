"""Posted codes for opinions (意见箱), on a wall or on a letter, apart from every campaign."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import NotFound
from survey_service.core.permissions import Identity
from survey_service.entrances import codes
from survey_service.opinions.models import OpinionBox
from survey_service.opinions.queries import find_box_by_id
from survey_service.organizations.queries import get_organization


def open_box(
    session: Session,
    *,
    staff: Identity,
    organization_code: str,
    place: str,
    now: datetime,
    letter_id: int | None = None,
) -> OpinionBox:
    """Make a posted code of an organization; raises NotFound and Forbidden."""
    organization = get_organization(session, code=organization_code)
    staff.require(organization.path)
    box = OpinionBox(
        organization=organization,
        letter_id=letter_id,
        code=codes.random_code(),
        place=place,
        created_at=now,
    )
    session.add(box)
    session.flush()
    facts = {"organization_code": organization_code, "place": place, "letter_id": letter_id}
    record(session, "opinion_boxes.open", f"opinion_box:{box.id}", after=facts)
    return box


def revoke_box(session: Session, *, staff: Identity, box_id: int, now: datetime) -> None:
    """Close a posted code at once; raises NotFound and Forbidden."""
    box = find_box_by_id(session, box_id)
    if box is None:
        raise NotFound
    staff.require(box.organization.path)
    box.revoked_at = now
    record(session, "opinion_boxes.revoke", f"opinion_box:{box_id}")
