"""One code for several subjects: what is done, what comes next, and whose ballot is being cast.

What has been rated is known to the device that did it, from a cookie; the code alone tells nobody.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Response, after_this_request
from sqlalchemy.orm import Session

from survey_service.ballots import access, service
from survey_service.ballots.rules import slot_value
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.texts import text
from survey_service.entrances.panels import RatedSubject, find_rated, list_rated
from survey_service.entrances.queries import OpenedEntrance
from survey_service.entrances.rules import Ticket


@dataclass(frozen=True)
class Sitting:
    """The subjects of a panel as one of its members has come through them on this device."""

    subjects: Sequence[RatedSubject]
    done: frozenset[int]

    @property
    def count(self) -> int:
        return sum(one.subject_id in self.done for one in self.subjects)

    @property
    def is_complete(self) -> bool:
        return self.count == len(self.subjects)

    @property
    def next(self) -> RatedSubject | None:
        """The first subject that this device has not rated yet."""
        return next((one for one in self.subjects if one.subject_id not in self.done), None)

    def find(self, organization_code: str) -> RatedSubject | None:
        return next((one for one in self.subjects if one.organization_code == organization_code), None)


def read_sitting(session: Session, entrance: OpenedEntrance) -> Sitting | None:
    """Return how far this device has come with a panel's code; None for a code of one subject."""
    if not entrance.panel_id:
        return None
    subjects = list_rated(session, panel_id=entrance.panel_id)
    return Sitting(subjects, access.rated_here(entrance.entrance_id))


def narrow(
    session: Session, ticket: Ticket, organization_code: object, *, now: datetime
) -> tuple[Ticket, access.Credential]:
    """Return the ticket and the credential of one subject of a panel.

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
    done = access.rated_here(ticket.entrance_id) | {ticket.subject_id}

    @after_this_request
    def mark(response: Response) -> Response:
        access.set_rated(response, ticket.entrance_id, done)
        return response
