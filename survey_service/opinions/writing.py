"""The author's way in: a code opens the form, a ticket proves it, a credential has room for three."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.ballots import access, voting
from survey_service.ballots.service import require_open
from survey_service.campaigns.queries import get_campaign, get_campaign_key
from survey_service.campaigns.rules import Mode
from survey_service.core import clock
from survey_service.core.digests import keyed_digest, sign, verify
from survey_service.core.errors import Forbidden, ServiceError
from survey_service.core.privacy import Keyring, current_keyring
from survey_service.entrances import codes
from survey_service.entrances.rules import Ticket, credential_mac
from survey_service.opinions.letters import find_letter
from survey_service.opinions.models import OpinionBox
from survey_service.opinions.policy import current_policy
from survey_service.opinions.queries import find_box
from survey_service.opinions.receiving import (
    Allowance,
    Draft,
    Origin,
    Received,
    check_text,
    receive_opinion,
)
from survey_service.opinions.rules import Source, derive_query_code
from survey_service.organizations.models import Organization, Subject

_TICKET = "opinion ticket"
_DOMAIN = "opinion"
_MOST_HOURS = 48
"""A form that was opened on one day is still sent on the next."""


@dataclass(frozen=True)
class OpenedForm:
    """What a page needs to ask for an opinion."""

    code: str
    organization_name: str
    title: str
    ticket: str
    device: str | None
    """The device that the answer must name in a cookie; None where something else is the credential."""


def open_form(session: Session, *, raw_code: str, now: datetime) -> OpenedForm:
    """Open the form behind the code of a box, a letter or a campaign; writes nothing.

    Raises NotFound `unknown_entrance`, and SignInRequired where WeChat is asked for.
    """
    box = _find_box(session, raw_code)
    if box is not None:
        device = access.known_device() or access.make_device()
        ticket = _box_ticket(current_keyring(), box, device, now)
        return OpenedForm(box.code, box.organization.name, box.place, ticket, device)
    entrance = voting.find_entrance(session, raw_code=raw_code, now=now)
    holder = access.identify(entrance)
    ticket = access.make_ticket(entrance, holder.credential, now)
    return OpenedForm(entrance.code, entrance.organization_name, entrance.title, ticket, holder.device)


def _find_box(session: Session, raw_code: str) -> OpinionBox | None:
    code = codes.normalize(raw_code)
    return None if code is None else find_box(session, code)


def _box_ticket(keyring: Keyring, box: OpinionBox, device: str, now: datetime) -> str:
    payload = [box.id, int(now.timestamp()), credential_mac("device", device)]
    return sign(keyring.passing(_TICKET), json.dumps(payload).encode())


def place_behind(session: Session, *, raw_code: str, now: datetime) -> str:
    """Return the code of the organization to which a code leads; raises NotFound `unknown_entrance`."""
    box = _find_box(session, raw_code)
    if box is not None:
        return box.organization.code
    entrance = voting.find_entrance(session, raw_code=raw_code, now=now)
    return _organization_of(session, entrance.subject_id, entrance.campaign_id).code


def submit_opinion(
    session: Session, *, raw_code: str, signed_ticket: object, secret: str, draft: Draft, now: datetime
) -> Received:
    """Check ticket, state and words in this order, then store the opinion (`api.md`).

    Raises Forbidden `bad_ticket`, NotFound `unknown_entrance`, Gone `closed`, and what `receive_opinion`
    does.
    """
    box = _find_box(session, raw_code)
    if box is not None:
        origin, allowance = _through_box(box, signed_ticket, now)
    else:
        opened = _through_entrance(session, raw_code, signed_ticket, now)
        if opened is None:
            check_text(draft.text)
            return Received(derive_query_code(secret), is_new=True)
        origin, allowance = opened
    return receive_opinion(
        session,
        keyring=current_keyring(),
        policy=current_policy(),
        draft=draft,
        origin=origin,
        secret=secret,
        allowance=allowance,
        today=clock.local_day(now),
    )


def _through_box(box: OpinionBox, signed_ticket: object, now: datetime) -> tuple[Origin, Allowance]:
    device = access.known_device()
    if device is None or not _is_ticket_of(box, signed_ticket, device, now):
        raise Forbidden("bad_ticket")
    access.limits().posts.hit(credential_mac("device", device))
    source = Source.BOX if box.letter_id is None else Source.LETTER
    month = clock.local_day(now).strftime("%Y-%m")
    digest = keyed_digest(current_keyring().lasting("opinion box"), str(box.id), month, device)
    return Origin(box.organization, source, box.letter_id), Allowance(0, digest, month)


def _is_ticket_of(box: OpinionBox, signed: object, device: str, now: datetime) -> bool:
    if not isinstance(signed, str):
        return False
    for key in current_keyring().believed(_TICKET, now=now):
        payload = verify(key, signed)
        if payload is not None:
            box_id, opened_at, mac = json.loads(payload)
            hours = (now - datetime.fromtimestamp(opened_at, UTC)).total_seconds() / 3600
            return bool(box_id == box.id and mac == credential_mac("device", device) and hours <= _MOST_HOURS)
    return False


def _through_entrance(
    session: Session, raw_code: str, signed_ticket: object, now: datetime
) -> tuple[Origin, Allowance] | None:
    """Return where an opinion comes from, or None for a preview, of which nothing is stored."""
    try:
        ticket, credential = access.check_ticket(signed_ticket, raw_code)
    except ServiceError:
        voting.find_entrance(session, raw_code=raw_code, now=now)
        raise
    access.limits().posts.hit(ticket.credential)
    if ticket.is_preview:
        return None
    require_open(session, ticket=ticket, now=now)
    organization = _organization_of(session, ticket.subject_id, ticket.campaign_id)
    letter_id = find_letter(session, campaign_id=ticket.campaign_id, organization_id=organization.id)
    source = Source.LETTER if letter_id is not None and ticket.mode is Mode.HOUSEHOLD else Source.ENTRANCE
    return Origin(organization, source, letter_id), _allowance(session, ticket, credential)


def _organization_of(session: Session, subject_id: int, campaign_id: int) -> Organization:
    """Return the organization of the subject, or the campaign's own for a panel that rates several."""
    if not subject_id:
        return session.get_one(Organization, get_campaign(session, campaign_id).organization_id)
    statement = select(Organization).join(Subject, Subject.organization_id == Organization.id)
    return session.scalars(statement.where(Subject.id == subject_id)).one()


def _allowance(session: Session, ticket: Ticket, credential: access.Credential) -> Allowance:
    """Return a digest that meets no participation, though both come from one credential."""
    key = get_campaign_key(session, keyring=current_keyring(), campaign_id=ticket.campaign_id)
    participation = access.digest_credential(session, ticket.campaign_id, credential)
    return Allowance(ticket.campaign_id, keyed_digest(key, _DOMAIN, participation))
