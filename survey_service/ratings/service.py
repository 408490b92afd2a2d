"""Use cases of schemes and of cycles: open one, note findings, refresh the draft."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import CampaignSubject
from survey_service.campaigns.queries import get_visible_campaign
from survey_service.campaigns.subjects import find_rated
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_json
from survey_service.core.clock import SHANGHAI
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.service import ensure_subjects
from survey_service.ratings.documents import digest_of, read_document
from survey_service.ratings.grades import keep_grades, scheme_of_cycle
from survey_service.ratings.models import RatingCycle, RatingScheme, RatingSubject
from survey_service.ratings.queries import (
    SubjectRow,
    cycles_of_campaign,
    find_subject,
    get_scheme,
    lock_cycle,
    newest_version,
)
from survey_service.ratings.rules import Adjustments, RatingChanged, Scheme, cycle_target
from survey_service.ratings.scheme_reading import scheme_of
from survey_service.ratings.totals import show
from survey_service.ratings.vocabulary import Level
from survey_service.staff.rules import Role

MAX_RATED = 25_000
"""The villages and communities of a province."""

_OFFICE_OF = {
    Level.SELF: frozenset({Role.BRANCH_SECRETARY, Role.TOWN_STAFF, Role.COUNTY_ADMIN}),
    Level.TOWN: frozenset({Role.TOWN_STAFF, Role.COUNTY_ADMIN}),
    Level.COUNTY: frozenset({Role.COUNTY_ADMIN}),
}
"""Who speaks for a level; an office may also key in the paper forms of the levels below it."""


def require_office(staff: Identity, level: Level) -> None:
    """Raise Forbidden for somebody who cannot speak for a level."""
    if not speaks_for(staff, level):
        raise Forbidden


def speaks_for(staff: Identity, level: Level) -> bool:
    """Tell whether somebody completes the steps of a level, and fills in its sheets."""
    return Role(staff.role) in _OFFICE_OF[level]


def add_scheme(session: Session, *, staff: Identity, source: str, now: datetime) -> RatingScheme:
    """Store a new version of a scheme of one's own from its YAML text.

    Raises InvalidScheme with what is wrong by line, Invalid where the version is not the next.
    """
    document = read_document(source)
    expected = newest_version(session, organization_id=staff.organization_id, code=document["code"]) + 1
    if document["version"] < expected:
        raise Invalid(errors={"version": [text("ratings.version_taken", expected=expected)]})
    scheme = RatingScheme(
        organization_id=staff.organization_id,
        code=document["code"],
        version=document["version"],
        title=document["title"],
        source=source,
        document=canonical_json(document),
        digest=digest_of(document),
        staff_id=staff.id,
        created_at=now,
    )
    session.add(scheme)
    session.flush()
    facts = {"version": scheme.version, "hash": scheme.digest}
    record(session, "ratings.write_scheme", f"rating_scheme:{scheme.code}", after=facts)
    return scheme


@dataclass(frozen=True)
class Opened:
    """The answer to a new cycle; `warnings` are sentences for the owner."""

    cycle: RatingCycle
    warnings: list[str]


def open_cycle(
    session: Session,
    *,
    staff: Identity,
    scheme: str,
    title: str,
    now: datetime,
    version: int | None = None,
    organization_codes: Sequence[str] | None = None,
    under: str | None = None,
    campaign_id: int | None = None,
    year: int | None = None,
) -> Opened:
    """Open a cycle over the organizations named or under one; the scheme is locked into it.

    Raises NotFound for an unknown scheme or campaign, Invalid and Forbidden as for a campaign's subjects.
    """
    known = get_scheme(session, staff=staff, code=scheme, version=version)
    if campaign_id is not None:
        get_visible_campaign(session, campaign_id, staff)
    organizations = find_rated(session, staff=staff, codes=organization_codes, under=under, most=MAX_RATED)
    cycle = RatingCycle(
        organization_id=staff.organization_id,
        title=title,
        year=year or now.astimezone(SHANGHAI).year,
        scheme_code=known.code,
        scheme_version=known.version,
        scheme_digest=known.digest,
        document=canonical_json(known.document),
        campaign_id=campaign_id,
        position=0,
        revision=1,
        graded_revision=0,
        staff_id=staff.id,
        created_at=now,
    )
    session.add(cycle)
    session.flush()
    rules = scheme_of(known.document)
    _add_subjects(session, cycle, rules, organizations)
    facts = {"scheme": known.code, "version": known.version, "hash": known.digest, "title": title}
    record(session, "ratings.open", cycle_target(cycle.id), after=facts | {"campaign_id": campaign_id})
    publish(session, RatingChanged(cycle.id))
    return Opened(cycle, list_warnings(session, cycle, rules))


def _add_subjects(
    session: Session, cycle: RatingCycle, scheme: Scheme, organizations: Sequence[Organization]
) -> None:
    subjects = ensure_subjects(session, organizations=organizations, kind=scheme.subject_kind)
    session.add_all(
        RatingSubject(
            cycle_id=cycle.id,
            subject_id=subjects[one.id].id,
            organization_id=one.id,
            position=position,
            field_code=scheme.field_of_kind.get(one.kind),
            findings="{}",
        )
        for position, one in enumerate(organizations)
    )
    session.flush()


def list_warnings(session: Session, cycle: RatingCycle, scheme: Scheme) -> list[str]:
    """Say where a share means nobody or everybody, and whose mass score the campaign will not give."""
    rated = select(func.count()).where(RatingSubject.cycle_id == cycle.id, RatingSubject.exclusion.is_(None))
    warnings = small_base_warnings(scheme, session.scalar(rated) or 0)
    if cycle.campaign_id is None or not scheme.mass_leaves:
        return warnings
    covered = select(CampaignSubject.organization_id).where(CampaignSubject.campaign_id == cycle.campaign_id)
    outside = session.scalar(rated.where(RatingSubject.organization_id.not_in(covered)))
    return warnings + ([text("ratings.outside_campaign", count=outside)] if outside else [])


def small_base_warnings(scheme: Scheme, base: int) -> list[str]:
    """Say where a share leaves nobody or takes everybody: small bases make it mean something else."""
    warnings = []
    for quota in scheme.quotas:
        limit, values = quota.limit(base), {"grade": scheme.title_of(quota.grade), "base": base}
        if quota.is_maximum and limit == 0:
            warnings.append(text("ratings.quota_leaves_nobody", **values))
        if not quota.is_maximum and limit >= base:
            warnings.append(text("ratings.quota_takes_everybody", **values))
    return warnings


def touch(session: Session, cycle: RatingCycle) -> None:
    """Note that something has changed that the grades follow from."""
    cycle.revision += 1
    publish(session, RatingChanged(cycle.id))


def plain_value(value: Any) -> Any:
    """Return an entry as it is stored: decimals as text, lists in one order."""
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    return sorted(set(value)) if isinstance(value, list) else value


class Findings(TypedDict, total=False):
    """What was found about a subject: restrictions with notes, X and Y, why it is excluded, its field."""

    findings: Mapping[str, str]
    bonus: Mapping[str, Decimal]
    penalty: Mapping[str, Decimal]
    excluded: str | None
    field: str | None


_FINDING_PARTS: tuple[Literal["findings", "bonus", "penalty"], ...] = ("findings", "bonus", "penalty")


def note_findings(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    found: Findings,
) -> RatingSubject:
    """Write what was found about a subject: what is not given stays, what is given replaces what was there.

    Raises NotFound, Forbidden for somebody who does not stand above the subject, Conflict `wrong_step` once
    the grades are final, Invalid for what the scheme does not know or allow.
    """
    cycle = lock_cycle(session, cycle_id)
    subject = find_subject(session, cycle_id, organization_code)
    scheme = scheme_of_cycle(cycle)
    if not staff.is_above(subject.path):
        raise Forbidden
    if cycle.decided_at is not None:
        raise Conflict("wrong_step", step=text("ratings.grades_are_final"))
    _check_findings(scheme, found)
    row, before = subject.row, _finding_facts(subject)
    named = {part: _plain_values(found[part]) for part in _FINDING_PARTS if part in found}
    row.findings = canonical_json(json.loads(row.findings) | named)
    row.exclusion = found.get("excluded", row.exclusion)
    row.field_code = found.get("field", row.field_code)
    record(session, "ratings.find", cycle_target(cycle_id), before=before, after=_finding_facts(subject))
    touch(session, cycle)
    return row


def _plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {code: plain_value(value) for code, value in values.items()}


def _finding_facts(subject: SubjectRow) -> dict[str, object]:
    row = subject.row
    return {
        "organization_code": subject.organization_code,
        "exclusion": row.exclusion,
        "field": row.field_code,
        **json.loads(row.findings),
    }


def _check_findings(scheme: Scheme, found: Findings) -> None:
    known = {restriction.code for restriction in scheme.restrictions}
    errors = {
        f"findings.{code}": [text("ratings.unknown_finding")]
        for code in found.get("findings", {})
        if code not in known
    }
    errors |= _adjustment_faults("bonus", scheme.bonus, found.get("bonus", {}))
    errors |= _adjustment_faults("penalty", scheme.penalty, found.get("penalty", {}))
    if found.get("field") is not None and found["field"] not in scheme.fields:
        errors["field"] = [text("ratings.unknown_field", known="、".join(scheme.fields))]
    if errors:
        raise Invalid(errors=errors)


def _adjustment_faults(
    side: str, adjustments: Adjustments, given: Mapping[str, Decimal]
) -> dict[str, list[str]]:
    most = {item.code: item.points for item in adjustments.items}
    faults = {}
    for code, points in given.items():
        if code not in most:
            faults[f"{side}.{code}"] = [text("ratings.unknown_finding")]
        elif points > most[code]:
            faults[f"{side}.{code}"] = [text("ratings.over_maximum", maximum=show(most[code]))]
    return faults


def refresh_draft(session: Session, *, cycle_id: int) -> int:
    """Work out and store the grades of a cycle where they are out of date; returns how many."""
    cycle = lock_cycle(session, cycle_id)
    if cycle.graded_revision == cycle.revision:
        return 0
    return len(keep_grades(session, cycle))


def renew_draft(session: Session, *, cycle_id: int) -> None:
    """Work out the grades of a cycle anew unless they are final: an event may have been lost with a queue."""
    cycle = lock_cycle(session, cycle_id)
    if cycle.decided_at is None:
        keep_grades(session, cycle)


def take_in_scores(session: Session, *, campaign_id: int) -> list[int]:
    """Note that a campaign's scores have changed; returns the cycles that they flow into.

    Final grades stay as they were decided.
    """
    found = []
    for cycle_id in cycles_of_campaign(session, campaign_id):
        cycle = lock_cycle(session, cycle_id)
        if cycle.decided_at is None:
            touch(session, cycle)
            found.append(cycle_id)
    return found
