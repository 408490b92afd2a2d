"""The page of the audit trail."""

from flask import render_template

from survey_service.auditing.queries import get_delivery, get_head, list_latest
from survey_service.core.db import MAX_ID, reading
from survey_service.core.permissions import current_staff, requires
from survey_service.reports.pages.frame import cursor, pages
from survey_service.reports.presentation.audit import audit_page


@pages.route("/audit", methods=["GET"])
@requires("audit.read")
def show_audit_trail() -> str:
    """Show the head of the chain and the latest acts."""
    before = cursor() or MAX_ID
    with reading() as session:
        head, delivery = get_head(session), get_delivery(session)
        entries = list_latest(session, within_path=current_staff().path, before=before)
    page = audit_page(entries, head=head, delivery=delivery)
    return render_template("staff/audit.html", page=page)
