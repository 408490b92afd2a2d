"""Letters and slips on paper: every code of every page is read, at 150 and at 300 dots an inch."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from survey_service.campaigns.rules import Mode
from survey_service.entrances.codes import code_of_slot, grouped
from survey_service.entrances.posters import CodeSheet, PerPage, Slip, render_sheet
from survey_service.print_runs.letters import LetterSheet, body_of_text, render_letters
from survey_service.print_runs.rules import MAX_TEXT_LENGTH
from tests.support.pdf import codes_on, piped, words_of

BASE = "https://pingyi.raoping.gov.cn/s/"
TEXT = "尊敬的村民朋友：\n\n请您家评一评村党组织一年来的工作。\n感谢支持！"


def slips(groups: Sequence[int]) -> list[Slip]:
    """Return slips of some groups, so many in each."""
    names = [f"第{number}村民小组" for number, count in enumerate(groups, 1) for _ in range(count)]
    made = [code_of_slot(bytes(range(32)), serial=serial, issue=1) for serial in range(1, len(names) + 1)]
    return [
        Slip(serial=serial, code=code, url=BASE + code, group=name)
        for serial, (code, name) in enumerate(zip(made, names, strict=True), 1)
    ]


LETTERS = LetterSheet(
    area="饶平县汤溪镇",
    village="大门坑村",
    campaign="2026年度党员群众满意度测评",
    organizer="中共汤溪镇委员会",
    holder="村民 · 每户一票，请本户自己拆开",
    until="2026年12月31日18:00",
    typing_address="pingyi.raoping.gov.cn",
    body=body_of_text("致全体村民的一封信", TEXT),
    slips=slips([2, 1]),
)
SHEET = CodeSheet(
    area=LETTERS.area,
    village=LETTERS.village,
    campaign=LETTERS.campaign,
    rater_class="村民",
    mode=Mode.HOUSEHOLD,
    until=LETTERS.until,
    typing_address=LETTERS.typing_address,
    slips=slips([25, 3]),
)


@pytest.mark.parametrize("dpi", [150, 300])
def test_every_letter_has_a_page_with_its_code(dpi: int) -> None:
    assert codes_on(render_letters(LETTERS), dpi) == [{slip.url} for slip in LETTERS.slips]


def test_large_type_is_larger_and_still_one_page_each() -> None:
    large = render_letters(replace(LETTERS, is_large=True))
    assert codes_on(large, 150) == [{slip.url} for slip in LETTERS.slips]
    assert line_height(large) > 1.3 * line_height(render_letters(LETTERS))


def line_height(pdf: bytes) -> float:
    """Return the height of the words that only the body has."""
    layout = piped(pdf, "pdftotext", "-bbox", "-", "-").decode()
    (top, bottom) = re.findall(r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">感谢支持', layout)[0]
    return float(bottom) - float(top)


def test_a_letter_says_everything() -> None:
    words = words_of(render_letters(LETTERS))
    for value in (
        LETTERS.area,
        LETTERS.village,
        LETTERS.organizer,
        LETTERS.typing_address,
        LETTERS.body.title,
    ):
        assert words.count(value) == len(LETTERS.slips)
    for slip in LETTERS.slips:
        assert grouped(slip.code) in words
        assert f"序号{slip.serial:04}" in words
        assert slip.group in words
    assert words.count("请您家评一评村党组织一年来的工作。") == len(LETTERS.slips)


@pytest.mark.parametrize(
    "text", ["字" * MAX_TEXT_LENGTH, "行\n" * 60, '#panic("x") *b* $x$', "", "\u202e反\0"], ids=range(5)
)
def test_any_text_leaves_each_letter_its_page_and_its_code(text: str) -> None:
    letters = replace(LETTERS, body=body_of_text(text[:60], text), slips=slips([1]))
    assert codes_on(render_letters(letters), 150) == [{letters.slips[0].url}]


@pytest.mark.parametrize("per_page", PerPage)
@pytest.mark.parametrize("dpi", [150, 300])
def test_every_group_begins_a_page_and_every_code_of_it_is_read(per_page: PerPage, dpi: int) -> None:
    pages = codes_on(render_sheet(replace(SHEET, per_page=per_page)), dpi)
    urls = [slip.url for slip in SHEET.slips]
    first = [set(urls[:25][start : start + per_page]) for start in range(0, 25, per_page)]
    assert pages == [*first, set(urls[25:])]


def test_slips_name_their_group() -> None:
    words = words_of(render_sheet(SHEET))
    assert words.count("第1村民小组") == 25 + 2
    assert words.count("第2村民小组") == 3 + 1
