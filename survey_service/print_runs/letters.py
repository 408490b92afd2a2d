"""A letter for each household: the words, and the household's own code under a fold."""

from collections.abc import Sequence
from dataclasses import dataclass

from survey_service.campaigns.rules import Mode
from survey_service.core.qr import BULK_MASK, ErrorCorrection
from survey_service.core.texts import text
from survey_service.core.typesetting import printable, typeset
from survey_service.entrances.posters import Slip, words_of
from survey_service.print_runs.rules import MAX_TEXT_LENGTH

_WORDS = ("to", "from", "fold", "serial", "typing", "until")
_WORDS_OF_MODE = ("code_title", "how", "secret")
"""A household answers once, an invited person once for each subject."""


@dataclass(frozen=True)
class LetterBody:
    """What a letter says, the same to every household; `closing` stands to the right, as a signature does.

    Whoever makes letters of another kind passes a body of his own to `render_letters`.
    """

    title: str
    paragraphs: Sequence[str]
    closing: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class LetterSheet:
    """Letters in the order given; all texts are plain, and `until` is the end of the window in words."""

    area: str
    village: str
    campaign: str
    organizer: str
    holder: str
    until: str
    typing_address: str
    body: LetterBody
    slips: Sequence[Slip]
    mode: Mode = Mode.HOUSEHOLD
    is_large: bool = False


def body_of_text(title: str, typed: str, *, listed: Sequence[str] = ()) -> LetterBody:
    """Return the body of a letter as staff typed it: every line is a paragraph, and so is what is listed."""
    return LetterBody(title, [*(line for line in map(str.strip, typed.splitlines()) if line), *listed])


def render_letters(sheet: LetterSheet) -> bytes:
    """Return the PDF of the letters, an A4 page each; raises PrintError."""
    fields = {name: printable(value) for name, value in vars(sheet).items() if isinstance(value, str)}
    body = sheet.body
    document = fields | {
        "title": printable(body.title),
        "paragraphs": [printable(one, longest=MAX_TEXT_LENGTH) for one in body.paragraphs],
        "closing": [printable(one) for one in body.closing],
        "is_large": sheet.is_large,
        "codes": [slip.printed for slip in sheet.slips],
        "words": words_of("letter", _WORDS, fields) | _words_of(sheet.mode),
    }
    return typeset("print_runs/print/letter.typ", document, level=ErrorCorrection.QUARTILE, mask=BULK_MASK)


def _words_of(mode: Mode) -> dict[str, str]:
    return {name: text(f"print.letter_{name}_{mode}") for name in _WORDS_OF_MODE}
