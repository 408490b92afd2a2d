"""Posters for the village wall and sheets of one-time codes, as PDF."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from itertools import groupby

from survey_service.campaigns.rules import Mode
from survey_service.core.qr import BULK_MASK, ErrorCorrection
from survey_service.core.texts import text
from survey_service.core.typesetting import printable, typeset
from survey_service.entrances.codes import grouped

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
    """One household's or panel member's code with the serial of its slot; `group` may be empty."""

    serial: int
    code: str = field(repr=False)
    url: str = field(repr=False)
    group: str = ""

    @property
    def printed(self) -> dict[str, object]:
        """What a template knows of it."""
        return {
            "url": self.url,
            "code": grouped(self.code),
            "serial": self.serial,
            "group": printable(self.group),
        }


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


def render_poster(poster: Poster, *, words: str = "poster") -> bytes:
    """Return the PDF of one A4 page; `words` begins the keys of its sentences. Raises PrintError."""
    fields = {name: printable(value) for name, value in asdict(poster).items()}
    code = {"url": poster.url, "code": grouped(poster.code)}
    document = fields | {"codes": [code], "words": words_of(words, _POSTER_WORDS, fields)}
    return typeset("entrances/print/poster.typ", document, level=ErrorCorrection.QUARTILE, mask=None)


def render_sheet(sheet: CodeSheet) -> bytes:
    """Return the PDF of the slips on as many A4 pages as they need; raises PrintError."""
    fields = {name: printable(value) for name, value in vars(sheet).items() if isinstance(value, str)}
    document = fields | {
        "per_page": sheet.per_page,
        "pages": list(_pages(sheet.slips, sheet.per_page)),
        "codes": [slip.printed for slip in sheet.slips],
        "words": words_of("sheet", _SHEET_WORDS, fields),
    }
    return typeset("entrances/print/sheet.typ", document, level=ErrorCorrection.MEDIUM, mask=BULK_MASK)


def _pages(slips: Sequence[Slip], per_page: int) -> Iterator[tuple[int, int]]:
    """Yield where each page begins and ends; every group begins a new one, to be handed out by itself."""
    first = 0
    for _, members in groupby(slips, key=lambda slip: slip.group):
        end = first + len(list(members))
        yield from ((start, min(start + per_page, end)) for start in range(first, end, per_page))
        first = end


def words_of(layout: str, names: Iterable[str], fields: Mapping[str, str]) -> dict[str, str]:
    """Return the sentences of a layout by name, their placeholders filled from the fields."""
    return {name: text(f"print.{layout}_{name}", **fields) for name in names}
