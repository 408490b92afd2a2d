"""What stays with the county, and what staff bring in themselves: originals, photos, paper."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.clear_letters.models import ClearLetter
from survey_service.core import clock
from survey_service.core.audit import record
from survey_service.core.errors import Invalid
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.opinions.models import Opinion, OpinionPhoto
from survey_service.opinions.queries import get_opinion, get_original
from survey_service.opinions.receiving import Draft, Origin, store_anonymous
from survey_service.opinions.rules import Policy, Source
from survey_service.opinions.service import opinion_target
from survey_service.opinions.vault import open_vault, original_label, photo_label
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization


def open_photo(session: Session, *, keyring: Keyring, photo: OpinionPhoto) -> bytes:
    """Return a photo as JPEG; who may see it was asked before (`queries.list_photos`)."""
    label = photo_label(photo.opinion_id, photo.number)
    return open_vault(session, keyring=keyring).open(photo.sealed, label=label)


def read_original(
    session: Session, *, keyring: Keyring, staff: Identity, opinion_id: int, reason: str
) -> str:
    """Return the words before redaction; the reason stands in the audit trail. Raises NotFound."""
    opinion = get_opinion(session, staff=staff, opinion_id=opinion_id)
    sealed = get_original(session, opinion.id)
    record(session, "opinions.read_original", opinion_target(opinion.id), after={"reason": reason})
    vault = open_vault(session, keyring=keyring)
    return vault.open(sealed, label=original_label(opinion.id)).decode()


def key_opinion(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    policy: Policy,
    organization_code: str,
    draft: Draft,
    now: datetime,
    letter_id: int | None = None,
) -> Opinion:
    """Store an opinion that came on paper, as an answer to a letter where one is named.

    Raises NotFound and Forbidden for the organization, Invalid for a letter that is not its own.
    """
    organization = get_organization(session, code=organization_code)
    staff.require(organization.path)
    _require_letter(session, organization, letter_id)
    origin = Origin(organization, Source.PAPER, letter_id)
    opinion_id = store_anonymous(
        session, keyring=keyring, policy=policy, draft=draft, origin=origin, today=clock.local_day(now)
    )
    # No place and no category: a report on paper is as much a secret as any other.
    record(session, "opinions.key", opinion_target(opinion_id), after={"source": Source.PAPER})
    return session.get_one(Opinion, opinion_id)


def _require_letter(session: Session, organization: Organization, letter_id: int | None) -> None:
    letter = None if letter_id is None else session.get(ClearLetter, letter_id)
    if letter_id is not None and (letter is None or letter.organization_id != organization.id):
        raise Invalid(errors={"letter_id": [text("opinions.unknown_letter")]})
