"""Household codes for a whole county at once, by villagers' group, and without showing one of them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import SubjectRow, get_visible_campaign, hold_rated, list_subjects
from survey_service.campaigns.rules import Mode, RaterClass, campaign_target
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Invalid
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.entrances.batches import add_batches, find_batches, make_slots, next_serials
from survey_service.entrances.models import HouseholdGroup
from survey_service.entrances.service import check_entrance, note_household_codes, subjects_below
from survey_service.organizations.models import Organization

MAX_HOUSEHOLDS_PER_CALL = 200_000
"""Twice a county of 92,000 households (`domain.md` section 10)."""
MAX_HOUSEHOLDS_PER_SUBJECT = 20_000


@dataclass(frozen=True)
class Households:
    """So many households of a villagers' group; without a name, of the whole village."""

    organization_code: str
    count: int
    group: str = ""


@dataclass(frozen=True)
class IssuedHouseholds:
    """How many household codes a call made, and for how many organizations."""

    codes: int
    organizations: int


def issue_household_codes(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    households: Sequence[Households],
    now: datetime,
    idempotency_key: str | None = None,
) -> IssuedHouseholds:
    """Make a slot for every household, numbered village by village in the order of the groups given.

    No code is shown: they are printed (`print_runs`). With the same idempotency key nothing is made again.
    Raises Forbidden for organizations at or above the caller's own level, Invalid, Conflict `wrong_state`
    after closing.
    """
    campaign = get_visible_campaign(session, campaign_id, staff)
    check_entrance(campaign, Mode.HOUSEHOLD, RaterClass.VILLAGER, now)
    _check_numbers(households)
    codes = list(dict.fromkeys(one.organization_code for one in households))
    subjects = subjects_below(session, staff, campaign_id, codes)
    hold_rated(session, campaign_id, [subject.subject_id for subject in subjects])
    request = canonical_digest([campaign_id, *map(astuple, households)])
    if not find_batches(session, campaign_id=campaign_id, idempotency_key=idempotency_key, request=request):
        _issue(session, keyring, campaign, subjects, households, request, idempotency_key, now)
    issued = IssuedHouseholds(sum(one.count for one in households), len(subjects))
    facts = {"mode": Mode.HOUSEHOLD, "codes": issued.codes, "organization_codes": sorted(codes)}
    record(session, "entrances.create", campaign_target(campaign_id), after=facts)
    return issued


def households_by_roster(
    session: Session, *, staff: Identity, campaign_id: int, organization_codes: Sequence[str] | None
) -> list[Households]:
    """Return the households of organizations as their roster says, those who stand below the caller.

    Raises Invalid for organizations that are named and whose number of households is not known.
    """
    subjects = list_subjects(session, campaign_id, within_path=staff.path)
    wanted = {one.organization_code for one in subjects if staff.is_above(one.path)}
    codes = wanted if organization_codes is None else organization_codes
    rows = session.execute(
        select(Organization.code, Organization.households).where(Organization.code.in_(codes))
    )
    sizes = dict(rows.all())
    if unknown := [code for code in codes if not sizes.get(code)]:
        raise Invalid(errors={code: [text("entrances.no_roster")] for code in sorted(unknown)})
    order = [one.organization_code for one in subjects if one.organization_code in codes]
    return [Households(code, sizes[code] or 0) for code in order]


def _check_numbers(households: Sequence[Households]) -> None:
    counts = _count_by_code(households)
    if sum(counts.values()) > MAX_HOUSEHOLDS_PER_CALL:
        raise Invalid(errors={"items": [text("entrances.too_many", most=MAX_HOUSEHOLDS_PER_CALL)]})
    if large := [code for code, count in counts.items() if count > MAX_HOUSEHOLDS_PER_SUBJECT]:
        sentence = text("entrances.too_many", most=MAX_HOUSEHOLDS_PER_SUBJECT)
        raise Invalid(errors={code: [sentence] for code in large})


def _count_by_code(households: Sequence[Households]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in households:
        counts[one.organization_code] = counts.get(one.organization_code, 0) + one.count
    return counts


def _issue(
    session: Session,
    keyring: Keyring,
    campaign: Campaign,
    subjects: Sequence[SubjectRow],
    households: Sequence[Households],
    request: str,
    idempotency_key: str | None,
    now: datetime,
) -> None:
    by_code = _count_by_code(households)
    counts = {one.subject_id: by_code[one.organization_code] for one in subjects}
    kind: dict[str, Any] = {
        "campaign_id": campaign.id,
        "mode": Mode.HOUSEHOLD,
        "rater_class": RaterClass.VILLAGER,
    }
    serials = next_serials(session, counts=counts, **kind)
    batches = add_batches(
        session,
        keyring,
        subject_ids=counts,
        request=request,
        idempotency_key=idempotency_key,
        now=now,
        **kind,
    )
    make_slots(session, keyring, batches, serials)
    firsts = {one.organization_code: (one.subject_id, serials[one.subject_id].start) for one in subjects}
    if groups := _group_rows(campaign.id, firsts, households):
        session.execute(insert(HouseholdGroup), groups)
    note_household_codes(campaign, Mode.HOUSEHOLD)


def _group_rows(
    campaign_id: int, firsts: dict[str, tuple[int, int]], households: Sequence[Households]
) -> list[dict[str, object]]:
    """Return the runs of serials of the named groups; `firsts` moves on behind each of them."""
    rows: list[dict[str, object]] = []
    for one in households:
        subject_id, first = firsts[one.organization_code]
        firsts[one.organization_code] = subject_id, first + one.count
        if one.group and one.count:
            rows.append(
                {
                    "campaign_id": campaign_id,
                    "subject_id": subject_id,
                    "first_serial": first,
                    "last_serial": first + one.count - 1,
                    "name": one.group,
                }
            )
    return rows
