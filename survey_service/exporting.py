"""What the command line streams for other programs: score tables and the audit trail."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from survey_service.auditing.queries import stream_entries
from survey_service.campaigns.rules import campaign_target
from survey_service.core.audit import OPERATOR, record
from survey_service.core.exports import csv_lines
from survey_service.core.permissions import Identity
from survey_service.reports.schemas import score_table_json
from survey_service.reports.service import list_scores
from survey_service.staff.rules import Role

_OPERATOR = Identity(id=0, name=OPERATOR, role=Role.COUNTY_ADMIN, organization_id=0, path="/")
"""Reads through the same gate as a county; no account is like this one."""
_FIGURES = ("score", "interval_low", "interval_high", "satisfaction_rate", "returned", "valid", "eligible")
SCORE_COLUMNS = (
    "organization_code",
    "name",
    "status",
    "reason",
    *_FIGURES,
    "response_rate",
    "as_of_returned",
)


def score_lines(session: Session, *, campaign_id: int, now: datetime) -> Iterator[str]:
    """Yield the score table of a campaign as CSV, one row a subject, as released; raises NotFound."""
    table = score_table_json(list_scores(session, staff=_OPERATOR, campaign_id=campaign_id, now=now))
    record(session, "scores.export", campaign_target(campaign_id))
    yield from csv_lines(
        SCORE_COLUMNS, ([_flat(row)[name] for name in SCORE_COLUMNS] for row in table["items"])
    )


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    low, high = row["interval"] or (None, None)
    return {**row, "interval_low": low, "interval_high": high}


def audit_lines(session: Session) -> Iterator[str]:
    """Yield the audit trail, an entry a line, in the form of the API, as `audit verify --file` reads it."""
    with closing(stream_entries(session)) as entries:
        for entry in entries:
            yield json.dumps(asdict(entry), ensure_ascii=False, default=repr) + "\n"
