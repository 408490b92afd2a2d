"""Reads of letters; lists are paged."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.rules import Mode, State
from survey_service.clear_letters.documents import content_of
from survey_service.clear_letters.models import ClearLetter, ClearLetterReading, ClearLetterVersion
from survey_service.clear_letters.rules import Content, Decision, LetterState, state_of
from survey_service.core.errors import NotFound
from survey_service.entrances.models import Entrance
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import OrganizationKind

PAGE_SIZE = 50
WRITERS = (OrganizationKind.VILLAGE, OrganizationKind.COMMUNITY)
"""They owe their households a letter; a branch may write one as well."""
MOST_WRITERS = 500
"""More places than this are not offered in a list; a county asks its towns."""


def state_of_version(version: ClearLetterVersion) -> LetterState:
    """Return the state that a version gives its letter while it is the newest."""
    return state_of(is_submitted=version.submitted_at is not None, decision=version.decision)


@dataclass(frozen=True)
class LetterRow:
    """A letter in a list, with the organization that writes it and its newest version."""

    letter: ClearLetter
    version: ClearLetterVersion
    organization_code: str
    organization_name: str
    kind: OrganizationKind
    path: str

    @property
    def state(self) -> LetterState:
        is_withdrawn = self.letter.withdrawn_at is not None
        return LetterState.WITHDRAWN if is_withdrawn else state_of_version(self.version)

    @property
    def is_public(self) -> bool:
        return self.letter.published_number is not None and self.letter.withdrawn_at is None


@dataclass(frozen=True)
class PublicLetter:
    """What the public page shows; `is_withdrawn` letters say only that they were taken down."""

    letter_id: int
    code: str
    organization_id: int
    organization_code: str
    organization_name: str
    kind: OrganizationKind
    campaign_id: int | None
    published_at: datetime
    is_withdrawn: bool
    content: Content


def path_of_letter(session: Session, *, letter_id: int, **_: object) -> str:
    """Return the path of the organization that writes a letter; raises NotFound."""
    path = session.scalar(
        select(Organization.path)
        .join(ClearLetter, ClearLetter.organization_id == Organization.id)
        .where(ClearLetter.id == letter_id)
    )
    if path is None:
        raise NotFound
    return path


def _select_rows() -> Select[ClearLetter, ClearLetterVersion, str, str, OrganizationKind, str]:
    newest = and_(
        ClearLetterVersion.letter_id == ClearLetter.id, ClearLetterVersion.number == ClearLetter.number
    )
    return (
        select(
            ClearLetter,
            ClearLetterVersion,
            Organization.code,
            Organization.name,
            Organization.kind,
            Organization.path,
        )
        .join(ClearLetterVersion, newest)
        .join(Organization, Organization.id == ClearLetter.organization_id)
    )


def get_letter(session: Session, letter_id: int, *, is_locked: bool = False) -> LetterRow:
    """Return a letter, with its row held where acts on it have to take turns; raises NotFound."""
    statement = _select_rows().where(ClearLetter.id == letter_id)
    if is_locked:
        # The row alone is held first: what is joined to it is then as new as the row itself.
        session.execute(select(ClearLetter.id).where(ClearLetter.id == letter_id).with_for_update())
    row = session.execute(statement.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound
    return LetterRow(*row)


def is_in_state(state: LetterState) -> ColumnElement[bool]:
    """Return the condition that a letter is in a state; the newest version is joined."""
    version = ClearLetterVersion
    if state is LetterState.WITHDRAWN:
        return ClearLetter.withdrawn_at.is_not(None)
    conditions = {
        LetterState.DRAFT: version.submitted_at.is_(None),
        LetterState.SUBMITTED: version.submitted_at.is_not(None) & version.decision.is_(None),
        LetterState.SENT_BACK: version.decision == Decision.SENT_BACK,
        LetterState.PUBLISHED: version.decision == Decision.APPROVED,
    }
    return ClearLetter.withdrawn_at.is_(None) & conditions[state]


def list_letters(
    session: Session,
    *,
    within_path: str,
    state: LetterState | None = None,
    organization_code: str | None = None,
    after: int = 0,
    limit: int = PAGE_SIZE,
) -> list[LetterRow]:
    """Return the letters of a sub-tree, the newest first; `after` is the id of the last one seen."""
    statement = _select_rows().where(is_within(within_path))
    if state is not None:
        statement = statement.where(is_in_state(state))
    if organization_code is not None:
        statement = statement.where(Organization.code == organization_code)
    if after:
        statement = statement.where(ClearLetter.id < after)
    rows = session.execute(statement.order_by(ClearLetter.id.desc()).limit(limit))
    return [LetterRow(*row) for row in rows]


def count_states(session: Session, *, within_path: str) -> dict[LetterState, int]:
    """Return how many letters of a sub-tree are in each state."""
    return {state: count_in_state(session, state, within_path=within_path) for state in LetterState}


def count_in_state(session: Session, state: LetterState, *, within_path: str) -> int:
    """Return how many letters of a sub-tree are in one state."""
    rows = _select_rows().where(is_within(within_path), is_in_state(state))
    return session.scalar(rows.with_only_columns(func.count(), maintain_column_froms=True)) or 0


def list_versions(session: Session, letter_id: int) -> list[ClearLetterVersion]:
    """Return the versions of a letter, the newest first."""
    statement = select(ClearLetterVersion).where(ClearLetterVersion.letter_id == letter_id)
    return list(session.scalars(statement.order_by(ClearLetterVersion.number.desc())))


def read_content(version: ClearLetterVersion) -> Content:
    """Return what a version says."""
    return content_of(json.loads(version.document))


def compared_with(versions: Sequence[ClearLetterVersion]) -> ClearLetterVersion | None:
    """Return the version that the newest one is read against: the last one that the town has seen."""
    return next((one for one in versions[1:] if one.submitted_at is not None), None)


def find_public(session: Session, code: str | None) -> PublicLetter:
    """Return the published version of a letter by the code in its address; raises NotFound."""
    published = and_(
        ClearLetterVersion.letter_id == ClearLetter.id,
        ClearLetterVersion.number == ClearLetter.published_number,
    )
    row = session.execute(
        select(
            ClearLetter, ClearLetterVersion.document, Organization.code, Organization.name, Organization.kind
        )
        .join(ClearLetterVersion, published)
        .join(Organization, Organization.id == ClearLetter.organization_id)
        .where(ClearLetter.code == code)
    ).one_or_none()
    if row is None:
        raise NotFound
    letter, document, place, name, kind = row
    assert letter.published_at is not None
    return PublicLetter(
        letter_id=letter.id,
        code=letter.code,
        organization_id=letter.organization_id,
        organization_code=place,
        organization_name=name,
        kind=kind,
        campaign_id=letter.campaign_id,
        published_at=letter.published_at,
        is_withdrawn=letter.withdrawn_at is not None,
        content=content_of(json.loads(document)),
    )


def find_letter_of_campaign(session: Session, *, campaign_id: int, organization_id: int) -> LetterRow | None:
    """Return the newest public letter of an organization that belongs to a campaign."""
    statement = _select_rows().where(
        ClearLetter.campaign_id == campaign_id,
        ClearLetter.organization_id == organization_id,
        ClearLetter.published_number.is_not(None),
        ClearLetter.withdrawn_at.is_(None),
    )
    row = session.execute(statement.order_by(ClearLetter.id.desc()).limit(1)).one_or_none()
    return None if row is None else LetterRow(*row)


def find_rating_code(
    session: Session, *, campaign_id: int | None, organization_id: int, now: datetime
) -> str | None:
    """Return the posted code through which an organization is rated, while its campaign is open."""
    if campaign_id is None:
        return None
    is_its_subject = and_(
        CampaignSubject.campaign_id == Entrance.campaign_id, CampaignSubject.subject_id == Entrance.subject_id
    )
    row = session.execute(
        select(Entrance.code, Campaign)
        .join(Campaign, Campaign.id == Entrance.campaign_id)
        .join(CampaignSubject, is_its_subject)
        .where(Entrance.campaign_id == campaign_id, CampaignSubject.organization_id == organization_id)
        .where(Entrance.mode == Mode.OPEN, Entrance.revoked_at.is_(None), Entrance.is_preview.is_(False))
        .order_by(Entrance.id)
        .limit(1)
    ).one_or_none()
    return row[0] if row is not None and row[1].window.state(now) is State.OPEN else None


def list_readings(session: Session, letter_id: int) -> list[tuple[date, int]]:
    """Return how often a letter was opened, day by day."""
    rows = session.execute(
        select(ClearLetterReading.day, ClearLetterReading.count)
        .where(ClearLetterReading.letter_id == letter_id)
        .order_by(ClearLetterReading.day)
    )
    return [(day, count) for day, count in rows]


def sum_readings(session: Session, letter_ids: Sequence[int]) -> dict[int, int]:
    """Return how often each of some letters was opened in all."""
    rows = session.execute(
        select(ClearLetterReading.letter_id, func.sum(ClearLetterReading.count))
        .where(ClearLetterReading.letter_id.in_(letter_ids))
        .group_by(ClearLetterReading.letter_id)
    )
    return {letter_id: int(total) for letter_id, total in rows}


def list_organizations_without_letter(
    session: Session, *, within_path: str, limit: int = PAGE_SIZE
) -> list[Organization]:
    """Return the villages and communities of a sub-tree that have no letter yet."""
    has_letter = select(ClearLetter.organization_id)
    statement = (
        select(Organization)
        .where(is_within(within_path), Organization.kind.in_(WRITERS), Organization.id.not_in(has_letter))
        .order_by(Organization.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def list_writers(session: Session, *, within_path: str, limit: int = MOST_WRITERS) -> list[Organization]:
    """Return the places of a sub-tree that write letters; a branch of a village stands behind its village."""
    kinds = (*WRITERS, OrganizationKind.BRANCH)
    statement = select(Organization).where(is_within(within_path), Organization.kind.in_(kinds))
    return list(session.scalars(statement.order_by(Organization.path).limit(limit)))


def last_content(session: Session, *, organization_id: int) -> Content | None:
    """Return what an organization's newest letter says."""
    statement = _select_rows().where(ClearLetter.organization_id == organization_id)
    row = session.execute(statement.order_by(ClearLetter.id.desc()).limit(1)).one_or_none()
    return None if row is None else read_content(row[1])
