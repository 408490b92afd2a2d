"""Key a list: two people each for himself, then a third look where they differ.

The database refuses that the two are the same person. Where a third person settles the differences it is
settled; where one of the two does so, somebody else has to look and confirm.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_campaign
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.entrances.codes import normalize
from survey_service.entrances.queries import digest_code
from survey_service.paper_entry.models import PaperBatch, PaperLine, PaperList, PaperStub
from survey_service.paper_entry.queries import find_slots, get_list, read_stubs
from survey_service.paper_entry.rules import (
    MAX_BALLOTS,
    Keying,
    LineError,
    LineFault,
    ListKind,
    is_settled,
)
from survey_service.paper_entry.service import (
    final_lines,
    forms_of,
    hold_open,
    read_list,
    record_act,
)

_ADDRESS = "/s/"
"""A scanner types the whole address that stands in the code; what follows this is the code."""


def key_lines(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    batch_id: int,
    kind: ListKind,
    keying: Keying,
    lines: Sequence[str],
    first: int = 1,
) -> int:
    """Store what one person read; returns how many lines he has keyed now in all.

    Ballots and totals stand at `first` and the places after it, in the place of what he keyed there before;
    stubs are added to those that he has found. Raises Conflict `same_keyer` for the person who keys the other
    list, `keyed_by_other` for anybody else's, `wrong_state` when he has finished; Invalid names the lines.
    """
    batch, row = _hold(session, campaign_id, batch_id, kind)
    _claim(session, row, staff, keying)
    if kind is ListKind.STUBS:
        _add_stubs(session, keyring, batch, keying, lines)
    else:
        read = _read_lines(session, batch, kind, lines, first)
        _replace_lines(session, batch, keying, read, range(first, first + len(lines)))
    number = read_list(session, batch, kind).lines[keying]
    record_act(session, "paper.key", batch, {"list": kind, "keying": keying.value, "lines": number})
    return number


def _hold(session: Session, campaign_id: int, batch_id: int, kind: ListKind) -> tuple[PaperBatch, PaperList]:
    return hold_open(session, campaign_id, batch_id), get_list(session, batch_id, kind, holds=True)


def _claim(session: Session, row: PaperList, staff: Identity, keying: Keying) -> None:
    """Let a person be the one who keys; raises Conflict."""
    is_first = keying is Keying.FIRST
    keyer, is_finished = (
        (row.first_by, row.first_finished) if is_first else (row.second_by, row.second_finished)
    )
    if keyer not in (None, staff.id):
        raise Conflict("keyed_by_other")
    if is_finished:
        raise Conflict("wrong_state")
    if is_first:
        row.first_by = staff.id
    else:
        row.second_by = staff.id
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("same_keyer") from error


def _read_lines(
    session: Session, batch: PaperBatch, kind: ListKind, typed: Sequence[str], first: int
) -> dict[int, str]:
    """Return canonical lines by position; blank ones at the end are no ballots. Raises Invalid."""
    ballots, totals = forms_of(session, get_campaign(session, batch.campaign_id))
    last = max((place for place, line in enumerate(typed) if line.strip()), default=-1)
    lines: dict[int, str] = {}
    errors: dict[str, list[str]] = {}
    for place, line in enumerate(typed[: last + 1]):
        position = first + place
        try:
            if not line.strip():
                raise LineError(LineFault.MISSING)
            is_ballot = kind is ListKind.BALLOTS
            lines[position] = ballots.read(line) if is_ballot else totals.read(line, position)
        except LineError as error:
            errors[f"lines.{place}"] = [text(f"paper.line_{error.fault}", place=error.place)]
        except IndexError:
            errors[f"lines.{place}"] = [text("paper.line_length", place=0)]
    if first + last > MAX_BALLOTS:
        errors["lines"] = [text("paper.too_many", most=MAX_BALLOTS)]
    if errors:
        raise Invalid(errors=errors)
    return lines


def _replace_lines(
    session: Session, batch: PaperBatch, keying: Keying, lines: Mapping[int, str], places: range
) -> None:
    session.execute(
        delete(PaperLine)
        .where(PaperLine.batch_id == batch.id, PaperLine.keying == keying)
        .where(PaperLine.position >= places.start, PaperLine.position < places.stop)
    )
    _insert_lines(session, batch, keying, lines)


def _insert_lines(session: Session, batch: PaperBatch, keying: Keying, lines: Mapping[int, str]) -> None:
    rows = [
        {"batch_id": batch.id, "keying": keying, "position": place, "line": line}
        for place, line in lines.items()
    ]
    if rows:
        session.execute(insert(PaperLine), rows)


def _add_stubs(
    session: Session, keyring: Keyring, batch: PaperBatch, keying: Keying, typed: Sequence[str]
) -> None:
    found = _read_codes(session, keyring, batch, typed, known=read_stubs(session, batch.id, keying))
    rows = [{"batch_id": batch.id, "keying": keying, "entrance_id": slot} for slot in sorted(found)]
    if rows:
        session.execute(insert(PaperStub), rows)


def _read_codes(
    session: Session, keyring: Keyring, batch: PaperBatch, typed: Sequence[str], *, known: set[int]
) -> set[int]:
    """Return the slots of the codes on stubs, typed or scanned; raises Invalid.

    One sentence answers every code that is not of this batch, whether it exists or not.
    """
    codes = {
        place: normalize(line.rpartition(_ADDRESS)[2]) for place, line in enumerate(typed) if line.strip()
    }
    digests = {place: digest_code(keyring, code) for place, code in codes.items() if code is not None}
    slots = find_slots(session, batch, list(digests.values()))
    errors: dict[str, list[str]] = {}
    found: set[int] = set()
    for place in codes:
        slot = slots.get(digests[place]) if place in digests else None
        if slot is None:
            errors[f"lines.{place}"] = [text("paper.line_code", place=0)]
        elif slot in found or slot in known:
            errors[f"lines.{place}"] = [text("paper.line_twice", place=0)]
        else:
            found.add(slot)
    if len(known) + len(found) > MAX_BALLOTS:
        errors["lines"] = [text("paper.too_many", most=MAX_BALLOTS)]
    if errors:
        raise Invalid(errors=errors)
    return found


def finish_keying(
    session: Session, *, staff: Identity, campaign_id: int, batch_id: int, kind: ListKind, keying: Keying
) -> PaperList:
    """Say that a person has keyed his whole list; from then on he changes nothing of it."""
    batch, row = _hold(session, campaign_id, batch_id, kind)
    _claim(session, row, staff, keying)
    if keying is Keying.FIRST:
        row.first_finished = True
    else:
        row.second_finished = True
    record_act(session, "paper.finish", batch, {"list": kind, "keying": keying.value})
    return row


def restart_keying(
    session: Session, *, staff: Identity, campaign_id: int, batch_id: int, kind: ListKind, keying: Keying
) -> PaperList:
    """Throw away what a person has keyed of an unfinished list of his own, so that he begins anew."""
    batch, row = _hold(session, campaign_id, batch_id, kind)
    _claim(session, row, staff, keying)
    _delete_look(session, batch, kind, keying)
    record_act(session, "paper.restart", batch, {"list": kind, "keying": keying.value})
    return row


def _delete_look(session: Session, batch: PaperBatch, kind: ListKind, keying: Keying) -> None:
    draft = PaperStub if kind is ListKind.STUBS else PaperLine
    session.execute(delete(draft).where(draft.batch_id == batch.id, draft.keying == keying))


def settle_differences(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    batch_id: int,
    kind: ListKind,
    lines: Mapping[int, str] | None = None,
    slots: Sequence[int] = (),
    codes: Sequence[str] = (),
) -> PaperList:
    """Store what a third look at the paper found, in the place of any earlier one.

    `lines` are ballots or totals by position, an empty one says that there is no such ballot; `slots` are
    those of the differing stubs that lie in the pile, `codes` are of stubs that both have missed. Raises
    Conflict `wrong_state` before both have finished, `paper_differs` while a difference is left open.
    """
    batch, row = _hold(session, campaign_id, batch_id, kind)
    if not (row.first_finished and row.second_finished):
        raise Conflict("wrong_state")
    row.settled_by, row.confirmed_by = staff.id, None
    _delete_look(session, batch, kind, Keying.SETTLED)
    if kind is ListKind.STUBS:
        _settle_stubs(session, keyring, batch, slots, codes)
    else:
        _settle_lines(session, batch, kind, lines or {})
    session.flush()
    record_act(
        session, "paper.settle", batch, {"list": kind, "lines": len(lines or {}) + len(slots) + len(codes)}
    )
    return row


def _settle_stubs(
    session: Session, keyring: Keyring, batch: PaperBatch, slots: Sequence[int], codes: Sequence[str]
) -> None:
    first, second = (read_stubs(session, batch.id, one) for one in (Keying.FIRST, Keying.SECOND))
    found = set(slots) & (first ^ second)
    found |= _read_codes(session, keyring, batch, codes, known=(first & second) | found)
    rows = [{"batch_id": batch.id, "keying": Keying.SETTLED, "entrance_id": slot} for slot in sorted(found)]
    if rows:
        session.execute(insert(PaperStub), rows)


def _settle_lines(session: Session, batch: PaperBatch, kind: ListKind, typed: Mapping[int, str]) -> None:
    lines: dict[int, str] = {}
    for position, line in typed.items():
        if line.strip():
            lines |= _read_lines(session, batch, kind, [line], position)
        else:
            lines[position] = ""
    _insert_lines(session, batch, Keying.SETTLED, lines)
    final_lines(session, batch.id)


def confirm_settlement(
    session: Session, *, staff: Identity, campaign_id: int, batch_id: int, kind: ListKind
) -> PaperList:
    """Confirm what one of the two keyers has settled; raises Conflict `same_keyer` for himself.

    Raises Conflict `wrong_state` where there is nothing to confirm.
    """
    batch, row = _hold(session, campaign_id, batch_id, kind)
    keyers = (row.first_by, row.second_by)
    if row.settled_by is None or is_settled(
        keyers=keyers, settled_by=row.settled_by, confirmed_by=row.confirmed_by
    ):
        raise Conflict("wrong_state")
    row.confirmed_by = staff.id
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("same_keyer") from error
    record_act(session, "paper.confirm", batch, {"list": kind})
    return row
