"""The letter on paper: what a household gets, and what no words can break."""

import pytest

from survey_service.campaigns.rules import Mode
from survey_service.clear_letters.printing import PrintOrder
from survey_service.clear_letters.rules import PaperSize
from survey_service.core.db import reading
from survey_service.print_runs import printing
from survey_service.print_runs.rules import MOST_LARGE_LETTERS_OF_A_PART
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.campaigns.callers import Caller, Offices, problem
from tests.http.clear_letters.conftest import Letter, begin_letter
from tests.support.pdf import codes_on, edges_of, widest_point, words_of

DPI = 110
HOSTILE = ['#import "/etc/passwd"', "$ \\frac $", "*_`<label>@ref", "a" * 190, "\u202e倒写", "=标题= // 注释"]


def printed(letter: Letter, who: Caller, **body: object) -> bytes:
    answer = who.post(f"{letter.path}/print", body)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), answer.text
    return answer.data


def test_the_poster_s_code_and_the_page_s_stand_on_one_sheet(letter: Letter) -> None:
    (entrance,) = letter.world.issue(Mode.OPEN)
    pdf = printed(letter.published(), letter.secretary)
    page = letter.shown()["url"]
    assert codes_on(pdf, DPI) == [{page, f"http://survey.example/s/{entrance.code}"}]
    words = words_of(pdf)
    for found in (
        "第1村第三季度明白信",
        "土地流转",
        "38,600",
        "13800000001",
        "2026年12月15日前",
        "村委会门口意见箱",
    ):
        assert found in words
    assert "草稿" not in words


def test_each_household_gets_its_own_code_and_serial(letter: Letter) -> None:
    codes = letter.world.issue(count=5)
    letter.published()
    pdf = printed(letter, letter.town, codes="household", first=2, count=3)
    page = letter.shown()["url"]
    wanted = [{page, f"http://survey.example/s/{one.code}"} for one in codes[1:4]]
    assert codes_on(pdf, DPI) == wanted
    assert all(f"户号{serial:04}" in words_of(pdf) for serial in (2, 3, 4))


def test_a_whole_village_is_printed_in_large_type(letter: Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a run of printing, two PDFs for more letters than one holds; no PDF is set here."""
    monkeypatch.setattr(printing, "render", lambda _sheet: b"%PDF")
    letter.world.issue(count=MOST_LARGE_LETTERS_OF_A_PART + 3)
    letter.published()
    path = f"/campaigns/{letter.world.campaign_id}/print-runs"
    made = letter.town.post(path, {"layout": "letter_large"})
    assert (made.status_code, made.json["parts"]) == (202, 2), made.text
    with reading() as session:
        order = printing.prepare_part(
            session,
            run_id=made.json["id"],
            number=1,
            keyring=letter.world.keyring,
            public_url="http://survey.example",
        )
    assert isinstance(order, PrintOrder)
    assert (order.size, len(order.sheets)) == (PaperSize.LARGE, 126)


def test_sums_in_large_type_stay_in_their_columns(world: World, secretary: Caller, town: Caller) -> None:
    rows = [
        ["项目", "收入", "支出", "说明"],
        ["合计", "13,331,080", "13,379,606", "上季结余96,300，本季结余47,774"],
    ]
    finances = {"finances": {"text": "账目如下", "tables": [{"title": "收支", "rows": rows}]}}
    letter = begin_letter(world, secretary, town, sections=finances)
    (_, income_ends), (spending_begins, _) = (
        edges_of(printed(letter, secretary, size="large"), sum) for sum in ("13,331,080", "13,379,606")
    )
    assert income_ends < spending_begins


def test_household_codes_are_for_staff_above_and_for_published_letters(
    letter: Letter, offices: Offices
) -> None:
    letter.world.issue(count=2)
    asked = {"codes": "household"}
    assert problem(letter.town.post(f"{letter.path}/print", asked)) == (409, "letter_not_published")
    letter.published()
    assert problem(letter.secretary.post(f"{letter.path}/print", asked)) == (403, "forbidden")
    auditor = offices.caller(Role.AUDITOR, "county")
    assert problem(auditor.post(f"{letter.path}/print", {})) == (403, "forbidden")
    none = letter.town.post(f"{letter.path}/print", asked | {"first": 900})
    assert problem(none) == (409, "no_household_codes")


def test_a_draft_is_printed_as_one(letter: Letter) -> None:
    assert "草稿" in words_of(printed(letter, letter.secretary, size="large"))


@pytest.mark.parametrize("size", ["normal", "large"])
def test_long_and_hostile_letters_take_several_pages(
    world: World, secretary: Caller, town: Caller, size: str
) -> None:
    rows = [
        ["编号", "说明", *["数"] * 6],
        *[[str(row), HOSTILE[row % 6][:80], *["1"] * 6] for row in range(39)],
    ]
    tables = [{"title": HOSTILE[0], "rows": rows}]
    letter = begin_letter(
        world,
        secretary,
        town,
        title=HOSTILE[0],
        work_done=HOSTILE,
        sections={"finances": {"text": "\n".join(HOSTILE), "tables": tables}},
        contacts=[{"name": "\\", "role": "#", "phone": "12345678"}],
    )
    pdf = printed(letter, secretary, size=size)
    words = words_of(pdf).replace("\u200b", "")
    assert len(codes_on(pdf, 60)) > 1
    assert widest_point(pdf) <= 1
    assert words.count("编号") > 1, "the headings are repeated on the next page"
    for one in HOSTILE:
        assert "".join(one.replace("\u202e", "").split()) in words


def test_a_run_of_printing_takes_each_village_s_own_letter(letter: Letter) -> None:
    """The second village has published none, so its households get the plain invitation."""
    letter.published()
    codes = letter.world.issue(count=2)
    letter.world.issue(village=1)
    path = f"/campaigns/{letter.world.campaign_id}/print-runs"
    run = letter.town.post(path, {"layout": "letter"}).json["id"]
    letter.world.drain()
    parts = {
        row["organization_code"]: letter.town.get(f"{path}/{run}/parts/{row['number']}.pdf").data
        for row in letter.town.get(f"{path}/{run}").json["items"]
    }
    own, other = (parts[code] for code in letter.world.village_codes)
    page = letter.shown()["url"]
    assert codes_on(own, DPI) == [{page, f"http://survey.example/s/{one.code}"} for one in codes]
    assert "土地流转" in words_of(own)
    assert "土地流转" not in words_of(other)
