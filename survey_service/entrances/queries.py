"""Reads of entrances: one query opens a voter's page."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.rules import OPEN_MODES, Mode, OpenRequires, RaterClass, State
from survey_service.core.digests import keyed_digest
from survey_service.core.errors import NotFound
from survey_service.core.privacy import Keyring
from survey_service.entrances import codes
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.organizations.models import Organization, Subject


@dataclass(frozen=True)
class OpenedEntrance:
    """All that a voter's page needs to know about the code that was scanned."""

    entrance_id: int
    campaign_id: int
    subject_id: int
    version_id: int
    mode: Mode
    rater_class: RaterClass
    is_preview: bool
    code: str
    code_digest: bytes
    title: str
    notice: str
    open_requires: OpenRequires
    opens_at: datetime
    closes_at: datetime
    state: State
    organization_name: str
    organizer: str
    recording_digest: str | None
    subject_name: str

    @property
    def is_posted(self) -> bool:
        return self.mode in OPEN_MODES


_OWNER = aliased(Organization)
_OPENING = (
    select(Entrance, Campaign, Organization.name, _OWNER.name, Subject.name)
    .join(Campaign, Campaign.id == Entrance.campaign_id)
    .join(_OWNER, _OWNER.id == Campaign.organization_id)
    .join(Subject, Subject.id == Entrance.subject_id)
    .join(Organization, Organization.id == Subject.organization_id)
)


def digest_code(keyring: Keyring, code: str) -> bytes:
    """Return the digest under which a code is stored; it tells nothing without the master key."""
    return keyed_digest(keyring.lasting("entrance code"), code)


def _valid(digest: bytes) -> tuple[ColumnElement[bool], ...]:
    return Entrance.code_digest == digest, Entrance.revoked_at.is_(None)


def find_entrance(session: Session, *, keyring: Keyring, raw_code: str) -> tuple[Entrance, str]:
    """Return an entrance with its organization's path, for staff; raises NotFound `unknown_entrance`."""
    code = codes.normalize(raw_code) or ""
    row = session.execute(
        select(Entrance, Organization.path)
        .join(Subject, Subject.id == Entrance.subject_id)
        .join(Organization, Organization.id == Subject.organization_id)
        .where(*_valid(digest_code(keyring, code)))
    ).one_or_none()
    if row is None:
        raise NotFound("unknown_entrance")
    return row[0], row[1]


def open_entrance(session: Session, *, keyring: Keyring, raw_code: str, now: datetime) -> OpenedEntrance:
    """Return what stands behind a code as scanned or typed; raises NotFound `unknown_entrance`."""
    code = codes.normalize(raw_code)
    if code is None:
        raise NotFound("unknown_entrance")
    digest = digest_code(keyring, code)
    row = session.execute(_OPENING.where(*_valid(digest))).one_or_none()
    if row is None:
        raise NotFound("unknown_entrance")
    entrance, campaign, organization_name, organizer, subject_name = row
    return OpenedEntrance(
        entrance_id=entrance.id,
        campaign_id=campaign.id,
        subject_id=entrance.subject_id,
        version_id=campaign.questionnaire_version_id,
        mode=entrance.mode,
        rater_class=entrance.rater_class,
        is_preview=entrance.is_preview,
        code=code,
        code_digest=digest,
        title=campaign.title,
        notice=campaign.notice,
        open_requires=campaign.open_requires,
        opens_at=campaign.opens_at,
        closes_at=campaign.window.ends_at,
        state=campaign.window.state(now),
        organization_name=organization_name,
        organizer=organizer,
        recording_digest=campaign.recording_digest,
        subject_name=subject_name,
    )


def list_posted_elsewhere(
    session: Session, *, campaign_id: int, rater_class: RaterClass
) -> list[tuple[str, str]]:
    """Return code and organization name of one posted entrance for each organization of a campaign."""
    first = (
        select(func.min(Entrance.id))
        .where(Entrance.campaign_id == campaign_id, Entrance.rater_class == rater_class)
        .where(Entrance.mode == Mode.OPEN, Entrance.revoked_at.is_(None), Entrance.is_preview.is_(False))
        .group_by(Entrance.subject_id)
    )
    is_same_subject = (CampaignSubject.campaign_id == Entrance.campaign_id) & (
        CampaignSubject.subject_id == Entrance.subject_id
    )
    rows = session.execute(
        select(Entrance.code, Organization.name)
        .join(CampaignSubject, is_same_subject)
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(Entrance.id.in_(first))
        .order_by(CampaignSubject.position)
    )
    return [(code, name) for code, name in rows if code is not None]


def list_slots(
    session: Session, *, campaign_id: int, subject_id: int, mode: Mode, rater_class: RaterClass | None = None
) -> list[tuple[Entrance, CodeBatch]]:
    """Return the unrevoked slots of a subject with their batches, by class and serial."""
    query = (
        select(Entrance, CodeBatch)
        .join(CodeBatch, CodeBatch.id == Entrance.batch_id)
        .where(Entrance.campaign_id == campaign_id, Entrance.subject_id == subject_id)
        .where(Entrance.mode == mode, Entrance.serial.is_not(None), Entrance.revoked_at.is_(None))
        .order_by(Entrance.rater_class, Entrance.serial)
    )
    if rater_class is not None:
        query = query.where(Entrance.rater_class == rater_class)
    return [(entrance, batch) for entrance, batch in session.execute(query)]


def first_posted(
    session: Session, *, campaign_id: int, subject_id: int, place: str | None = None
) -> Entrance | None:
    """Return a posted entrance of a subject for its poster, that of a place where one is named."""
    query = (
        select(Entrance)
        .where(Entrance.campaign_id == campaign_id, Entrance.subject_id == subject_id)
        .where(Entrance.mode == Mode.OPEN, Entrance.revoked_at.is_(None), Entrance.is_preview.is_(False))
        .order_by(Entrance.id)
        .limit(1)
    )
    return session.scalar(query if place is None else query.where(Entrance.place == place))


def issued_by_subject(session: Session, *, campaign_id: int) -> dict[int, dict[Mode, int]]:
    """Return how many unrevoked slots each subject has, by mode."""
    rows = session.execute(
        select(Entrance.subject_id, Entrance.mode, func.count())
        .where(
            Entrance.campaign_id == campaign_id, Entrance.serial.is_not(None), Entrance.revoked_at.is_(None)
        )
        .group_by(Entrance.subject_id, Entrance.mode)
    )
    issued: dict[int, dict[Mode, int]] = {}
    for subject_id, mode, count in rows:
        issued.setdefault(subject_id, {})[mode] = count
    return issued


def last_serials(
    session: Session, *, campaign_id: int, mode: Mode, rater_class: RaterClass
) -> dict[int, int]:
    """Return the last serial used by each subject in a mode and class."""
    rows = session.execute(
        select(Entrance.subject_id, func.max(Entrance.serial))
        .where(
            Entrance.campaign_id == campaign_id, Entrance.mode == mode, Entrance.rater_class == rater_class
        )
        .where(Entrance.serial.is_not(None))
        .group_by(Entrance.subject_id)
    )
    return {subject_id: serial or 0 for subject_id, serial in rows}
