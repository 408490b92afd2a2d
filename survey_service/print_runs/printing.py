"""One part after another: take it, print it, keep it encrypted.

Each step is a unit of work of its own, so that whoever is killed leaves nothing behind but a part that
somebody else takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.clear_letters import printing as clear_letters
from survey_service.clear_letters.printing import PrintOrder as ClearLetterOrder
from survey_service.clear_letters.printing import Sheet as ClearLetterCopy
from survey_service.clear_letters.rules import PaperSize
from survey_service.core import clock
from survey_service.core.errors import Conflict, NotFound
from survey_service.core.privacy import Keyring, decrypt_under, encrypt_under
from survey_service.core.texts import text
from survey_service.entrances.batches import batch_key, slot_code
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.posters import CodeSheet, PerPage, Slip, render_sheet
from survey_service.entrances.printing import area_of, without_scheme
from survey_service.entrances.sittings import RatedCampaign, list_rated_by_batch, name_rated
from survey_service.entrances.slot_places import find_organization
from survey_service.entrances.slot_queries import group_of, list_groups
from survey_service.organizations.models import Organization
from survey_service.print_runs.letters import LetterSheet, body_of_text, render_letters
from survey_service.print_runs.models import PrintPart, PrintRun
from survey_service.print_runs.queries import is_takeable
from survey_service.print_runs.rules import MOST_ATTEMPTS, PartState, PrintLayout
from survey_service.print_runs.service import words_of_letter

_PER_PAGE = {PrintLayout.LABELS_24: PerPage.TWENTY_FOUR, PrintLayout.LABELS_12: PerPage.TWELVE}

Sheet = CodeSheet | LetterSheet | ClearLetterOrder


@dataclass(frozen=True)
class PartFile:
    """A PDF in the clear, with its name."""

    name: str
    content: bytes


def take_part(session: Session, *, run_id: int, now: datetime) -> int | None:
    """Take the next part of a run and return its number; None where nobody is needed.

    A part that took several processes with it is left alone: somebody has to look at it.
    """
    part = session.scalar(
        select(PrintPart)
        .where(PrintPart.run_id == run_id, is_takeable(now))
        .order_by(PrintPart.attempts, PrintPart.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if part is None:
        return None
    part.claimed_at, part.attempts = now, part.attempts + 1
    return part.number


def prepare_part(
    session: Session, *, run_id: int, number: int, keyring: Keyring, public_url: str
) -> Sheet | None:
    """Return what stands on the paper of a part, or None when its codes can no longer be shown."""
    part = session.get_one(PrintPart, (run_id, number))
    batch = session.get_one(CodeBatch, part.batch_id)
    if batch.wrapped_key is None:
        return None
    slips = _slips(session, part, batch, keyring, public_url)
    return _sheet(session, session.get_one(PrintRun, run_id), batch, slips, public_url)


def _slips(
    session: Session, part: PrintPart, batch: CodeBatch, keyring: Keyring, public_url: str
) -> list[Slip]:
    """Return the slips of a part in the order in which they are handed out."""
    key = batch_key(keyring, batch)
    groups = list_groups(session, campaign_id=batch.campaign_id).get(batch.subject_id or 0, [])
    is_grouped = batch.mode is Mode.HOUSEHOLD and batch.rater_class is RaterClass.VILLAGER
    rows = session.execute(
        select(Entrance.serial, Entrance.issue)
        .where(Entrance.batch_id == batch.id, Entrance.revoked_at.is_(None))
        .where(Entrance.serial.between(part.first_serial, part.last_serial))
        .order_by(Entrance.serial)
    )
    slips = []
    for serial, issue in rows:
        assert serial is not None
        code = slot_code(key, place_id=batch.place_id, serial=serial, issue=issue)
        group = group_of(groups, serial) if is_grouped else ""
        slips.append(Slip(serial=serial, code=code, url=f"{public_url}/s/{code}", group=group))
    return slips


def _sheet(session: Session, run: PrintRun, batch: CodeBatch, slips: list[Slip], public_url: str) -> Sheet:
    campaign = session.get_one(Campaign, run.campaign_id)
    place = find_organization(session, batch)
    assert batch.mode is not None
    rater_class = text(f"campaigns.class_{batch.rater_class}")
    rated = list_rated_by_batch(session, batch) if batch.panel_id else []
    shared = {
        "area": area_of(session, place.path),
        "village": place.name,
        "campaign": _what_is_rated(rated) or campaign.title,
        "until": clock.local_text(campaign.closes_at),
        "typing_address": without_scheme(public_url),
    }
    if run.layout.is_letter:
        clear_letter = _clear_letter(session, run, batch, place, slips, public_url)
        if clear_letter is not None:
            return clear_letter
        return LetterSheet(
            **shared,
            organizer=session.get_one(Organization, campaign.organization_id).name,
            holder=text(f"print.sheet_holder_{batch.mode}", rater_class=rater_class),
            body=body_of_text(words_of_letter(run, campaign), run.text, listed=_list_of(rated)),
            slips=slips,
            mode=batch.mode,
            is_large=run.layout is PrintLayout.LETTER_LARGE,
        )
    return CodeSheet(
        **shared,
        rater_class=rater_class,
        mode=batch.mode,
        slips=slips,
        per_page=_PER_PAGE[run.layout],
    )


def _what_is_rated(rated: Sequence[RatedCampaign]) -> str:
    """Return what a panel's slip says in the place of the campaign's title: whom its holder rates."""
    if not rated:
        return ""
    what = text("print.rates", rated=name_rated(rated))
    return f"{rated[0].title}　{what}" if len(rated) == 1 else what


def _list_of(rated: Sequence[RatedCampaign]) -> list[str]:
    """Return the paragraphs of a panel's letter that name everybody who is rated."""
    return [
        text("print.rates_list", title=one.title, count=len(one.names), names="、".join(one.names))
        for one in rated
    ]


