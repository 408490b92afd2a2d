"""Grades over the years: own final cycles, and files of other systems that were taken in."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.queries import get_organization
from survey_service.organizations.rules import SubjectKind
from survey_service.ratings.grade_files import is_genuine
from survey_service.ratings.models import RatingCycle, RatingGrade, RatingHistory, RatingSubject
from survey_service.ratings.queries import in_chunks
from survey_service.ratings.rules import Scheme
from survey_service.ratings.warning_rules import Result

Json = dict[str, Any]
_CHUNK = 500


def result_of(scheme: Scheme, year: int, grade: str, total: Fraction | None) -> Result:
    """Return a grade of a scheme as it is compared over the years."""
    return Result(year, scheme.bands[scheme.rank(grade)].title, scheme.rank(grade), total, scheme.maximum)


def import_grades(
    session: Session, *, staff: Identity, envelope: Mapping[str, Any], key: str, now: datetime
) -> int:
    """Take the grades of a signed file into the history; returns how many.

    `key` is the public key that the sender has told by another way. A file that is here already changes
    nothing; a newer version takes the place of the older. Raises Invalid `invalid_signature`, Invalid with
    the places of organizations that are unknown or lie elsewhere, Conflict `outdated_file`.
    """
    if not is_genuine(envelope, key=key):
        raise InvalidSignatureOfFile
    document = envelope["document"]
    organizations = _organizations(session, staff, document["grades"])
    known = _known(session, document)
    newest = max((one.file_version for one in known.values()), default=0)
    if newest > document["version"]:
        raise Conflict("outdated_file", version=newest)
    if newest == document["version"]:
        return 0
    for one in known.values():
        session.delete(one)
    session.flush()
    rows = [
        _row(document, envelope["digest"], one, organizations[one["organization_code"]], staff, now)
        for one in document["grades"]
        if one["grade"] is not None
    ]
    session.add_all(rows)
    facts = {"issuer": document["issuer"], "version": document["version"], "hash": envelope["digest"]}
    target = f"rating_file:{envelope['digest'][:16]}"
    record(session, "ratings.import", target, after=facts | {"key": key, "grades": len(rows)})
    return len(rows)


class InvalidSignatureOfFile(Invalid):
    """The file was not signed by the holder of the key, or has been altered since."""

    code = "invalid_signature"


def _organizations(
    session: Session, staff: Identity, grades: Sequence[Mapping[str, Any]]
) -> dict[str, Organization]:
    found: dict[str, Organization] = {}
    codes = [one["organization_code"] for one in grades]
    for part in in_chunks(codes, _CHUNK):
        statement = select(Organization).where(Organization.code.in_(part))
        found |= {one.code: one for one in session.scalars(statement)}
    errors = {
        f"document.grades.{position}.organization_code": [text("rating_outlook.unknown_place", code=code)]
        for position, code in enumerate(codes)
        if code not in found or not staff.covers(found[code].path)
    }
    if len(set(codes)) != len(codes):
        errors["document.grades"] = [text("rating_outlook.place_twice")]
    if errors:
        raise Invalid(errors=errors)
    return found


def _known(session: Session, document: Mapping[str, Any]) -> dict[int, RatingHistory]:
    statement = select(RatingHistory).where(
        RatingHistory.issuer == document["issuer"], RatingHistory.file_cycle == document["cycle"]["id"]
    )
    return {one.id: one for one in session.scalars(statement)}


def _row(
    document: Mapping[str, Any],
    digest: str,
    one: Mapping[str, Any],
    organization: Organization,
    staff: Identity,
    now: datetime,
) -> RatingHistory:
    scheme = document["scheme"]
    grades = [band["grade"] for band in scheme["grades"]]
    rank = grades.index(one["grade"])
    return RatingHistory(
        organization_id=organization.id,
        subject_kind=SubjectKind(document["subject_kind"]),
        name=one["name"],
        year=document["cycle"]["year"],
        scheme_code=scheme["code"],
        scheme_title=scheme["title"],
        grade=one["grade"],
        grade_title=scheme["grades"][rank]["title"],
        rank=rank,
        grades=len(grades),
        total=one["total"],
        maximum=scheme["maximum"],
        issuer=document["issuer"],
        file_cycle=document["cycle"]["id"],
        file_version=document["version"],
        file_digest=digest,
        staff_id=staff.id,
        imported_at=now,
    )


def earlier_results(session: Session, cycle: RatingCycle) -> dict[int, Result]:
    """Return the last result before a cycle by the same scheme, by organization."""
    found: dict[int, Result] = {}
    imported = select(RatingHistory).where(
        RatingHistory.scheme_code == cycle.scheme_code, RatingHistory.year < cycle.year
    )
    for one in session.scalars(imported.order_by(RatingHistory.year)):
        total = None if one.total is None else Fraction(one.total)
        found[one.organization_id] = Result(one.year, one.grade_title, one.rank, total, Fraction(one.maximum))
    for row in _own(session, cycle.scheme_code, before=cycle):
        known = found.get(row["organization_id"])
        if known is None or known.year <= row["result"].year:
            found[row["organization_id"]] = row["result"]
    return found


def _own(
    session: Session,
    scheme_code: str | None = None,
    *,
    before: RatingCycle | None = None,
    organization_id: int | None = None,
) -> list[Json]:
    """Return final grades of own cycles, oldest first."""
    statement = (
        select(
            RatingCycle,
            RatingSubject.organization_id,
            Subject.kind,
            RatingSubject.grade_final,
            RatingGrade.total,
        )
        .join(RatingSubject, RatingSubject.cycle_id == RatingCycle.id)
        .join(Subject, Subject.id == RatingSubject.subject_id)
        .outerjoin(
            RatingGrade,
            (RatingGrade.cycle_id == RatingSubject.cycle_id)
            & (RatingGrade.subject_id == RatingSubject.subject_id),
        )
        .where(RatingCycle.decided_at.is_not(None), RatingSubject.grade_final.is_not(None))
        .order_by(RatingCycle.year, RatingCycle.id)
    )
    if scheme_code is not None:
        statement = statement.where(RatingCycle.scheme_code == scheme_code)
    if before is not None:
        statement = statement.where(RatingCycle.id < before.id, RatingCycle.year <= before.year)
    if organization_id is not None:
        statement = statement.where(RatingSubject.organization_id == organization_id)
    documents: dict[int, Json] = {}
    rows = []
    for cycle, place, kind, grade, total in session.execute(statement):
        document = documents.setdefault(cycle.id, json.loads(cycle.document))
        rows.append(_own_row(cycle, document, place, kind, str(grade), total))
    return rows


def _own_row(
    cycle: RatingCycle, document: Json, place: int, kind: SubjectKind, grade: str, total: str | None
) -> Json:
    grades = [band["grade"] for band in document["bands"]]
    rank = grades.index(grade)
    exact = None if total is None else Fraction(total)
    title = document["bands"][rank]["title"]
    return {
        "organization_id": place,
        "result": Result(cycle.year, title, rank, exact, Fraction(document["scale"]["maximum"])),
        "year": cycle.year,
        "scheme": cycle.scheme_code,
        "scheme_title": document["title"],
        "subject_kind": kind,
        "grade": grade,
        "grade_title": title,
        "rank": rank,
        "grades": len(grades),
        "total": total,
        "maximum": document["scale"]["maximum"],
        "cycle_id": cycle.id,
        "issuer": None,
    }


def read_history(session: Session, *, staff: Identity, organization_code: str) -> Json:
    """Return the final grades of an organization over the years, oldest first.

    Raises NotFound, Forbidden outside the reader's sub-tree.
    """
    organization = get_organization(session, code=organization_code)
    staff.require(organization.path)
    imported = select(RatingHistory).where(RatingHistory.organization_id == organization.id)
    rows = _own(session, organization_id=organization.id)
    rows += [_imported_row(one) for one in session.scalars(imported)]
    shown = sorted(rows, key=lambda one: (one["year"], one["scheme"], one["cycle_id"] or 0))
    items = [
        {name: value for name, value in one.items() if name not in {"result", "organization_id"}}
        for one in shown
    ]
    return {"organization_code": organization.code, "name": organization.name, "items": items}


def _imported_row(one: RatingHistory) -> Json:
    return {
        "year": one.year,
        "scheme": one.scheme_code,
        "scheme_title": one.scheme_title,
        "subject_kind": one.subject_kind,
        "grade": one.grade,
        "grade_title": one.grade_title,
        "rank": one.rank,
        "grades": one.grades,
        "total": one.total,
        "maximum": one.maximum,
        "cycle_id": None,
        "issuer": one.issuer,
    }
