"""Use cases of letters: compose, send in, approve or send back, take down, count who reads."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_visible_campaign, list_subjects
from survey_service.clear_letters.documents import document_of
from survey_service.clear_letters.models import ClearLetter, ClearLetterReading, ClearLetterVersion
from survey_service.clear_letters.queries import LetterRow, get_letter, read_content
from survey_service.clear_letters.rules import (
    LETTER_CODE_LENGTH,
    Content,
    Decision,
    LetterPublished,
    LetterState,
    LetterWithdrawn,
    Problem,
    excesses,
    faults_before_submission,
    letter_target,
)
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest, canonical_json
from survey_service.core.clock import local_day
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.entrances.codes import BITS_PER_SYMBOL, symbols
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization
from survey_service.organizations.rules import OrganizationKind

_AUTHORS = frozenset({OrganizationKind.VILLAGE, OrganizationKind.COMMUNITY, OrganizationKind.BRANCH})
_CODE_BYTES = LETTER_CODE_LENGTH * BITS_PER_SYMBOL // 8


def sentences_of(problems: Sequence[Problem]) -> dict[str, list[str]]:
    """Return what is wrong with a letter in words, by place."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        sentence = text(f"clear_letters.fault_{problem.fault}", **problem.values)
        if sentence not in found.setdefault(problem.place, []):
            found[problem.place].append(sentence)
    return found


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise Invalid("invalid_letter", errors=sentences_of(problems))


def create_letter(
    session: Session,
    *,
    staff: Identity,
    organization_code: str,
    content: Content,
    now: datetime,
    campaign_id: int | None = None,
) -> LetterRow:
    """Begin a letter of a village, a community or a branch in the caller's sub-tree.

    Raises Forbidden outside of it, Invalid for what is too much or for a place that writes no letters.
    """
    organization = get_organization(session, code=organization_code)
    staff.require(organization.path)
    if organization.kind not in _AUTHORS:
        raise Invalid(errors={"organization_code": [text("clear_letters.no_author")]})
    _refuse(excesses(content))
    _check_campaign(session, staff, organization, campaign_id)
    letter = ClearLetter(
        organization_id=organization.id,
        campaign_id=campaign_id,
        code=symbols(secrets.token_bytes(_CODE_BYTES), LETTER_CODE_LENGTH),
        title=content.title,
        revision=1,
        number=1,
        staff_id=staff.id,
        created_at=now,
    )
    session.add(letter)
    session.flush()
    _add_version(session, letter, staff, content, now)
    facts = {"organization_code": organization.code, "title": content.title, "campaign_id": campaign_id}
    record(session, "clear_letters.create", letter_target(letter.id), after=facts)
    return get_letter(session, letter.id)


def _check_campaign(
    session: Session, staff: Identity, organization: Organization, campaign_id: int | None
) -> None:
    """Let a letter lead to a campaign only that asks about the organization itself."""
    if campaign_id is None:
        return
    get_visible_campaign(session, campaign_id, staff)
    if not list_subjects(session, campaign_id, organization_codes=[organization.code]):
        raise Invalid(errors={"campaign_id": [text("clear_letters.campaign_elsewhere")]})


def _add_version(
    session: Session, letter: ClearLetter, staff: Identity, content: Content, now: datetime
) -> ClearLetterVersion:
    document = document_of(content)
    version = ClearLetterVersion(
        letter_id=letter.id,
        number=letter.number,
        document=canonical_json(document),
        digest=canonical_digest(document),
        changed_by=staff.id,
        changed_at=now,
    )
    session.add(version)
    session.flush()
    return version


def _take_turn(
    session: Session, staff: Identity, letter_id: int, *states: LetterState, revision: int | None = None
) -> LetterRow:
    """Return a letter whose row is held.

    Raises Forbidden outside the sub-tree, Conflict `wrong_state` or, where the caller has not seen the
    newest revision, `letter_changed`.
    """
    row = get_letter(session, letter_id, is_locked=True)
    staff.require(row.path)
    if row.state not in states:
        raise Conflict("wrong_letter_state", state=text(f"clear_letters.state_{row.state}"))
    if revision is not None and revision != row.letter.revision:
        raise Conflict("letter_changed", extra={"revision": row.letter.revision})
    row.letter.revision += 1
    return row


