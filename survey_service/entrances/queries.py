"""Reads of entrances: one query opens a voter's page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.rules import OPEN_MODES, Mode, OpenRequires, RaterClass, State, Window
from survey_service.core.db import LoneSelect
from survey_service.core.digests import keyed_digest
from survey_service.core.errors import NotFound
from survey_service.core.privacy import Keyring
from survey_service.entrances import codes
from survey_service.entrances.models import CodeBatch, Entrance, Panel, PanelSubject
from survey_service.entrances.posted import PostedEntrances
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
    panel_id: int = 0
    """The panel whose subjects are rated one after the other; the id of the single subject is 0 then."""
    turns: Sequence["OpenedEntrance"] = ()
    """Of a panel's code what it opens in each campaign of the sitting, in their turn; this is one of them."""

    @property
    def is_posted(self) -> bool:
        return self.mode in OPEN_MODES


_OWNER = aliased(Organization)
# Columns instead of objects, and worded once for the life of the process: this is the query that every scan
# waits for.
_ENTRANCE = (
    Entrance.id,
    Entrance.campaign_id,
    Entrance.mode,
    Entrance.rater_class,
    Entrance.is_preview,
    Campaign.questionnaire_version_id,
    Campaign.title,
    Campaign.notice,
    Campaign.open_requires,
    Campaign.opens_at,
    Campaign.closes_at,
    Campaign.grace_hours,
    Campaign.launched_at,
    Campaign.closed_at,
    Campaign.sealed_at,
    Campaign.withdrawn_at,
    Campaign.recording_digest,
    Organization.name.label("organization_name"),
    _OWNER.name.label("organizer"),
)
_IS_OPENED = (Entrance.code_digest == bindparam("digest"), Entrance.revoked_at.is_(None))
_OPENING = LoneSelect(
    select(*_ENTRANCE, Entrance.subject_id, Subject.name.label("subject_name"), literal(0).label("panel_id"))
    .join(Campaign, Campaign.id == Entrance.campaign_id)
    .join(_OWNER, _OWNER.id == Campaign.organization_id)
    .join(Subject, Subject.id == Entrance.subject_id)
    .join(Organization, Organization.id == Subject.organization_id)
    .where(*_IS_OPENED)
)
# Asked only where the first finds nothing, so that whoever rates one subject never waits for it.
_OPENING_OF_PANEL = LoneSelect(
    select(
        *_ENTRANCE,
        literal(0).label("subject_id"),
        Organization.name.label("subject_name"),
        Entrance.panel_id,
    )
    .join(Campaign, Campaign.id == Entrance.campaign_id)
    .join(_OWNER, _OWNER.id == Campaign.organization_id)
    .join(Panel, Panel.id == Entrance.panel_id)
    .join(Organization, Organization.id == Panel.organization_id)
    .where(*_IS_OPENED)
    .order_by(Entrance.turn)
)


def digest_code(keyring: Keyring, code: str) -> bytes:
    """Return the digest under which a code is stored; it tells nothing without the master key."""
    return keyed_digest(keyring.lasting("entrance code"), code)


def _valid(digest: bytes) -> tuple[ColumnElement[bool], ...]:
    return Entrance.code_digest == digest, Entrance.revoked_at.is_(None)


def find_entrances(session: Session, *, keyring: Keyring, raw_code: str) -> list[tuple[Entrance, str]]:
    """Return what a code opens with its organization's path, for staff: of a sitting all its slots.

    Raises NotFound `unknown_entrance`.
    """
    code = codes.normalize(raw_code) or ""
    rows = session.execute(
        select(Entrance, Organization.path)
        .outerjoin(Subject, Subject.id == Entrance.subject_id)
        .outerjoin(Panel, Panel.id == Entrance.panel_id)
        .join(Organization, Organization.id == func.coalesce(Subject.organization_id, Panel.organization_id))
        .where(*_valid(digest_code(keyring, code)))
        .order_by(Entrance.campaign_id)
    ).all()
    if not rows:
        raise NotFound("unknown_entrance")
    return [(entrance, path) for entrance, path in rows]


