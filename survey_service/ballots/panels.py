"""One code for several subjects: what is done, what comes next, and whose ballot is being cast.

What has been rated is known to the device that did it, from a cookie; the code alone tells nobody. In a
sitting of several campaigns each has its own questionnaire, window and ticket, and so its own key.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Response, after_this_request
from sqlalchemy.orm import Session

from survey_service.ballots import access, service
from survey_service.ballots.rules import slot_value
from survey_service.campaigns.rules import State
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.texts import text
from survey_service.entrances.panels import RatedSubject, find_rated, list_rated
from survey_service.entrances.queries import OpenedEntrance
from survey_service.entrances.rules import Ticket
from survey_service.questionnaires.queries import CompiledVersion, get_compiled


@dataclass(frozen=True)
class Turn:
    """A campaign of a sitting as it was opened now: whom it rates, by which form, with which ticket."""

    entrance: OpenedEntrance
    version: CompiledVersion
    ticket: str
    subjects: Sequence[RatedSubject]

    @property
    def is_open(self) -> bool:
        return self.entrance.state is State.OPEN


@dataclass(frozen=True)
class Sitting:
    """The subjects of a panel as one of its members has come through them on this device."""

    turns: Sequence[Turn]
    done: frozenset[access.Rated]

    @property
    def subjects(self) -> Sequence[RatedSubject]:
        """All that can be rated now, campaign by campaign."""
        return [one for turn in self.turns if turn.is_open for one in turn.subjects]

    def is_done(self, subject: RatedSubject) -> bool:
        return (subject.campaign_id, subject.subject_id) in self.done

    @property
    def count(self) -> int:
        return sum(map(self.is_done, self.subjects))

    @property
    def is_complete(self) -> bool:
        return 0 < len(self.subjects) == self.count

    @property
    def next(self) -> RatedSubject | None:
        """The first subject that this device has not rated yet."""
        return next((one for one in self.subjects if not self.is_done(one)), None)

    def find(self, organization_code: str, campaign_id: int | None = None) -> RatedSubject | None:
        """Return the subject that an organization code names, in one of the campaigns or in this one."""
        turns = [one for one in self.turns if campaign_id in (None, one.entrance.campaign_id)]
        named = (one for turn in turns for one in turn.subjects if one.organization_code == organization_code)
        return next(named, None)

    def turn_of(self, subject: RatedSubject) -> Turn:
        return next(one for one in self.turns if one.entrance.campaign_id == subject.campaign_id)


def read_sitting(session: Session, entrance: OpenedEntrance, *, now: datetime) -> Sitting | None:
    """Return how far this device has come with a panel's code; None for a code of one subject."""
    if not entrance.panel_id:
        return None
    rated = list_rated(session, panel_ids=[one.panel_id for one in entrance.turns])
    turns = [
        Turn(
            entrance=one,
            version=get_compiled(session, one.version_id),
            ticket=access.make_ticket(one, access.identify(one).credential, now),
            subjects=rated.get(one.campaign_id, ()),
        )
        for one in entrance.turns
    ]
    return Sitting(turns, access.rated_here(entrance.code_digest))


def narrow(
    session: Session, ticket: Ticket, organization_code: object, *, now: datetime
) -> tuple[Ticket, access.Credential]:
    """Return the ticket and the credential of one subject of a panel, in the campaign of the ticket.

    The subject stands inside the credential, so that each is rated once. Raises Gone `closed`, and Invalid
    for an organization that the panel does not rate.
    """
    rated = None
    if isinstance(organization_code, str):
        rated = find_rated(session, entrance_id=ticket.entrance_id, organization_code=organization_code)
    if rated is None:
        access.limits().posts.hit(ticket.credential)
        service.require_open(session, ticket=ticket, now=now)
        raise Invalid(errors={"organization_code": [text("voter.subjects_which")]})
    value = slot_value(ticket.entrance_id, panel_subject_id=rated.subject_id)
    credential = access.Credential("slot", value)
    return replace(ticket, subject_id=rated.subject_id, credential=credential.mac), credential


@contextmanager
def remembering(ticket: Ticket) -> Iterator[None]:
    """Let this device know which subject it has rated.

    That somebody has rated it before, elsewhere, is told to whoever sends a valid ballot, and so it may be
    remembered as well: otherwise the way would lead back to the same subject for ever.
    """
    try:
        yield
    except Conflict as error:
        if error.code == "already_submitted":
            _remember(ticket)
        raise
    _remember(ticket)


def _remember(ticket: Ticket) -> None:
    done = access.rated_here(ticket.code_digest) | {(ticket.campaign_id, ticket.subject_id)}

    @after_this_request
    def mark(response: Response) -> Response:
        access.set_rated(response, ticket.code_digest, done)
        return response
