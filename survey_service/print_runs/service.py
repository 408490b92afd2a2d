"""Use cases of printing at scale: start a run, hand its paper out, try again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign
from survey_service.campaigns.rules import Mode, campaign_target
from survey_service.core.audit import record
from survey_service.core.errors import Conflict
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.entrances.batches import hand_out
from survey_service.entrances.models import CodeBatch, Entrance, HouseholdGroup
from survey_service.entrances.rules import OPEN_STATES
from survey_service.entrances.slot_places import SlotPlace, list_slot_places
from survey_service.entrances.slot_queries import list_groups
from survey_service.print_runs.models import PrintPart, PrintRun
from survey_service.print_runs.queries import (
    codes_of_part,
    get_run,
    is_outdated,
    list_printable_batches,
    open_serials,
    waiting_for_hand_out,
)
from survey_service.print_runs.rules import (
    PartState,
    PrintingWaits,
    PrintLayout,
    PrintSplit,
    SerialRange,
    part_serials,
)


@dataclass(frozen=True)
class PrintOrder:
    """What is to be printed; without organizations, that of all who stand below the caller.

    `is_new_only` leaves out what was printed before. `title` and `text` are those of letters.
    """

    mode: Mode
    layout: PrintLayout
    split: PrintSplit = PrintSplit.VILLAGE
    organization_codes: Sequence[str] | None = None
    is_new_only: bool = False
    title: str = ""
    text: str = ""


@dataclass(frozen=True)
class HandedOut:
    """How many codes were marked as handed out, of how many organizations."""

    codes: int
    organizations: int


def start_print_run(
    session: Session, *, staff: Identity, campaign_id: int, order: PrintOrder, now: datetime
) -> PrintRun:
    """Write down what is to be printed, part by part; workers do the rest.

    Raises Forbidden at or above the caller's own level, Invalid, Conflict `wrong_state` after closing and
    `nothing_to_print`.
    """
    if get_campaign(session, campaign_id).window.state(now) not in OPEN_STATES:
        raise Conflict("wrong_state")
    places = list_slot_places(
        session,
        staff=staff,
        campaign_id=campaign_id,
        mode=order.mode,
        organization_codes=order.organization_codes,
    )
    run = PrintRun(
        campaign_id=campaign_id,
        organization_id=staff.organization_id,
        staff_id=staff.id,
        mode=order.mode,
        layout=order.layout,
        split=order.split,
        title=order.title,
        text=order.text,
        created_at=now,
    )
    session.add(run)
    session.flush()
    parts = list(_parts(session, run, order, places))
    if not parts:
        raise Conflict("nothing_to_print")
    session.execute(insert(PrintPart), parts)
    codes = sum(part["codes"] for part in parts)  # type: ignore[misc]  # It is a number in every part.
    facts = {"run": run.id, "mode": order.mode, "layout": order.layout, "parts": len(parts), "codes": codes}
    record(session, "code_sheets.print", campaign_target(campaign_id), after=facts)
    publish(session, PrintingWaits(run.id))
    return run


def _parts(
    session: Session, run: PrintRun, order: PrintOrder, places: Sequence[SlotPlace]
) -> Iterator[dict[str, object]]:
    """Yield the rows of the parts: village by village in the order of the campaign."""
    order_of = {(place.subject_id, place.panel_id): number for number, place in enumerate(places)}
    batches = list_printable_batches(
        session,
        campaign_id=run.campaign_id,
        places=places,
        mode=order.mode,
        is_new_only=order.is_new_only,
    )
    batches.sort(key=lambda batch: order_of[batch.subject_id, batch.panel_id])
    serials = open_serials(session, [batch.id for batch in batches])
    groups = list_groups(session, campaign_id=run.campaign_id) if order.mode is Mode.HOUSEHOLD else {}
    number = 0
    for batch in batches:
        named = [_named_range(group) for group in groups.get(batch.subject_id or 0, ())]
        for part in part_serials(
            serials.get(batch.id, ()), named, split=order.split, most=order.layout.most_of_a_part
        ):
            number += 1
            yield _part_row(run, number, batch, part)


def _named_range(group: HouseholdGroup) -> SerialRange:
    count = group.last_serial - group.first_serial + 1
    return SerialRange(group.name, group.first_serial, group.last_serial, count)


def _part_row(run: PrintRun, number: int, batch: CodeBatch, part: SerialRange) -> dict[str, object]:
    return {
        "run_id": run.id,
        "number": number,
        "batch_id": batch.id,
        "group_name": part.group,
        "first_serial": part.first,
        "last_serial": part.last,
        "codes": part.count,
    }


def retry_failed_parts(session: Session, *, run_id: int) -> int:
    """Let failed parts be tried again, and return how many; raises NotFound."""
    run = get_run(session, run_id)
    failed = (
        update(PrintPart)
        .where(PrintPart.run_id == run_id, PrintPart.state == PartState.FAILED)
        .values(state=PartState.WAITING, attempts=0, claimed_at=None)
    )
    number = session.connection().execute(failed).rowcount
    facts = {"run": run_id, "tried_again": number}
    record(session, "code_sheets.print", campaign_target(run.campaign_id), after=facts)
    publish(session, PrintingWaits(run_id))
    return number


def hand_out_codes(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    organization_codes: Sequence[str] | None,
    mode: Mode,
    now: datetime,
) -> HandedOut:
    """Mark what was printed as handed out: its keys and its PDFs are gone with the same commit.

    Raises Forbidden at or above the caller's own level, Conflict `nothing_printed` and
    `printing_unfinished`.
    """
    places = list_slot_places(
        session, staff=staff, campaign_id=campaign_id, mode=mode, organization_codes=organization_codes
    )
    batches = waiting_for_hand_out(session, campaign_id=campaign_id, places=places, mode=mode)
    if not batches:
        raise Conflict("nothing_printed")
    ids = [batch.id for batch in batches]
    is_unfinished = exists().where(PrintPart.batch_id.in_(ids), PrintPart.state == PartState.WAITING)
    if session.scalar(select(is_unfinished)):
        raise Conflict("printing_unfinished")
    hand_out(session, batches, now)
    session.flush()
    drop_parts(session, campaign_id=campaign_id)
    is_handed_out = Entrance.batch_id.in_(ids) & Entrance.revoked_at.is_(None)
    codes = session.scalar(select(func.count()).select_from(Entrance).where(is_handed_out)) or 0
    handed_out = HandedOut(codes, len({batch.place_id for batch in batches}))
    facts = {"mode": mode, "codes": codes, "batches": ids}
    record(session, "code_sheets.hand_out", campaign_target(campaign_id), after=facts)
    return handed_out


def drop_parts(session: Session, *, campaign_id: int) -> int:
    """Delete what was printed of batches whose key is gone, and return how many parts those are."""
    without_key = select(CodeBatch.id).where(
        CodeBatch.campaign_id == campaign_id, CodeBatch.wrapped_key.is_(None)
    )
    dropped = (
        update(PrintPart)
        .where(PrintPart.batch_id.in_(without_key), PrintPart.state != PartState.DROPPED)
        .values(state=PartState.DROPPED, content=None, claimed_at=None)
    )
    return session.connection().execute(dropped).rowcount


def renew_parts(session: Session, *, campaign_id: int) -> int:
    """Have those parts printed again whose slots have changed since, and return how many those are.

    Nobody should print a letter whose code was revoked after its PDF was made.
    """
    count = codes_of_part()
    changed = session.execute(
        select(PrintPart, count)
        .join(CodeBatch, CodeBatch.id == PrintPart.batch_id)
        .where(CodeBatch.campaign_id == campaign_id, is_outdated(count))
        .with_for_update(of=PrintPart)
    ).all()
    for part, codes in changed:
        part.state = PartState.WAITING if codes else PartState.DROPPED
        part.codes, part.content, part.claimed_at, part.attempts = codes, None, None, 0
        publish(session, PrintingWaits(part.run_id))
    return len(changed)


def words_of_letter(run: PrintRun, campaign: Campaign) -> str:
    """Return the title of a run's letters: the campaign's where the staff gave none."""
    return run.title or campaign.title