def _clear_letter(
    session: Session,
    run: PrintRun,
    batch: CodeBatch,
    place: Organization,
    slips: list[Slip],
    public_url: str,
) -> ClearLetterOrder | None:
    """Return the village's own clear letter where staff wrote no words of theirs and it has published one."""
    if run.text or batch.mode is not Mode.HOUSEHOLD:
        return None
    sheets = [
        ClearLetterCopy(url=slip.url, code=slip.code, serial=slip.serial, group=slip.group) for slip in slips
    ]
    return clear_letters.letter_for_households(
        session,
        campaign_id=run.campaign_id,
        organization_id=place.id,
        public_url=public_url,
        size=PaperSize.LARGE if run.layout is PrintLayout.LETTER_LARGE else PaperSize.NORMAL,
        sheets=sheets,
    )


def render(sheet: Sheet) -> bytes:
    """Return the PDF of a part; raises PrintError."""
    if isinstance(sheet, ClearLetterOrder):
        return clear_letters.render_letters(sheet)
    return render_letters(sheet) if isinstance(sheet, LetterSheet) else render_sheet(sheet)


def keep_part(
    session: Session,
    *,
    run_id: int,
    number: int,
    taken_at: datetime,
    pdf: bytes | None,
    keyring: Keyring,
    now: datetime,
) -> PartState:
    """Keep a PDF, or drop the part when its codes were handed out meanwhile; returns its new state.

    The batch is held before its key is looked at: whoever marks it as handed out comes before or after. What
    was printed of a part that has been taken away meanwhile is thrown away: it may hold revoked codes.
    """
    part = session.get_one(PrintPart, (run_id, number), with_for_update=True)
    if part.claimed_at != taken_at:
        return part.state
    batch = session.get_one(CodeBatch, part.batch_id, with_for_update=True, populate_existing=True)
    if pdf is None or batch.wrapped_key is None:
        part.state = PartState.DROPPED
    else:
        key = batch_key(keyring, batch)
        part.content = encrypt_under(key, pdf, label=_label(part))
        part.state = PartState.PRINTED
        batch.printed_at = batch.printed_at or now
    part.claimed_at = None
    return part.state


def give_up_part(session: Session, *, run_id: int, number: int, taken_at: datetime) -> None:
    """Let go of a part that could not be printed; after some attempts it counts as failed."""
    part = session.get_one(PrintPart, (run_id, number), with_for_update=True)
    if part.claimed_at != taken_at:
        return
    part.claimed_at = None
    if part.attempts >= MOST_ATTEMPTS:
        part.state = PartState.FAILED


def read_part(session: Session, *, run_id: int, number: int, keyring: Keyring) -> PartFile:
    """Return the PDF of a part; raises NotFound before it was printed, Conflict `codes_handed_out`."""
    part = session.get(PrintPart, (run_id, number))
    if part is None or part.state in {PartState.WAITING, PartState.FAILED}:
        raise NotFound
    batch = session.get_one(CodeBatch, part.batch_id)
    if part.content is None:
        raise Conflict("codes_handed_out")
    content = decrypt_under(batch_key(keyring, batch), part.content, label=_label(part))
    return PartFile(_name(part, find_organization(session, batch)), content)


def _label(part: PrintPart) -> str:
    return f"print part {part.run_id}/{part.number}"


def _name(part: PrintPart, place: Organization) -> str:
    """Return the name of a file: it sorts as the parts are handed out."""
    serials = f"{part.first_serial:04}-{part.last_serial:04}"
    words = [f"{part.number:03}", place.code, place.name, part.group_name, serials]
    return "_".join(word.replace("/", "／") for word in words if word) + ".pdf"
