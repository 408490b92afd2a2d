"""Evidence for what a level has filled in: files and links beside the notes of its sheet.

Files stand in the database, and so in every backup. What a file is, its bytes decide and not its name; it
is only ever handed out to be saved, never shown inside a page.
"""

from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import PurePath
from zipfile import BadZipFile, ZipFile

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from survey_service.core.permissions import Identity
from survey_service.core.plain_text import is_clean
from survey_service.core.texts import text
from survey_service.ratings.models import RatingEvidence
from survey_service.ratings.queries import find_subject, get_cycle, lock_cycle
from survey_service.ratings.rules import cycle_target
from survey_service.ratings.sheets import OpenSheet, open_sheet
from survey_service.ratings.vocabulary import EvidenceKind, Level
from survey_service.staff.rules import Role

MAX_EVIDENCE_BYTES = 5 * 1024 * 1024
"""A photo of a phone, or a scanned file of some pages."""
MOST_PIECES = 10
"""For one indicator of one sheet."""
MAX_FILE_NAME = 120

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_PACKAGES = (
    ("word/document.xml", f"{_OFFICE}.wordprocessingml.document"),
    ("xl/workbook.xml", f"{_OFFICE}.spreadsheetml.sheet"),
)
_MACROS = "vbaProject.bin"


def recognize_evidence(content: bytes) -> str | None:
    """Return the media type of a JPEG, PNG, PDF, DOCX or XLSX by its bytes; None for anything else."""
    kind = next((kind for signature, kind in _SIGNATURES if content.startswith(signature)), None)
    return kind or _recognize_package(content)


