"""The PDFs of a run as files: decrypted while they are sent, and never stored."""

from collections.abc import Iterator
from itertools import chain

from flask import Response, stream_with_context

from survey_service.core.db import reading, see_one_snapshot
from survey_service.core.downloads import PDF_TYPE, ZIP_TYPE, attachment, zipped
from survey_service.core.errors import Conflict
from survey_service.core.privacy import current_keyring
from survey_service.core.texts import text
from survey_service.print_runs.printing import read_part
from survey_service.print_runs.queries import list_parts
from survey_service.print_runs.rules import PartState


def send_part(run_id: int, number: int) -> Response:
    """Return one PDF; raises NotFound before it was printed, Conflict `codes_handed_out`."""
    with reading() as session:
        part = read_part(session, run_id=run_id, number=number, keyring=current_keyring())
    return attachment(part.content, content_type=PDF_TYPE, filename=part.name)


def send_parts(run_id: int) -> Response:
    """Return all printed PDFs of a run as an archive that is made while it is sent.

    Raises Conflict `codes_handed_out` when there is none.
    """
    archive = zipped(_files(run_id))
    # Whatever is refused is refused here, before anything is sent.
    content = stream_with_context(chain([next(archive)], archive))
    return attachment(
        content, content_type=ZIP_TYPE, filename=text("print_runs.archive_filename", run=run_id)
    )


def _files(run_id: int) -> Iterator[tuple[str, bytes]]:
    """Yield what is printed at one moment, though parts may be printed anew while it is sent."""
    with reading() as session:
        see_one_snapshot(session)
        printed = [one.number for one in list_parts(session, run_id) if one.state is PartState.PRINTED]
        if not printed:
            raise Conflict("codes_handed_out")
        for number in printed:
            part = read_part(session, run_id=run_id, number=number, keyring=current_keyring())
            yield part.name, part.content
