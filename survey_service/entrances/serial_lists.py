"""The list that goes with a pile of letters: serials by group, with room for a signature, and no code."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from sqlalchemy.orm import Session

from survey_service.campaigns.rules import Mode, campaign_target
from survey_service.core.audit import record
from survey_service.core.errors import Forbidden
from survey_service.core.exports import Cell, Column, Sheet, write_workbook
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.entrances.slot_places import list_slot_places
from survey_service.entrances.slot_queries import SlotRow, list_serials

_WIDTHS = {"village": 18, "group": 18, "rater_class": 14, "serial": 10, "state": 16, "signature": 24}
_MOST_SHEETS = 250
_LONGEST_SHEET_NAME = 31


def export_serials(
    session: Session, *, staff: Identity, campaign_id: int, mode: Mode, organization_code: str | None = None
) -> bytes:
    """Return an XLSX of the serials of those who stand below the caller, a sheet for each village.

    Raises Forbidden where nobody of the campaign does.
    """
    wanted = None if organization_code is None else [organization_code]
    places = list_slot_places(
        session, staff=staff, campaign_id=campaign_id, mode=mode, organization_codes=wanted
    )
    codes = [place.organization_code for place in places]
    if not codes:
        raise Forbidden
    rows = list_serials(
        session, campaign_id=campaign_id, within_path=staff.path, mode=mode, organization_codes=codes
    )
    facts = {"mode": mode, "serials_of": sorted(codes)}
    record(session, "code_sheets.list", campaign_target(campaign_id), after=facts)
    return write_workbook(_sheets(rows, is_parted=len(codes) <= _MOST_SHEETS))


def _sheets(rows: Iterable[SlotRow], *, is_parted: bool) -> list[Sheet]:
    if not is_parted:
        return [_sheet(text("entrances.serials"), rows)]
    villages = groupby(rows, key=lambda row: (row.organization_code, row.name))
    found = [_sheet(f"{name} {code}"[:_LONGEST_SHEET_NAME], list(mine)) for (code, name), mine in villages]
    return found or [_sheet(text("entrances.serials"), ())]


def _sheet(name: str, rows: Iterable[SlotRow]) -> Sheet:
    columns = [Column(text(f"entrances.column_{key}"), width) for key, width in _WIDTHS.items()]
    return Sheet(name.translate(_NOT_IN_A_NAME), columns, map(_cells, rows))


_NOT_IN_A_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
"""What Excel refuses in the name of a sheet."""


def _cells(row: SlotRow) -> Sequence[Cell]:
    rater_class = text(f"campaigns.class_{row.rater_class}")
    return row.name, row.group, rater_class, f"{row.serial:04}", _state(row), ""


def _state(row: SlotRow) -> str:
    if row.is_revoked:
        return text(f"entrances.revoked_{row.revoked_as or 'single'}")
    return text("entrances.reissued", issue=row.issue) if row.issue > 1 else ""
