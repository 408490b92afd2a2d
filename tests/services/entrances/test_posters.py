"""Posters and code sheets: one page each, every code readable, and no text is ever taken for markup."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
import zxingcpp

from survey_service.campaigns.rules import Mode
from survey_service.core import typesetting
from survey_service.core.typesetting import PrintError
from survey_service.entrances.codes import code_of_slot, grouped
from survey_service.entrances.posters import (
    CodeSheet,
    PerPage,
    Poster,
    Slip,
    render_poster,
    render_sheet,
)
from tests.support.pdf import codes_on, pages_of, piped, words_of

KEY = bytes(range(32))
CODE = "JWEHV1YJHGNT4"
BASE_URL = "https://pingyi.raoping.gov.cn/s/"
MILLIMETRES_PER_INCH = 25.4
HOSTILE = '#panic("x") $x^2$ *b* _i_ \\ [c] `r` <l> @r // /* {until} #sys.inputs'

POSTER = Poster(
    area="饶平县汤溪镇",
    village="大门坑村",
    campaign="2026年度党员群众满意度测评",
    subject="大门坑村党组织",
    url=BASE_URL + CODE,
    code=CODE,
    typing_address="pingyi.raoping.gov.cn",
    organizer="中共汤溪镇委员会",
    until="2026年12月31日18:00",
    paper_place="村党群服务中心",
    phone="0768-8123456",
    place="村委会公告栏",
)


def slip(serial: int) -> Slip:
    code = code_of_slot(KEY, serial=serial, issue=1)
    return Slip(serial=serial, code=code, url=BASE_URL + code)


SHEET = CodeSheet(
    area="饶平县汤溪镇",
    village="大门坑村",
    campaign="2026年度党员群众满意度测评",
    rater_class="村民",
    mode=Mode.HOUSEHOLD,
    until="2026年12月31日18:00",
    typing_address="pingyi.raoping.gov.cn",
    slips=[slip(serial) for serial in range(1, 26)],
)
TEXTS_OF_A_POSTER = {field.name for field in fields(Poster)} - {"url", "code"}
TEXTS_OF_A_SHEET = ("area", "village", "campaign", "rater_class", "until", "typing_address")


def poster_of(value: str) -> bytes:
    """Return a poster on which every text is the same."""
    return render_poster(replace(POSTER, **dict.fromkeys(TEXTS_OF_A_POSTER, value)))


def sheet_of(value: str, slips: Sequence[Slip]) -> bytes:
    """Return a sheet on which every text is the same."""
    texts: dict[str, Any] = dict.fromkeys(TEXTS_OF_A_SHEET, value)
    return render_sheet(replace(SHEET, slips=slips, **texts))


def squeezed(value: str) -> str:
    return "".join(value.split())


@pytest.fixture(scope="module")
def poster() -> bytes:
    return render_poster(POSTER)


@pytest.fixture(scope="module", params=PerPage)
def per_page(request: pytest.FixtureRequest) -> PerPage:
    return PerPage(request.param)


@pytest.fixture(scope="module")
def sheet(per_page: PerPage) -> bytes:
    return render_sheet(replace(SHEET, per_page=per_page))


def test_the_poster_names_everything_on_one_page(poster: bytes) -> None:
    words = words_of(poster)
    for name in TEXTS_OF_A_POSTER:
        assert squeezed(getattr(POSTER, name)) in words
    assert grouped(CODE) in words


@pytest.mark.parametrize("dpi", [150, 300])
def test_the_code_of_the_poster_is_read(poster: bytes, dpi: int) -> None:
    assert codes_on(poster, dpi) == [{POSTER.url}]


@pytest.mark.parametrize("base", ["http://10.0.0.7/s/", BASE_URL + "a-longer-path/"])
def test_the_code_of_the_poster_is_nine_centimetres_wide(base: str) -> None:
    dpi = 150
    [page] = pages_of(render_poster(replace(POSTER, url=base + CODE)), dpi)
    [code] = zxingcpp.read_barcodes(page)
    pixels = code.position.top_right.x - code.position.top_left.x
    assert pixels / dpi * MILLIMETRES_PER_INCH >= 90
    assert code.ec_level == "Q"


@pytest.mark.parametrize("dpi", [150, 300])
def test_every_code_of_a_sheet_is_read_on_its_page(sheet: bytes, per_page: PerPage, dpi: int) -> None:
    urls = [slip.url for slip in SHEET.slips]
    pages = [set(urls[start : start + per_page]) for start in range(0, len(urls), per_page)]
    assert codes_on(sheet, dpi) == pages


def test_a_slip_names_village_campaign_serial_and_code(sheet: bytes) -> None:
    words = words_of(sheet)
    for name in TEXTS_OF_A_SHEET:
        assert words.count(squeezed(getattr(SHEET, name))) >= len(SHEET.slips)
    for slip in SHEET.slips:
        assert f"序号{slip.serial:04}" in words
        assert grouped(slip.code) in words


def test_only_fonts_of_our_own_packages_are_used(poster: bytes, sheet: bytes) -> None:
    lines = [
        line.split()
        for pdf in (poster, sheet)
        for line in piped(pdf, "pdffonts", "-").decode().splitlines()[2:]
    ]
    families = {line[0].partition("+")[2].partition("-")[0] for line in lines}
    assert families <= {"NotoSansSC", "NotoSerifSC", "DejaVuSansMono"}


def test_the_same_poster_is_the_same_file(poster: bytes) -> None:
    assert render_poster(POSTER) == poster


def test_text_on_a_poster_is_never_markup() -> None:
    pdf = poster_of(HOSTILE)
    assert words_of(pdf).count(squeezed(HOSTILE)) == len(TEXTS_OF_A_POSTER)
    assert codes_on(pdf, 150) == [{POSTER.url}]


def test_text_on_a_slip_is_never_markup() -> None:
    pdf = sheet_of(HOSTILE, [slip(1)])
    assert words_of(pdf).count(squeezed(HOSTILE)) == len(TEXTS_OF_A_SHEET)


@pytest.mark.parametrize(
    "value",
    [
        "很长的村名" * 100,
        "Llanfairpwllgwyngyll" * 20,
        "村🎉👨‍👩‍👧",
        "قرية שלום 村",
        "a\0\n\ud800\u202e反",
        "",
    ],
    ids=["long", "one long word", "emoji", "right to left", "control characters", "empty"],
)
def test_any_text_leaves_one_page_with_its_code(value: str) -> None:
    assert codes_on(poster_of(value), 100) == [{POSTER.url}]


def test_any_text_leaves_a_sheet_its_codes() -> None:
    slips = SHEET.slips[:24]
    assert codes_on(sheet_of("很长的村名" * 100, slips), 150) == [{slip.url for slip in slips}]


def test_a_slip_keeps_its_code_out_of_logs() -> None:
    assert slip(1).code not in repr(SHEET)


def test_what_cannot_be_set_is_an_error_without_codes() -> None:
    with pytest.raises(PrintError) as caught:
        render_sheet(replace(SHEET, mode=Mode.OPEN))
    assert "holder_open" in str(caught.value)
    assert not any(slip.code in str(caught.value) for slip in SHEET.slips)


def test_a_typesetter_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "MOST_SECONDS", 0.01)
    with pytest.raises(PrintError, match="longer"):
        render_poster(POSTER)
