"""Paper ballots as PDF: what is ticked has no code, and the stub below it, to be torn off, has one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import SubjectRow, find_subject_below, get_campaign
from survey_service.campaigns.rules import Mode, RaterClass, campaign_target
from survey_service.core import clock
from survey_service.core.audit import record
from survey_service.core.errors import Conflict
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.qr import BULK_MASK, ErrorCorrection
from survey_service.core.texts import text
from survey_service.core.typesetting import printable, typeset
from survey_service.entrances.batches import code_in_clear, mark_printed
from survey_service.entrances.codes import grouped
from survey_service.entrances.posters import Slip
from survey_service.entrances.printing import printable_slots
from survey_service.entrances.queries import list_slots
from survey_service.entrances.sittings import list_slots_rating
from survey_service.organizations.queries import list_ancestors
from survey_service.paper_entry.rules import Column
from survey_service.paper_entry.service import forms_of

MEETING_COPIES = 2
"""One A4 sheet of a meeting's ballots; a copier makes the others."""
_WORDS = (
    "annex",
    "rater",
    "how",
    "secret",
    "remark",
    "stub",
    "stub_rates",
    "stub_how",
    "stub_once",
    "serial",
    "until",
)


@dataclass(frozen=True)
class QuestionRow:
    """A line of the ballot: what is asked, under which heading, and what can be ticked."""

    heading: str
    text: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class PaperSheets:
    """Ballots with their stubs in the order of the serials; without slips they have none."""

    area: str
    village: str
    campaign: str
    subject: str
    rater_class: str
    until: str
    typing_address: str
    rows: Sequence[QuestionRow]
    slips: Sequence[Slip]


def prepare_sheets(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    public_url: str,
    campaign_id: int,
    organization_code: str,
    rater_class: RaterClass,
    mode: Mode,
    now: datetime,
) -> PaperSheets:
    """Return the ballots of an organization and class: one for each slot, or those of a meeting.

    Slots of panels that rate the organization among others are among those of the mode panel. Raises
    NotFound, Forbidden at or above the caller's own level, Conflict `no_codes_for_paper` where there are no
    slots, `codes_handed_out` where their codes cannot be shown again.
    """
    campaign = get_campaign(session, campaign_id)
    subject = find_subject_below(session, staff, campaign_id, organization_code)
    slips: list[Slip] = []
    if mode is not Mode.PAPER_TOTAL:
        slips = _slips(session, keyring, public_url, campaign, subject, rater_class, mode, now)
        if not slips:
            raise Conflict("no_codes_for_paper")
    facts = {"organization_code": organization_code, "rater_class": rater_class, "mode": mode}
    record(session, "paper.print", campaign_target(campaign_id), after=facts | {"codes": len(slips)})
    form, _ = forms_of(session, campaign)
    return PaperSheets(
        area="".join(one.name for one in list_ancestors(session, path=subject.path)[:-1]),
        village=subject.name,
        campaign=campaign.title,
        subject=subject.subject_name,
        rater_class=text(f"campaigns.class_{rater_class}"),
        until=clock.local_text(campaign.closes_at),
        typing_address=public_url.split("://", 1)[-1],
        rows=_rows(form.columns, {item.key: item.text for item in form.items}),
        slips=slips,
    )


def _slips(
    session: Session,
    keyring: Keyring,
    public_url: str,
    campaign: Campaign,
    subject: SubjectRow,
    rater_class: RaterClass,
    mode: Mode,
    now: datetime,
) -> list[Slip]:
    place = {"campaign_id": campaign.id, "subject_id": subject.subject_id}
    found = list_slots(session, **place, mode=mode, rater_class=rater_class)
    if mode is Mode.PANEL:
        found += list_slots_rating(session, **place, rater_class=rater_class)
    found = printable_slots(found)
    mark_printed((batch for _, batch in found), now)
    codes = [(entrance.serial or 0, code_in_clear(keyring, batch, entrance)) for entrance, batch in found]
    return [Slip(serial=serial, code=code, url=f"{public_url}/s/{code}") for serial, code in codes]


def _rows(columns: Sequence[Column], headings: dict[str, str]) -> list[QuestionRow]:
    """Lay the form out in lines: the ticks of one item stand in one line."""
    rows: dict[str, QuestionRow] = {}
    for column in columns:
        labels = tuple(option.label for option in column.options)
        heading = headings[column.item]
        if column.is_tick:
            before = rows.get(column.item, QuestionRow("", heading, ()))
            rows[column.item] = QuestionRow("", heading, before.options + labels)
        else:
            rows[column.name] = QuestionRow(
                "" if column.name == column.item else heading, column.text, labels
            )
    return list(rows.values())


def render_sheets(sheets: PaperSheets) -> bytes:
    """Return the PDF, two ballots on an A4 page where they have room; raises PrintError."""
    fields = {name: printable(value) for name, value in vars(sheets).items() if isinstance(value, str)}
    codes = [{"url": one.url, "code": grouped(one.code), "serial": one.serial} for one in sheets.slips]
    document: dict[str, Any] = fields | {
        "rows": [_printable(one) for one in sheets.rows],
        "copies": len(codes) or MEETING_COPIES,
        "codes": codes,
        "words": {name: text(f"paper.sheet_{name}", **fields) for name in _WORDS},
    }
    template = "paper_entry/print/ballot.typ"
    return typeset(template, document, level=ErrorCorrection.MEDIUM, mask=BULK_MASK)


def _printable(row: QuestionRow) -> dict[str, Any]:
    written = asdict(row)
    return {
        "heading": printable(written["heading"]),
        "text": printable(written["text"]),
        "options": [printable(one) for one in written["options"]],
    }
