"""The pages of codes at scale, and the numbers beside the score."""

import re
from io import BytesIO
from zipfile import ZipFile

import pytest

from survey_service.print_runs import printing
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.reports.conftest import Browser, People


@pytest.fixture(autouse=True)
def quick_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        printing, "render", lambda sheet: "\n".join(slip.code for slip in sheet.slips).encode()
    )


def address(town: World, end: str = "codes") -> str:
    return f"/staff/campaigns/{town.campaign_id}/{end}"


def numbers_of(page: str) -> list[str]:
    """Return the numbers of the first row of the table."""
    row = re.search(r'<th scope="row">第1村.*?</tr>', page, re.DOTALL)
    assert row
    return re.findall(r'<td class="number">([^<]*)</td>', row[0])


@pytest.fixture
def browser(people: People, town: World) -> Browser:
    """The town's browser, with the page of codes open."""
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get(address(town))
    return browser


def test_the_whole_way_of_paper_on_the_pages(browser: Browser, town: World) -> None:
    sheet = f"村编码,村民小组,户数\n{town.village_codes[0]},一组,2\n{town.village_codes[0]},二组,1\n"
    made = browser.post(address(town, "household-codes"), {"file": (BytesIO(sheet.encode()), "g.csv")})
    assert (made.status_code, "notice=codes_made" in made.location) == (303, True)
    started = browser.post(
        address(town, "print-runs"), {"mode": "household", "layout": "labels_24", "split": "group"}
    )
    waiting = browser.get(started.location)
    assert (waiting.headers["Refresh"], "已完成 0 / 2 份" in waiting.text) == ("3", True)
    town.drain()
    done = browser.get(started.location)
    assert ("Refresh" in done.headers, "已完成 2 / 2 份，共 3 个编号" in done.text) == (False, True)
    assert "一组" in done.text
    assert len(browser.get(f"{started.location}/parts/1.pdf").data.split()) == 2
    with ZipFile(BytesIO(browser.get(f"{started.location}/parts.zip").data)) as archive:
        assert len(archive.namelist()) == 2
    assert numbers_of(browser.get(address(town)).text) == ["3", "3", "0", "0", "0", "0", "0"]
    browser.post(address(town, "hand-outs"), {"mode": "household"})
    assert numbers_of(browser.get(address(town)).text) == ["3", "3", "3", "0", "0", "0", "0"]
    assert "已删除" in browser.get(started.location).text


def test_slots_are_revoked_and_reissued_on_the_page(browser: Browser, town: World) -> None:
    town.issue(count=4)
    form = {"organization_code": town.village_codes[0], "mode": "household", "rater_class": "villager"}
    revoked = browser.post(address(town, "slots/revoke"), form | {"serials": "1-2", "as": "lost"})
    reissued = browser.post(address(town, "slots/reissue"), form | {"serials": "２、3"})
    assert [one.status_code for one in (revoked, reissued)] == [303, 303]
    assert numbers_of(browser.get(address(town)).text) == ["4", "1", "0", "0", "1", "2", "0"]
    refused = browser.post(address(town, "slots/reissue"), form | {"serials": "9"})
    assert (refused.status_code, "没有这些序号：9。" in refused.text) == (422, True)


def test_what_is_wrong_with_a_sheet_is_said_row_by_row(browser: Browser, town: World) -> None:
    sheet = f"村编码,村民小组,户数\n{town.village_codes[0]},一组,两户\n"
    refused = browser.post(address(town, "household-codes"), {"file": (BytesIO(sheet.encode()), "g.csv")})
    assert refused.status_code == 422
    assert "户数要填数字" in refused.text
    nothing = browser.post(address(town, "print-runs"), {"mode": "household", "layout": "letter"})
    assert (nothing.status_code, "没有可以印的编号" in nothing.text) == (409, True)


def test_how_many_were_used_is_said_above_the_rated_only(
    people: People, browser: Browser, town: World
) -> None:
    town.vote(["satisfied"] * 6)
    town.issue(count=2)
    town.drain()
    assert numbers_of(browser.get(address(town)).text) == ["8", "8", "0", "0", "0", "0", "6"]
    secretary = people.browser(Role.BRANCH_SECRETARY, town.village_codes[0])
    seen = secretary.get(address(town)).text
    assert numbers_of(seen) == ["8", "8", "0", "0", "0", "0", "—"]
    assert "第2村" not in seen
    assert not [word for word in ("生成编号", "开始印制", "登记已发放", "补发</summary>") if word in seen]
    score = browser.get(address(town, f"scores/{town.village_codes[0]}")).text
    assert re.search(r"<dt>已使用</dt><dd>6</dd>", score)


def test_the_same_numbers_come_from_the_api(people: People, town: World) -> None:
    town.vote(["satisfied"] * 6)
    town.drain()
    clients = (
        people.system(Role.TOWN_STAFF, town.town_code),
        people.system(Role.BRANCH_SECRETARY, town.village_codes[0]),
    )
    above, own = (
        client.get(f"/api/v1/campaigns/{town.campaign_id}/codes").json["items"][0] for client in clients
    )
    assert (above["used"], own["used"]) == (6, None)
    assert above["codes"] == own["codes"]
    assert above["codes"][0] | {"made": 6, "printed": 6} == above["codes"][0]


def test_a_place_without_such_codes_is_named_in_a_sentence(browser: Browser, town: World) -> None:
    body = {"mode": "household", "layout": "labels_24", "organization_code": town.town_code}
    page = browser.post(address(town, "print-runs"), body)
    assert page.status_code == 422
    assert f"这些单位没有这种编码：{town.town_code}" in page.text
    assert "organization_codes</th>" not in page.text
