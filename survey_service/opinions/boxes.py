"""Posted codes for opinions (意见箱), on a wall or on a letter, apart from every campaign."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import NotFound
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.entrances import codes
from survey_service.entrances.posters import Poster
from survey_service.entrances.printing import without_scheme
from survey_service.opinions.models import OpinionBox
from survey_service.opinions.places import place_at
from survey_service.opinions.queries import find_box_by_id
from survey_service.opinions.rules import Level
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.organizations.rules import place_name


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


def prepare_box_poster(session: Session, *, box_id: int, public_url: str) -> Poster:
    """Return what stands on the poster of a box; raises NotFound."""
    box = find_box_by_id(session, box_id)
    if box is None:
        raise NotFound
    ancestors = list_ancestors(session, path=box.organization.path)
    record(session, "opinion_boxes.print", f"opinion_box:{box_id}")
    return Poster(
        area="".join(one.name for one in ancestors[:-1]),
        village=place_name(box.organization.name),
        campaign=text("print.box_title"),
        subject=box.organization.name,
        url=f"{public_url}/o/{box.code}",
        code=box.code,
        typing_address=f"{without_scheme(public_url)}/o",
        organizer=place_at(ancestors, Level.TOWN).name,
        until="",
        paper_place=text("entrances.paper_place"),
        place=box.place,
    )


def revoke_box(session: Session, *, staff: Identity, box_id: int, now: datetime) -> None:
    """Close a posted code at once; raises NotFound and Forbidden."""
    box = find_box_by_id(session, box_id)
    if box is None:
        raise NotFound
    staff.require(box.organization.path)
    box.revoked_at = now
    record(session, "opinion_boxes.revoke", f"opinion_box:{box_id}")
