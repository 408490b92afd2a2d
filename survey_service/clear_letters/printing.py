"""Letters on paper: what stands on each sheet, and with whose code."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from survey_service.campaigns.queries import list_subjects
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.clear_letters.presentation import LetterView, letter_view
from survey_service.clear_letters.queries import (
    LetterRow,
    find_letter_of_campaign,
    find_rating_code,
    get_letter,
    list_versions,
    read_content,
)
from survey_service.clear_letters.rules import MOST_SECTION_TEXT, Codes, PaperSize, letter_target
from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Forbidden
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.qr import BULK_MASK, ErrorCorrection
from survey_service.core.texts import text
from survey_service.core.typesetting import printable, typeset
from survey_service.entrances.batches import code_in_clear, mark_printed
from survey_service.entrances.codes import grouped
from survey_service.entrances.printing import printable_slots
from survey_service.entrances.queries import list_slots
from survey_service.staff.rules import is_allowed

MOST_SHEETS = 200
"""Letters that somebody waits for; those of a whole village come from a run of printing."""
_WORDS = (
    "brand",
    "work_done",
    "promises",
    "contacts",
    "how_to_answer",
    "on_paper",
    "until",
    "read_on_phone",
    "rate_by_phone",
    "rate_hint",
    "household_hint",
    "typing",
    "typing_code",
    "serial",
    "fold",
    "to_households",
    "draft",
)
_LONG_RUN = re.compile(r"[!-~]{16,}")
_ZERO_WIDTH_SPACE = "\u200b"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One copy of a letter with the code through which it is answered; a posted code has no serial.

    `group` is the villagers' group of a household.
    """

    url: str = field(repr=False)
    code: str = field(repr=False)
    serial: int | None = None
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class PrintOrder:
    """A letter and its copies; without sheets there is one copy, which only leads to the page."""

    letter: LetterView
    size: PaperSize
    page_url: str
    typing_address: str
    is_draft: bool
    sheets: Sequence[Sheet]


def household_sheets(public_url: str, codes: Iterable[tuple[int, str]]) -> list[Sheet]:
    """Return one copy for each household, from serials and their codes in the clear."""
    return [Sheet(url=f"{public_url}/s/{code}", code=code, serial=serial) for serial, code in codes]


def letter_for_households(
    session: Session,
    *,
    campaign_id: int,
    organization_id: int,
    public_url: str,
    size: PaperSize,
    sheets: Sequence[Sheet],
) -> PrintOrder | None:
    """Return the newest public letter of an organization and a campaign, for a run of printing."""
    row = find_letter_of_campaign(session, campaign_id=campaign_id, organization_id=organization_id)
    return None if row is None else _order(session, row, public_url, size, sheets)


def prepare_print(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    public_url: str,
    letter_id: int,
    size: PaperSize,
    codes: Codes,
    first: int,
    count: int,
    now: datetime,
) -> PrintOrder:
    """Return what is printed: the published version, before that the newest one marked as a draft.

    Household codes are for staff above the branch only, and for a published letter: raises Forbidden,
    Conflict `letter_not_published`, `letter_without_campaign` or `no_household_codes`.
    """
    row = get_letter(session, letter_id)
    staff.require(row.path)
    if codes is Codes.HOUSEHOLD:
        sheets = household_sheets(
            public_url, _household_codes(session, staff, keyring, row, first, count, now)
        )
    else:
        sheets = _posted_sheets(session, public_url, row, now)
    facts = {"codes": codes, "size": size, "sheets": max(1, len(sheets))}
    if codes is Codes.HOUSEHOLD:
        facts |= {"first": first}
    record(session, "clear_letters.print", letter_target(letter_id), after=facts)
    return _order(session, row, public_url, size, sheets)


def _order(
    session: Session, row: LetterRow, public_url: str, size: PaperSize, sheets: Sequence[Sheet]
) -> PrintOrder:
    return PrintOrder(
        letter=_printed_view(session, row),
        size=size,
        page_url=f"{public_url}/l/{row.letter.code}",
        typing_address=f"{public_url.split('://', 1)[-1]}/l/{row.letter.code}",
        is_draft=not row.is_public,
        sheets=sheets,
    )


def _printed_view(session: Session, row: LetterRow) -> LetterView:
    number = row.letter.published_number or row.letter.number
    version = next(one for one in list_versions(session, row.letter.id) if one.number == number)
    return letter_view(
        read_content(version),
        organization_name=row.organization_name,
        kind=row.kind,
        signed_at=row.letter.published_at,
    )


def _posted_sheets(session: Session, public_url: str, row: LetterRow, now: datetime) -> list[Sheet]:
    code = find_rating_code(
        session, campaign_id=row.letter.campaign_id, organization_id=row.letter.organization_id, now=now
    )
    return [Sheet(url=f"{public_url}/s/{code}", code=code)] if code else []


def _household_codes(
    session: Session,
    staff: Identity,
    keyring: Keyring,
    row: LetterRow,
    first: int,
    count: int,
    now: datetime,
) -> list[tuple[int, str]]:
    if not (staff.is_above(row.path) and is_allowed(staff.role, "code_sheets.print")):
        raise Forbidden
    if not row.is_public:
        raise Conflict("letter_not_published")
    if row.letter.campaign_id is None:
        raise Conflict("letter_without_campaign")
    subjects = list_subjects(session, row.letter.campaign_id, organization_codes=[row.organization_code])
    slots = [
        (entrance, batch)
        for subject in subjects
        for entrance, batch in list_slots(
            session,
            campaign_id=row.letter.campaign_id,
            subject_id=subject.subject_id,
            mode=Mode.HOUSEHOLD,
            rater_class=RaterClass.VILLAGER,
        )
        if entrance.serial is not None and first <= entrance.serial < first + count
    ]
    if not slots:
        raise Conflict("no_household_codes")
    printable = printable_slots(slots)
    mark_printed((batch for _, batch in printable), now)
    return [(entrance.serial or 0, code_in_clear(keyring, batch, entrance)) for entrance, batch in printable]


def render_letters(order: PrintOrder) -> bytes:
    """Return the PDF of all copies; raises PrintError."""
    codes: list[dict[str, Any]] = [{"url": order.page_url}]
    codes += [
        {
            "url": sheet.url,
            "code": grouped(sheet.code),
            "serial": sheet.serial,
            "group": printable(sheet.group),
        }
        for sheet in order.sheets
    ]
    values = {"answer_by": order.letter.answer_by, "reply_place": order.letter.reply_place}
    document = {
        "letter": _breakable(asdict(order.letter)),
        "is_large": order.size is PaperSize.LARGE,
        "is_draft": order.is_draft,
        "typing_address": printable(order.typing_address),
        "codes": codes,
        "words": _breakable({name: text(f"clear_letters.print_{name}", **values) for name in _WORDS}),
    }
    mask = BULK_MASK if len(order.sheets) > 1 else None
    return typeset("clear_letters/print/letter.typ", document, level=ErrorCorrection.MEDIUM, mask=mask)


def _breakable(value: Any) -> Any:
    """Return plain values whose texts can be printed: long runs of Latin letters may break anywhere."""
    if isinstance(value, str):
        return _LONG_RUN.sub(
            lambda found: _ZERO_WIDTH_SPACE.join(found[0]), printable(value, longest=MOST_SECTION_TEXT)
        )
    if isinstance(value, dict):
        return {name: _breakable(inner) for name, inner in value.items()}
    return [_breakable(inner) for inner in value] if isinstance(value, list | tuple) else value