def open_entrance(
    session: Session, *, keyring: Keyring, raw_code: str, now: datetime, posted: PostedEntrances | None = None
) -> OpenedEntrance:
    """Return what stands behind a code as scanned or typed; raises NotFound `unknown_entrance`.

    `posted` remembers posted codes for a moment, so that a burst of scans costs one query.
    """
    code = codes.normalize(raw_code)
    if code is None:
        raise NotFound("unknown_entrance")
    digest = digest_code(keyring, code)
    row = (posted.find(digest) if posted else None) or _find_opening(session, digest, posted)
    if row is not None:
        return _opened(row, code, digest, now)
    turns = tuple(_opened(one, code, digest, now) for one in _find_turns(session, digest))
    return replace(_first_to_rate(turns), turns=turns)


def _first_to_rate(turns: Sequence[OpenedEntrance]) -> OpenedEntrance:
    """Return the first that is open, else the first that will be, else the first."""
    wanted = (State.OPEN, State.SCHEDULED, State.DRAFT)
    found = (one for state in wanted for one in turns if one.state is state)
    return next(found, turns[0])


def _opened(row: Any, code: str, digest: bytes, now: datetime) -> OpenedEntrance:
    window = _window_of(row)
    return OpenedEntrance(
        entrance_id=row.id,
        campaign_id=row.campaign_id,
        subject_id=row.subject_id,
        version_id=row.questionnaire_version_id,
        mode=row.mode,
        rater_class=row.rater_class,
        is_preview=row.is_preview,
        code=code,
        code_digest=digest,
        title=row.title,
        notice=row.notice,
        open_requires=row.open_requires,
        opens_at=row.opens_at,
        closes_at=window.ends_at,
        state=window.state(now),
        organization_name=row.organization_name,
        organizer=row.organizer,
        recording_digest=row.recording_digest,
        subject_name=row.subject_name,
        panel_id=row.panel_id,
    )


def _find_opening(session: Session, digest: bytes, posted: PostedEntrances | None) -> Any | None:
    row = next(iter(_OPENING.rows(session, {"digest": digest})), None)
    if posted and row is not None and row.mode is Mode.OPEN:
        posted.keep(digest, row)
    return row


def _find_turns(session: Session, digest: bytes) -> Sequence[Any]:
    rows = _OPENING_OF_PANEL.rows(session, {"digest": digest})
    if not rows:
        raise NotFound("unknown_entrance")
    return rows


def _window_of(row: Any) -> Window:
    return Window(
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        grace=timedelta(hours=row.grace_hours),
        launched_at=row.launched_at,
        closed_at=row.closed_at,
        sealed_at=row.sealed_at,
        withdrawn_at=row.withdrawn_at,
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
    """Return with how many slots each subject can have been rated, by mode; those of panels among them.

    A slot that was revoked while the vote was on may have been used before: it counts, or revoking the slots
    of a village would void its ballots, and tell whether somebody had used them.
    """
    rows = session.execute(
        select(subject_of_slot(), Entrance.mode, func.count())
        .join(Campaign, Campaign.id == Entrance.campaign_id)
        .outerjoin(PanelSubject, PanelSubject.panel_id == Entrance.panel_id)
        .where(Entrance.campaign_id == campaign_id, Entrance.serial.is_not(None))
        .where(or_(Entrance.revoked_at.is_(None), Entrance.revoked_at >= Campaign.opens_at))
        .group_by(subject_of_slot(), Entrance.mode)
    )
    issued: dict[int, dict[Mode, int]] = {}
    for subject_id, mode, count in rows:
        issued.setdefault(subject_id, {})[mode] = count
    return issued


def subject_of_slot() -> ColumnElement[int]:
    """Return the subject of a slot, or each of those of its panel, where panel_subject is joined."""
    return func.coalesce(Entrance.subject_id, PanelSubject.subject_id)


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
    return {subject_id: serial or 0 for subject_id, serial in rows if subject_id is not None}
