"""Use cases of assisted visits: begin one, and say who is stationed where.

What the villager answers goes the ordinary way of a ballot (`ballots`), in the mode `assisted`. Nothing that
is stored or recorded here names the code, the household or its village.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Date, Integer, bindparam, delete, text
from sqlalchemy.orm import Session

from survey_service.campaigns.rules import State, campaign_target
from survey_service.core import clock
from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Forbidden, Gone, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text as words
from survey_service.entrances.queries import OpenedEntrance
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import find_by_codes
from survey_service.staff.management import managed_account
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import account_target
from survey_service.staff.tokens import lock_session
from survey_service.visits.models import Stationing
from survey_service.visits.queries import list_stations, path_of_subject

# One statement counts and holds the cap: two phones of one person cannot both take the last visit.
_COUNT = text(
    "INSERT INTO visit_count (staff_id, day, visits) VALUES (:staff_id, :day, 1) "
    "ON CONFLICT (staff_id) DO UPDATE SET day = excluded.day, "
    "visits = CASE WHEN visit_count.day = excluded.day THEN visit_count.visits + 1 ELSE 1 END "
    "WHERE visit_count.day <> excluded.day OR visit_count.visits < :cap RETURNING visits"
).bindparams(
    bindparam("staff_id", type_=BigInteger), bindparam("day", type_=Date), bindparam("cap", type_=Integer)
)


def begin_visit(
    session: Session, *, staff: Identity, entrance: OpenedEntrance, token: str, cap: int, now: datetime
) -> None:
    """Lock the session of a staff member, whose phone a villager takes to vote with a one-time code.

    `cap` is the most visits of one staff member in a day. Raises Invalid for a posted code and for a panel's,
    Forbidden outside of what he stands above and `stationed_here` where he is stationed, Gone `closed`, and
    Conflict `visits_exhausted`.
    """
    if entrance.is_posted or entrance.is_preview or entrance.panel_id:
        raise Invalid(errors={"code": [words("visits.one_time_codes_only")]})
    _require_stranger(session, staff, path_of_subject(session, subject_id=entrance.subject_id))
    if entrance.state is not State.OPEN:
        raise Gone
    counted = {"staff_id": staff.id, "day": clock.local_day(now), "cap": cap}
    if not session.execute(_COUNT, counted).all():
        raise Conflict("visits_exhausted", most=cap)
    lock_session(session, token=token, now=now)
    record(session, "visits.begin", campaign_target(entrance.campaign_id))


def _require_stranger(session: Session, staff: Identity, path: str) -> None:
    """Raise Forbidden unless somebody stands above a village and is not stationed there."""
    if not staff.is_above(path):
        raise Forbidden
    if any(path.startswith(station.path) for station in list_stations(session, staff_id=staff.id)):
        raise Forbidden("stationed_here")


def set_stations(
    session: Session, *, by: Identity, staff_id: int, organization_codes: Sequence[str]
) -> list[Organization]:
    """Say where somebody below one's own level is stationed, at these places and at no others.

    Raises NotFound, Forbidden above or beside the caller, and Invalid for places outside of where he works.
    """
    account = managed_account(session, staff_id, by)
    places = _places_of(session, account, organization_codes)
    before = {"organization_codes": [one.code for one in list_stations(session, staff_id=staff_id)]}
    session.execute(delete(Stationing).where(Stationing.staff_id == staff_id))
    session.add_all(Stationing(staff_id=staff_id, organization_id=place.id) for place in places)
    session.flush()
    after = {"organization_codes": [place.code for place in places]}
    record(session, "visits.station", account_target(account.username), before=before, after=after)
    return places


def _places_of(session: Session, account: StaffAccount, codes: Sequence[str]) -> list[Organization]:
    found = find_by_codes(session, codes)
    places = sorted(found.values(), key=lambda place: place.path)
    outside = [place.code for place in places if not place.path.startswith(account.organization.path)]
    if unknown := sorted({*codes} - found.keys() | {*outside}):
        raise Invalid(
            errors={"organization_codes": [words("visits.unknown_places", codes="、".join(unknown))]}
        )
    return places
