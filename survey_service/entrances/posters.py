"""Posters for the village wall and sheets of one-time codes, as PDF."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from threading import BoundedSemaphore
from typing import Any
from unicodedata import category

from survey_service.campaigns.rules import Mode
from survey_service.core.texts import text
from survey_service.entrances.codes import grouped
from survey_service.entrances.qr import BULK_MASK, ErrorCorrection

MOST_SECONDS = 60
"""A poster takes half a second and 5,000 slips ten; what takes longer hangs."""

LONGEST_TEXT = 200
"""Characters of one field; what is longer is cut, so that every text finds room on its page."""

CHILDREN_AT_ONCE = 2
"""A child takes 240 MB for 2,000 slips and 550 MB for 5,000; others wait for their turn."""

_CHILD = "survey_service.entrances.print"
_turns = BoundedSemaphore(CHILDREN_AT_ONCE)
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs"})
_POSTER_WORDS = (
    "invitation",
    "ease",
    "step_1",
    "step_1_hint",
    "step_2",
    "step_2_hint",
    "step_3",
    "step_3_hint",
    "typing",
    "typing_code",
    "promise_title",
    "promise",
    "paper_title",
    "paper",
    "organizer",
    "until",
    "phone",
    "place",
)
_SHEET_WORDS = ("instructions", "holder_household", "holder_panel", "serial", "how", "until")


class PrintError(RuntimeError):
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
    code: str = field(repr=False)
    url: str = field(repr=False)


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
    """Return the PDF of one A4 page; raises PrintError."""
    fields = {name: _printable(value) for name, value in asdict(poster).items()}
    code = {"url": poster.url, "code": grouped(poster.code)}
    document = fields | {"codes": [code], "words": _words("poster", _POSTER_WORDS, fields)}
    return _typeset("poster", document, level=ErrorCorrection.QUARTILE, mask=None)


def render_sheet(sheet: CodeSheet) -> bytes:
    """Return the PDF of the slips on as many A4 pages as they need; raises PrintError."""
    fields = {name: _printable(value) for name, value in vars(sheet).items() if isinstance(value, str)}
    codes = [{"url": slip.url, "code": grouped(slip.code), "serial": slip.serial} for slip in sheet.slips]
    document = fields | {
        "per_page": sheet.per_page,
        "codes": codes,
        "words": _words("sheet", _SHEET_WORDS, fields),
    }
    return _typeset("sheet", document, level=ErrorCorrection.MEDIUM, mask=BULK_MASK)


def _printable(value: str) -> str:
    """Return one line without control characters, marks of direction and halves of surrogate pairs."""
    line = " ".join(value.split())
    printable = "".join(symbol for symbol in line if category(symbol) not in _UNPRINTABLE)
    return printable if len(printable) <= LONGEST_TEXT else printable[: LONGEST_TEXT - 1] + "…"


def _words(layout: str, names: Iterable[str], fields: Mapping[str, str]) -> dict[str, str]:
    """Return the sentences of a layout by name, their placeholders filled from the fields."""
    return {name: text(f"print.{layout}_{name}", **fields) for name in names}


def _typeset(
    template: str, document: Mapping[str, Any], *, level: ErrorCorrection, mask: int | None
) -> bytes:
    job = {"template": template, "document": document, "error_correction": level.name, "mask": mask}
    # The child gets the import path and nothing else: the secrets of the service stand in the environment.
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        with _turns:
            child = subprocess.run(  # noqa: S603  # The command is our own, the document goes in by a pipe.
                [sys.executable, "-P", "-m", _CHILD],
                input=json.dumps(job).encode(),
                env=environment,
                capture_output=True,
                timeout=MOST_SECONDS,
                check=True,
            )
    except subprocess.TimeoutExpired as error:
        raise PrintError(f"the typesetter took longer than {MOST_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise PrintError(error.stderr.decode(errors="replace").strip().rpartition("\n")[2]) from error
    return child.stdout