def save_draft(
    session: Session,
    *,
    staff: Identity,
    letter_id: int,
    revision: int,
    content: Content,
    now: datetime,
    campaign_id: int | None = None,
) -> LetterRow:
    """Write a draft; after a decision of the town this begins the next version.

    Raises Invalid for what is too much, Conflict `wrong_letter_state` while the town has the letter and
    `letter_changed` when somebody else has saved since `revision`.
    """
    _refuse(excesses(content))
    row = _take_turn(
        session,
        staff,
        letter_id,
        LetterState.DRAFT,
        LetterState.SENT_BACK,
        LetterState.PUBLISHED,
        revision=revision,
    )
    letter, organization = row.letter, session.get_one(Organization, row.letter.organization_id)
    _check_campaign(session, staff, organization, campaign_id)
    before = {"version": row.version.number, "hash": row.version.digest}
    letter.campaign_id, letter.title = campaign_id, content.title
    if row.state is LetterState.DRAFT:
        document = document_of(content)
        row.version.document, row.version.digest = canonical_json(document), canonical_digest(document)
        row.version.changed_by, row.version.changed_at = staff.id, now
    else:
        letter.number += 1
        _add_version(session, letter, staff, content, now)
    session.flush()
    saved = get_letter(session, letter_id)
    after = {"version": saved.version.number, "hash": saved.version.digest, "campaign_id": campaign_id}
    record(session, "clear_letters.save", letter_target(letter_id), before=before, after=after)
    return saved


def submit_letter(session: Session, *, staff: Identity, letter_id: int, now: datetime) -> LetterRow:
    """Send the draft to the town; it cannot be changed from here on.

    Raises Invalid `invalid_letter` with what is missing, Conflict when there is no draft.
    """
    row = _take_turn(session, staff, letter_id, LetterState.DRAFT)
    _refuse(faults_before_submission(read_content(row.version), today=local_day(now)))
    row.version.submitted_by, row.version.submitted_at = staff.id, now
    session.flush()
    facts = {"version": row.version.number, "hash": row.version.digest}
    record(session, "clear_letters.submit", letter_target(letter_id), after=facts)
    return row


def approve_letter(
    session: Session, *, staff: Identity, letter_id: int, now: datetime, remark: str = ""
) -> LetterRow:
    """Let the version that was sent in be read by everybody, in the place of an earlier one."""
    row = _decide(session, staff, letter_id, Decision.APPROVED, remark, now)
    row.letter.published_number, row.letter.published_at = row.version.number, now
    session.flush()
    publish(session, LetterPublished(letter_id))
    return row


def send_back_letter(
    session: Session, *, staff: Identity, letter_id: int, remark: str, now: datetime
) -> LetterRow:
    """Give the version back to the branch with a remark; raises Invalid without one."""
    if not remark.strip():
        raise Invalid(errors={"remark": [text("clear_letters.remark_missing")]})
    return _decide(session, staff, letter_id, Decision.SENT_BACK, remark, now)


def _decide(
    session: Session, staff: Identity, letter_id: int, decision: Decision, remark: str, now: datetime
) -> LetterRow:
    """Write down what the town decided; raises Forbidden for the branch itself and for whoever sent it in."""
    row = _take_turn(session, staff, letter_id, LetterState.SUBMITTED)
    if not staff.is_above(row.path) or row.version.submitted_by == staff.id:
        raise Forbidden
    row.version.decision, row.version.remark = decision, remark.strip()
    row.version.decided_by, row.version.decided_at = staff.id, now
    session.flush()
    facts = {"version": row.version.number, "hash": row.version.digest, "remark": row.version.remark}
    record(session, f"clear_letters.{_ACT_OF[decision]}", letter_target(letter_id), after=facts)
    return row


_ACT_OF: Mapping[Decision, str] = {Decision.APPROVED: "approve", Decision.SENT_BACK: "send_back"}


def withdraw_letter(
    session: Session, *, staff: Identity, letter_id: int, reason: str, now: datetime
) -> LetterRow:
    """Take a published letter down for good; its versions stay. Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid(errors={"reason": [text("clear_letters.reason_missing")]})
    published = (LetterState.PUBLISHED, LetterState.DRAFT, LetterState.SUBMITTED, LetterState.SENT_BACK)
    row = _take_turn(session, staff, letter_id, *published)
    if not staff.is_above(row.path):
        raise Forbidden
    if row.letter.published_number is None:
        raise Conflict("wrong_letter_state", state=text(f"clear_letters.state_{row.state}"))
    row.letter.withdrawn_at, row.letter.withdrawal = now, reason.strip()
    session.flush()
    record(session, "clear_letters.withdraw", letter_target(letter_id), after={"reason": reason.strip()})
    publish(session, LetterWithdrawn(letter_id))
    return row


def add_readings(session: Session, *, counted: Mapping[tuple[int, date], int]) -> None:
    """Add numbers of openings by letter and day to those that are stored."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(ClearLetterReading)
    upsert = statement.on_conflict_do_update(
        index_elements=["letter_id", "day"],
        set_={"count": ClearLetterReading.count + statement.excluded.count},
    )
    # In the order of the keys, so that two processes that add at once do not wait for each other in a ring.
    session.connection().execute(
        upsert,
        [{"letter_id": key[0], "day": key[1], "count": number} for key, number in sorted(counted.items())],
    )
