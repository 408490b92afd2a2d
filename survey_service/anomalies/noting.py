"""How a voter's "this was not me" comes in, from the page and from the JSON API alike."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.anomalies.disputes import note_dispute
from survey_service.ballots import access, panels, voting
from survey_service.campaigns.queries import get_campaign_key
from survey_service.core.errors import Forbidden, ServiceError
from survey_service.core.privacy import current_keyring


def note(
    session: Session, *, raw_code: str, signed_ticket: object, now: datetime, organization_code: object = None
) -> None:
    """Count the dispute of a one-time code that was opened with this ticket.

    `organization_code` names the subject where one code rates several. Raises Forbidden `bad_ticket`,
    NotFound `unknown_entrance`, Gone `closed`, Invalid and SlowDown.
    """
    try:
        ticket, credential = access.check_ticket(signed_ticket, raw_code)
    except ServiceError:
        voting.find_entrance(session, raw_code=raw_code, now=now)
        raise
    if ticket.place_id or ticket.is_preview:
        raise Forbidden("bad_ticket")
    access.limits().disputes.hit(ticket.credential)
    if not ticket.subject_id:
        ticket, credential = panels.narrow(session, ticket, organization_code, now=now)
    note_dispute(
        session,
        campaign_id=ticket.campaign_id,
        subject_id=ticket.subject_id,
        key=get_campaign_key(session, keyring=current_keyring(), campaign_id=ticket.campaign_id),
        participation=access.digest_credential(session, ticket.campaign_id, credential),
    )
