"""Posters for the village wall and sheets of one-time codes, as PDF."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from threading import BoundedSemaphore
from typing import Any
from unicodedata import category

from survey_service.campaigns.rules import Mode
from survey_service.core.texts import text
from survey_service.entrances.codes import grouped
from survey_service.entrances.qr import BULK_MASK, ErrorCorrection

TIMEOUT_SECONDS = 60
"""A poster takes half a second and 2,000 slips four; what takes longer hangs."""

LONGEST_TEXT = 200
"""Characters of one field; what is longer is cut, so that every text finds room on its page."""

CHILDREN_AT_ONCE = 2
"""Each child may take 300 MB: more of them wait for their turn."""

_turns = BoundedSemaphore(CHILDREN_AT_ONCE)
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs"})


class PrintFailed(RuntimeError):
    """The typesetter gave no PDF; the message says why and holds no code."""


class PerPage(IntEnum):
    """How many slips stand on an A4 page."""

    TWENTY_FOUR = 24
    TWELVE = 12


@dataclass(frozen=True, kw_only=True)
class Poster:
    """One A4 page for a wall. All fields are plain text for people; `phone` and `place` may be empty.

    `code` has the 13 canonical symbols; `typing_address` is what is typed into a browser to enter it;
    `until` is the end of the window in words; `paper_place` is where paper ballots are had.
    """

    area: str
    village: str
    campaign: str
    subject: str
    url: str
    code: str
    typing_address: str
    organizer: str
    until: str
    paper_place: str
    phone: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Slip:
    """One household's or panel member's code with the serial of its slot."""

    serial: int
    code: str
    url: str


@dataclass(frozen=True, kw_only=True)
class CodeSheet:
    """Slips to cut out, in the order given; `rater_class` is the class in words, as are the other texts."""

    area: str
    village: str
    campaign: str
    rater_class: str
    mode: Mode
    until: str
    typing_address: str
    slips: Sequence[Slip]
    per_page: PerPage = PerPage.TWENTY_FOUR


def render_poster(poster: Poster) -> bytes:
    """Return the PDF of one A4 page; raises PrintFailed."""
    fields = {name: _printable(value) for name, value in asdict(poster).items()}
    code = {"url": poster.url, "code": grouped(poster.code)}
    document = fields | {"codes": [code], "words": _poster_words(fields)}
    return _typeset("poster", document, level=ErrorCorrection.QUARTILE, mask=None)


def render_sheet(sheet: CodeSheet) -> bytes:
    """Return the PDF of the slips on as many A4 pages as they need; raises PrintFailed."""
    fields = {name: _printable(value) for name, value in vars(sheet).items() if isinstance(value, str)}
    codes = [{"url": slip.url, "code": grouped(slip.code), "serial": slip.serial} for slip in sheet.slips]
    document = fields | {"per_page": sheet.per_page, "codes": codes, "words": _sheet_words(fields)}
    return _typeset("sheet", document, level=ErrorCorrection.MEDIUM, mask=BULK_MASK)


def _printable(value: str) -> str:
    """Return one line without control characters, marks of direction and halves of surrogate pairs."""
    line = " ".join(value.split())
    printable = "".join(symbol for symbol in line if category(symbol) not in _UNPRINTABLE)
    return printable if len(printable) <= LONGEST_TEXT else printable[: LONGEST_TEXT - 1] + "…"


def _poster_words(fields: Mapping[str, str]) -> dict[str, Any]:
    words = (
        "ease",
        "typing",
        "typing_code",
        "promise_title",
        "promise",
        "paper_title",
        "organizer",
        "until",
        "phone",
    )
    steps = [f"print.poster_step_{number}" for number in (1, 2, 3)]
    return {word: text(f"print.poster_{word}") for word in words} | {
        "invitation": text("print.poster_invitation", subject=fields["subject"]),
        "paper": text("print.poster_paper", paper_place=fields["paper_place"]),
        "place": text("print.poster_place", place=fields["place"]) if fields["place"] else "",
        "steps": [{"title": text(step), "hint": text(f"{step}_hint")} for step in steps],
    }


def _sheet_words(fields: Mapping[str, str]) -> dict[str, str]:
    return {
        "pages": text("print.sheet_pages"),
        "instructions": text("print.sheet_instructions"),
        "holder": text(f"print.slip_{fields['mode']}", rater_class=fields["rater_class"]),
        "serial": text("print.slip_serial"),
        "how": text("print.slip_how"),
        "until": text("print.slip_until", until=fields["until"]),
    }


def _typeset(
    template: str, document: Mapping[str, Any], *, level: ErrorCorrection, mask: int | None
) -> bytes:
    job = {"template": template, "document": document, "error_correction": level.name, "mask": mask}
    with _turns:
        return _run_child(json.dumps(job).encode())


def _run_child(job: bytes) -> bytes:
    # The child inherits the import path and nothing else: the secrets of the service stand in its environment.
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-m", "survey_service.entrances.print"]
    try:
        child = subprocess.run(
            command, input=job, env=environment, capture_output=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise PrintFailed(f"the typesetter took longer than {TIMEOUT_SECONDS} s") from error
    if child.returncode != 0:
        raise PrintFailed(child.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    return child.stdout
