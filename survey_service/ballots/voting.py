"""The voter's two acts, opening and submitting, as both the pages and the JSON API perform them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app, request
from sqlalchemy.orm import Session

from survey_service.ballots import access, panels, service
from survey_service.ballots.queries import is_spent
from survey_service.ballots.service import CastBallot
from survey_service.campaigns.rules import State
from survey_service.core.errors import Conflict, Invalid, ServiceError
from survey_service.core.http import network_key
from survey_service.core.privacy import current_keyring
from survey_service.entrances.queries import OpenedEntrance, open_entrance
from survey_service.entrances.rules import Ticket
from survey_service.questionnaires.queries import CompiledVersion, get_compiled
from survey_service.questionnaires.rules import AnswerError, CheckedAnswers, Plan
from survey_service.wechat import sign_in

PREVIEW_RECEIPT = "0" * 13
"""What a preview answers with: no secret yields it, and its page says that nothing was stored."""

Check = Callable[[Plan], CheckedAnswers]


@dataclass(frozen=True)
class OpenedPage:
    """An entrance as it was opened now by this device."""

    entrance: OpenedEntrance
    version: CompiledVersion
    ticket: str
    device: str | None
    """The device that the answer must name in a cookie; None where something else is the credential."""
    is_answered: bool
    sitting: panels.Sitting | None = None
    """Where one code rates several subjects: which they are, and which of them this device has rated."""


def open_page(session: Session, *, raw_code: str, now: datetime) -> OpenedPage:
    """Open an entrance for this request's device; writes nothing.

    Raises NotFound `unknown_entrance`, and SignInRequired where WeChat is asked for.
    """
    entrance = find_entrance(session, raw_code=raw_code, now=now)
    holder = access.identify(entrance)
    sitting = panels.read_sitting(session, entrance, now=now)
    return OpenedPage(
        entrance=entrance,
        version=get_compiled(session, entrance.version_id),
        ticket=access.make_ticket(entrance, holder.credential, now),
        device=holder.device,
        is_answered=_is_answered(session, entrance, holder) if sitting is None else sitting.is_complete,
        sitting=sitting,
    )


def find_entrance(session: Session, *, raw_code: str, now: datetime) -> OpenedEntrance:
    """Look a code up; only failures count against guessing."""
    limit, address = access.limits().failed_codes, network_key()
    if limit.is_exhausted(address):
        limit.hit(address)
    try:
        return open_entrance(
            session,
            keyring=current_keyring(),
            raw_code=raw_code,
            now=now,
            posted=current_app.extensions["posted_entrances"],
        )
    except ServiceError:
        limit.hit(address)
        raise


def _is_answered(session: Session, entrance: OpenedEntrance, holder: access.Holder) -> bool:
    """Tell a device that it has voted itself; about a code alone nothing is ever said here."""
    if entrance.state is not State.OPEN or entrance.is_preview:
        return False
    if not entrance.is_posted:
        return access.is_remembered(entrance, request.cookies)
    if not holder.is_known:
        return False
    digest = access.digest_credential(session, entrance.campaign_id, holder.credential)
    return is_spent(session, entrance.campaign_id, digest)


def submit(
    session: Session,
    *,
    raw_code: str,
    signed_ticket: object,
    secret: str,
    check: Check,
    now: datetime,
    organization_code: object = None,
) -> tuple[Ticket, CastBallot]:
    """Check ticket, state and answers in this order, then cast the ballot (`api.md`, Voter).

    `check` validates the answers by the plan of the frozen version; `organization_code` names the subject
    where one code rates several.
    """
    try:
        ticket, credential = access.check_ticket(signed_ticket, raw_code)
    except ServiceError:
        find_entrance(session, raw_code=raw_code, now=now)
        raise
    if ticket.subject_id:
        return ticket, _submit(session, ticket, credential, secret, check, now)
    narrowed, credential = panels.narrow(session, ticket, organization_code, now=now)
    with panels.remembering(narrowed):
        return ticket, _submit(session, narrowed, credential, secret, check, now)


def _submit(
    session: Session,
    ticket: Ticket,
    credential: access.Credential,
    secret: str,
    check: Check,
    now: datetime,
) -> CastBallot:
    limits = access.limits()
    limits.posts.hit(ticket.credential)
    if limits.by_network is not None:
        limits.by_network.hit(network_key())
    plan = get_compiled(session, ticket.version_id).plan
    try:
        checked = check(plan)
    except AnswerError as error:
        service.require_open(session, ticket=ticket, now=now)
        errors = {name: [sentence] for name, sentence in error.errors.items()}
        raise Invalid("invalid_answers", errors=errors) from error
    if ticket.is_preview:
        return CastBallot(PREVIEW_RECEIPT, is_new=False)
    return _cast(session, ticket, credential, secret, plan, checked, now)


def _cast(
    session: Session,
    ticket: Ticket,
    credential: access.Credential,
    secret: str,
    plan: Plan,
    checked: CheckedAnswers,
    now: datetime,
) -> CastBallot:
    if credential.kind == "openid":
        # Whatever comes of it: whoever scans next may be somebody else.
        sign_in.end_visit()
    digest = access.digest_credential(session, ticket.campaign_id, credential)
    watch, codes = access.watch(), access.count_codes(ticket)
    try:
        cast = service.cast_ballot(
            session,
            ticket=ticket,
            participation=digest,
            secret=secret,
            plan=plan,
            checked=checked,
            now=now,
            flag=watch.flag(ticket, items=len(plan.items), codes=codes, now=now),
        )
    except Conflict as error:
        if error.code == "different_answers":
            access.limits().different_answers.hit(digest)
        raise
    if cast.is_new:
        watch.remember(ticket, now)
    return cast
