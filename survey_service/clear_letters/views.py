"""The JSON API of letters."""

from typing import Any

from flask import Response

from survey_service.clear_letters import printing, queries, schemas, service
from survey_service.clear_letters.models import ClearLetterVersion
from survey_service.clear_letters.queries import LetterRow, path_of_letter
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE
from survey_service.core.http import Blueprint, public_url
from survey_service.core.paging import paged
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring

blp = Blueprint(
    "clear_letters", __name__, description="Clear letters: compose, approve, print, count readings"
)

LETTER = "/clear-letters/<int:letter_id>"


def letter_row(row: LetterRow, *, readings: int) -> dict[str, Any]:
    """Return a letter as lists show it."""
    return {
        "id": row.letter.id,
        "organization_code": row.organization_code,
        "organization_name": row.organization_name,
        "title": row.letter.title,
        "state": row.state,
        "version": row.version.number,
        "revision": row.letter.revision,
        "campaign_id": row.letter.campaign_id,
        "url": f"{public_url()}/l/{row.letter.code}" if row.is_public else None,
        "published_at": row.letter.published_at,
        "readings": readings,
    }


def _version(version: ClearLetterVersion) -> dict[str, Any]:
    names = ("number", "changed_at", "submitted_at", "decision", "remark", "decided_at")
    shown = {name: getattr(version, name) for name in names}
    return shown | {"hash": version.digest, "content": queries.read_content(version)}


@blp.route("/clear-letters", methods=["GET"])
@requires("clear_letters.read")
@blp.arguments(schemas.LetterQuery(), location="query")
@blp.response(200, schemas.LettersPage())
@blp.problems(401, 403, 422)
def list_letters(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the letters of one's own sub-tree, the newest first."""
    with reading() as session:
        rows = queries.list_letters(session, within_path=current_staff().path, **arguments)
        counted = queries.sum_readings(session, [row.letter.id for row in rows])
    items = [letter_row(row, readings=counted.get(row.letter.id, 0)) for row in rows]
    return paged(items, limit=queries.PAGE_SIZE)


@blp.route("/clear-letters", methods=["POST"])
@requires("clear_letters.compose")
@blp.arguments(schemas.LetterIn())
@blp.response(201, schemas.LetterRowOut())
@blp.problems(400, 401, 403, 404, 422)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Begin a letter."""
    with unit_of_work() as session:
        row = service.create_letter(session, staff=current_staff(), now=clock.now(), **body)
        return letter_row(row, readings=0)


@blp.route(LETTER, methods=["GET"])
@requires("clear_letters.read", path_of_letter)
@blp.response(200, schemas.LetterOut())
@blp.problems(401, 403, 404)
def show(letter_id: int) -> dict[str, Any]:
    """Return a letter with all its versions."""
    with reading() as session:
        row = queries.get_letter(session, letter_id)
        counted = queries.sum_readings(session, [letter_id])
        versions = queries.list_versions(session, letter_id)
    shown = letter_row(row, readings=counted.get(letter_id, 0))
    return shown | {"versions": [_version(version) for version in versions]}


@blp.route(f"{LETTER}/draft", methods=["PUT"])
@requires("clear_letters.compose", path_of_letter)
@blp.arguments(schemas.DraftIn())
@blp.response(200, schemas.LetterRowOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def save(body: dict[str, Any], letter_id: int) -> dict[str, Any]:
    """Write the draft; after a decision of the town this begins the next version."""
    return _done(letter_id, service.save_draft, **body)


def _done(letter_id: int, act: Any, **values: Any) -> dict[str, Any]:
    with unit_of_work() as session:
        row = act(session, staff=current_staff(), letter_id=letter_id, now=clock.now(), **values)
        counted = queries.sum_readings(session, [letter_id])
        return letter_row(row, readings=counted.get(letter_id, 0))


@blp.route(f"{LETTER}/submit", methods=["POST"])
@requires("clear_letters.compose", path_of_letter)
@blp.response(200, schemas.LetterRowOut())
@blp.problems(401, 403, 404, 409, 422)
def submit(letter_id: int) -> dict[str, Any]:
    """Send the draft to the town."""
    return _done(letter_id, service.submit_letter)


@blp.route(f"{LETTER}/approve", methods=["POST"])
@requires("clear_letters.decide", path_of_letter, is_above=True)
@blp.arguments(schemas.LetterRemarkIn())
@blp.response(200, schemas.LetterRowOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def approve(body: dict[str, str], letter_id: int) -> dict[str, Any]:
    """Approve and publish the version that was sent in."""
    return _done(letter_id, service.approve_letter, **body)


@blp.route(f"{LETTER}/send-back", methods=["POST"])
@requires("clear_letters.decide", path_of_letter, is_above=True)
@blp.arguments(schemas.LetterRemarkIn())
@blp.response(200, schemas.LetterRowOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def send_back(body: dict[str, str], letter_id: int) -> dict[str, Any]:
    """Give the version back to the branch with a remark."""
    return _done(letter_id, service.send_back_letter, **body)


@blp.route(f"{LETTER}/withdraw", methods=["POST"])
@requires("clear_letters.decide", path_of_letter, is_above=True)
@blp.arguments(schemas.WithdrawalIn())
@blp.response(200, schemas.LetterRowOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def withdraw(body: dict[str, str], letter_id: int) -> dict[str, Any]:
    """Take a published letter down for good."""
    return _done(letter_id, service.withdraw_letter, **body)


@blp.route(f"{LETTER}/readings", methods=["GET"])
@requires("clear_letters.read", path_of_letter)
@blp.response(200, schemas.ReadingsOut())
@blp.problems(401, 403, 404)
def show_readings(letter_id: int) -> dict[str, Any]:
    """Return how often the page was opened, day by day; nobody is counted, only openings."""
    with reading() as session:
        days = queries.list_readings(session, letter_id)
    rows = [{"day": day, "count": count} for day, count in days]
    return {"total": sum(count for _, count in days), "days": rows}


@blp.route(f"{LETTER}/print", methods=["POST"])
@requires("clear_letters.print", path_of_letter)
@blp.arguments(schemas.LetterPrintIn())
@blp.response(200, content_type=PDF_TYPE)
@blp.problems(400, 401, 403, 404, 409, 422, 503)
def print_letter(body: dict[str, Any], letter_id: int) -> Response:
    """Print the letter with a posted code, or one for each household."""
    return Response(render_pdf(letter_id, body), content_type=PDF_TYPE)


def render_pdf(letter_id: int, body: dict[str, Any]) -> bytes:
    """Return what `LetterPrintIn` asks for; the database is let go before the typesetting begins."""
    with unit_of_work() as session:
        order = printing.prepare_print(
            session,
            staff=current_staff(),
            keyring=current_keyring(),
            public_url=public_url(),
            letter_id=letter_id,
            now=clock.now(),
            **body,
        )
    return printing.render_letters(order)
