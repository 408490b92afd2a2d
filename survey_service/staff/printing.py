"""Slips at the edge: who prints which, and when."""

from collections.abc import Sequence

from flask import Response
from sqlalchemy.orm import Session

from survey_service.core import clock
from survey_service.core.audit import record
from survey_service.core.db import unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.http import public_url
from survey_service.core.permissions import current_staff
from survey_service.core.privacy import current_keyring
from survey_service.core.texts import text
from survey_service.staff.importing import ACCOUNTS_TARGET
from survey_service.staff.service import NewPassword
from survey_service.staff.slips import hide_slips, make_slips, render_slips, reveal_slips


def kept_slips(session: Session, made: Sequence[NewPassword]) -> str:
    """Return the slips of new passwords, encrypted for the caller's page."""
    slips = make_slips(session, made=made)
    return hide_slips(slips, keyring=current_keyring(), staff_id=current_staff().id, now=clock.now())


def slips_pdf(hidden: str) -> Response:
    """Print what `kept_slips` gave to the same person; raises Forbidden and PrintError."""
    slips = reveal_slips(hidden, keyring=current_keyring(), staff_id=current_staff().id, now=clock.now())
    with unit_of_work() as session:
        usernames = [slip.username for slip in slips]
        record(session, "staff.print", ACCOUNTS_TARGET, after={"accounts": usernames})
    pdf = render_slips(slips, public_url=public_url())
    return attachment(pdf, content_type=PDF_TYPE, filename=text("staff.slips_filename"))