def _recognize_package(content: bytes) -> str | None:
    """Tell documents of an office apart from other archives, and refuse those with macros."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
    except BadZipFile:
        return None
    if any(PurePath(name).name == _MACROS for name in names):
        return None
    return next((kind for part, kind in _PACKAGES if part in names), None)


def attach_file(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    level: Level,
    indicator: str,
    content: bytes,
    filename: str,
    now: datetime,
) -> RatingEvidence:
    """Add a file to an indicator of a sheet that is open.

    Raises as filling in the sheet does, TooLarge, and Invalid for another kind of file.
    """
    if len(content) > MAX_EVIDENCE_BYTES:
        raise TooLarge
    content_type = recognize_evidence(content)
    if content_type is None:
        raise Invalid(errors={"file": [text("ratings.not_evidence")]})
    opened = open_sheet(
        session, staff=staff, cycle_id=cycle_id, organization_code=organization_code, level=level
    )
    evidence = RatingEvidence(
        kind=EvidenceKind.FILE,
        title=_file_name(filename),
        content_type=content_type,
        size=len(content),
        digest=sha256(content).hexdigest(),
        content=content,
    )
    return _attach(session, opened, evidence, indicator, staff, now)


def _file_name(given: str) -> str:
    """Return the last part of a name without what nobody can see; an empty one gets a word."""
    name = PurePath(given.replace("\\", "/")).name
    kept = "".join(letter for letter in name if letter.isprintable())[-MAX_FILE_NAME:].strip()
    return kept or text("ratings.file_without_name")


def attach_link(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    level: Level,
    indicator: str,
    url: str,
    title: str = "",
    now: datetime,
) -> RatingEvidence:
    """Add the address of a page to an indicator of a sheet that is open; raises as `attach_file`."""
    opened = open_sheet(
        session, staff=staff, cycle_id=cycle_id, organization_code=organization_code, level=level
    )
    evidence = RatingEvidence(kind=EvidenceKind.LINK, title=title or url[:MAX_FILE_NAME], url=url)
    return _attach(session, opened, evidence, indicator, staff, now)


def _attach(
    session: Session,
    opened: OpenSheet,
    evidence: RatingEvidence,
    indicator: str,
    staff: Identity,
    now: datetime,
) -> RatingEvidence:
    row = opened.subject.row
    known = {leaf.code for leaf in opened.scheme.leaves(row.field_code)}
    if indicator not in known:
        raise Invalid(errors={"indicator": [text("ratings.unknown_indicator")]})
    there = _pieces(session, row.cycle_id, row.subject_id)
    if sum(one.level is opened.level and one.indicator == indicator for one in there) >= MOST_PIECES:
        raise Conflict("too_much_evidence", most=MOST_PIECES)
    evidence.cycle_id, evidence.subject_id = row.cycle_id, row.subject_id
    evidence.level, evidence.indicator = opened.level, indicator
    evidence.staff_id, evidence.added_at = staff.id, now
    session.add(evidence)
    session.flush()
    target = cycle_target(row.cycle_id)
    record(session, "ratings.attach", target, after=_facts(opened.subject.organization_code, evidence))
    return evidence


def _facts(organization_code: str, evidence: RatingEvidence) -> dict[str, object]:
    return {
        "organization_code": organization_code,
        "by": evidence.level.value,
        "indicator": evidence.indicator,
        "evidence": evidence.id,
        "kind": evidence.kind.value,
        "title": evidence.title,
        "hash": evidence.digest,
    }


def detach(
    session: Session, *, staff: Identity, cycle_id: int, organization_code: str, evidence_id: int
) -> None:
    """Take a piece of evidence away while its sheet is open; the audit trail keeps its digest."""
    lock_cycle(session, cycle_id)
    evidence = _find(session, cycle_id, organization_code, evidence_id)
    open_sheet(
        session, staff=staff, cycle_id=cycle_id, organization_code=organization_code, level=evidence.level
    )
    session.delete(evidence)
    record(session, "ratings.detach", cycle_target(cycle_id), before=_facts(organization_code, evidence))


def _find(session: Session, cycle_id: int, organization_code: str, evidence_id: int) -> RatingEvidence:
    subject = find_subject(session, cycle_id, organization_code)
    evidence = session.get(RatingEvidence, evidence_id)
    if evidence is None or (evidence.cycle_id, evidence.subject_id) != (cycle_id, subject.row.subject_id):
        raise NotFound
    return evidence


def _pieces(session: Session, cycle_id: int, subject_id: int) -> list[RatingEvidence]:
    statement = select(RatingEvidence).where(
        RatingEvidence.cycle_id == cycle_id, RatingEvidence.subject_id == subject_id
    )
    return list(session.scalars(statement.order_by(RatingEvidence.id)))


def sees_level(staff: Identity, level: Level, *, is_final: bool) -> bool:
    """Tell whether a reader sees a level's sheet: a rated party before the end only its own."""
    return Role(staff.role) is not Role.BRANCH_SECRETARY or is_final or level is Level.SELF


def list_evidence(
    session: Session, *, staff: Identity, cycle_id: int, organization_code: str
) -> list[RatingEvidence]:
    """Return the evidence of the sheets that a reader sees, oldest first; raises NotFound and Forbidden."""
    cycle = get_cycle(session, cycle_id)
    subject = find_subject(session, cycle_id, organization_code)
    staff.require(subject.path)
    is_final = cycle.decided_at is not None
    pieces = _pieces(session, cycle_id, subject.row.subject_id)
    return [one for one in pieces if sees_level(staff, one.level, is_final=is_final)]


def read_evidence_file(
    session: Session, *, staff: Identity, cycle_id: int, organization_code: str, evidence_id: int
) -> RatingEvidence:
    """Return a file; raises NotFound, Forbidden for another level's file before grades are final."""
    evidence = _find(session, cycle_id, organization_code, evidence_id)
    staff.require(find_subject(session, cycle_id, organization_code).path)
    is_final = get_cycle(session, cycle_id).decided_at is not None
    if not sees_level(staff, evidence.level, is_final=is_final):
        raise Forbidden
    if evidence.kind is not EvidenceKind.FILE:
        raise NotFound
    return evidence


def is_link(url: str) -> bool:
    """Tell whether an address can be opened by a browser and holds nothing that nobody can see."""
    return url.startswith(("https://", "http://")) and is_clean(url) and not any(map(str.isspace, url))
