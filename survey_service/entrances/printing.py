"""Use cases of printing: which codes stand on which sheet of paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import SubjectRow, get_campaign, list_subjects
from survey_service.campaigns.rules import Mode, RaterClass, campaign_target
from survey_service.core import clock
from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Forbidden, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.entrances.batches import code_in_clear, mark_printed
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.posters import CodeSheet, Poster, Slip
from survey_service.entrances.queries import first_posted, list_slots
from survey_service.entrances.service import create_entrances
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import list_ancestors
from survey_service.staff.rules import is_allowed


@dataclass(frozen=True)
class Place:
    """Who prints for which organization of which campaign, and where voters reach the service."""

    staff: Identity
    public_url: str
    campaign_id: int
    organization_code: str


def prepare_poster(session: Session, *, place: Place, posted_at: str | None = None) -> Poster:
    """Return what stands on the poster of an organization, or on the one for a place of posting.

    Raises Conflict `no_posted_entrance` when there is no such entrance.
    """
    campaign, subject = _subject(session, place)
    entrance = first_posted(session, campaign_id=campaign.id, subject_id=subject.subject_id, place=posted_at)
    if entrance is None or entrance.code is None:
        raise Conflict("no_posted_entrance")
    return Poster(
        area=area_of(session, subject.path),
        village=subject.name,
        campaign=campaign.title,
        subject=subject.subject_name,
        url=f"{place.public_url}/s/{entrance.code}",
        code=entrance.code,
        typing_address=without_scheme(place.public_url),
        organizer=session.get_one(Organization, campaign.organization_id).name,
        until=clock.local_text(campaign.closes_at),
        paper_place=text("entrances.paper_place"),
        place=entrance.place,
    )


def prepare_sheet(
    session: Session,
    *,
    place: Place,
    keyring: Keyring,
    count: int | None,
    now: datetime,
) -> CodeSheet:
    """Return a sheet with the household codes of an organization, made up to `count` where fewer exist.

    Only for staff above the organization; raises Conflict when there are no codes, or when they have been
    handed out and cannot be shown again.
    """
    campaign, subject = _subject(session, place)
    if not (place.staff.is_above(subject.path) and is_allowed(place.staff.role, "code_sheets.print")):
        raise Forbidden
    slots = _household_slots(session, place.staff, keyring, campaign, subject, count, now)
    facts = {"organization_code": subject.organization_code, "codes": len(slots)}
    record(session, "code_sheets.print", campaign_target(campaign.id), after=facts)
    return CodeSheet(
        area=area_of(session, subject.path),
        village=subject.name,
        campaign=campaign.title,
        rater_class=text(f"campaigns.class_{RaterClass.VILLAGER}"),
        mode=Mode.HOUSEHOLD,
        until=clock.local_text(campaign.closes_at),
        typing_address=without_scheme(place.public_url),
        slips=[_slip(keyring, place.public_url, entrance, batch) for entrance, batch in slots],
    )


def _household_slots(
    session: Session,
    staff: Identity,
    keyring: Keyring,
    campaign: Campaign,
    subject: SubjectRow,
    count: int | None,
    now: datetime,
) -> list[tuple[Entrance, CodeBatch]]:
    def existing() -> list[tuple[Entrance, CodeBatch]]:
        return list_slots(
            session,
            campaign_id=campaign.id,
            subject_id=subject.subject_id,
            mode=Mode.HOUSEHOLD,
            rater_class=RaterClass.VILLAGER,
        )

    slots = existing()
    if count is not None and len(slots) < count:
        create_entrances(
            session,
            staff=staff,
            keyring=keyring,
            campaign_id=campaign.id,
            organization_codes=[subject.organization_code],
            mode=Mode.HOUSEHOLD,
            rater_class=RaterClass.VILLAGER,
            count=count - len(slots),
            now=now,
        )
        slots = existing()
    if not slots:
        raise Conflict("no_household_codes")
    printable = printable_slots(slots)[:count]
    mark_printed({batch.id: batch for _, batch in printable}.values(), now)
    return printable


def printable_slots(slots: Sequence[tuple[Entrance, CodeBatch]]) -> list[tuple[Entrance, CodeBatch]]:
    """Return the slots whose codes can be shown; raises Conflict `codes_handed_out` when none of some can."""
    printable = [(slot, batch) for slot, batch in slots if batch.wrapped_key is not None]
    if slots and not printable:
        raise Conflict("codes_handed_out")
    return printable


def _slip(keyring: Keyring, public_url: str, entrance: Entrance, batch: CodeBatch) -> Slip:
    code = code_in_clear(keyring, batch, entrance)
    assert entrance.serial is not None
    return Slip(serial=entrance.serial, code=code, url=f"{public_url}/s/{code}")


def _subject(session: Session, place: Place) -> tuple[Campaign, SubjectRow]:
    campaign = get_campaign(session, place.campaign_id)
    found = list_subjects(session, campaign.id, organization_codes=[place.organization_code])
    if not found:
        raise NotFound
    place.staff.require(found[0].path)
    return campaign, found[0]


def area_of(session: Session, path: str) -> str:
    """Return the names above an organization, such as 饶平县汤溪镇."""
    return "".join(one.name for one in list_ancestors(session, path=path)[:-1])


def without_scheme(url: str) -> str:
    """Return an address as people type it."""
    return url.split("://", 1)[-1]
