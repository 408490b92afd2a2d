"""The pages of organizations and accounts."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from python_calamine import CalamineWorkbook

from survey_service.organizations.queries import get_organization
from survey_service.organizations.rules import OrganizationKind
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.factories.organizations.files import csv_file
from tests.factories.organizations.tree import create_organization
from tests.factories.staff.offices import PASSWORD
from tests.http.reports.conftest import Browser, People
from tests.support.pdf import words_of


def upload(browser: Browser, *rows: Sequence[object]) -> Any:
    return browser.post("/staff/organizations/import", {"file": (BytesIO(csv_file(*rows)), "村.csv")})


def hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"')[0]


def test_the_tree_is_shown_one_level_at_a_time(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    own = browser.get("/staff/organizations").text
    assert [name in own for name in ("汤溪镇", "第1村", "第2村")] == [True] * 3
    village = browser.get(f"/staff/organizations?parent={town.village_codes[0]}").text
    assert f'href="/staff/organizations?parent={town.town_code}"' in village
    assert "下面还没有组织" in village


def test_the_tree_outside_is_closed(town: World, elsewhere: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    assert browser.get(f"/staff/organizations?parent={elsewhere.town_code}").status_code == 403
    assert browser.get("/staff/organizations?parent=nowhere").status_code == 404


def test_a_long_level_has_further_pages(town: World, people: People) -> None:
    with town.app.extensions["database"].unit_of_work() as session:
        parent = get_organization(session, code=town.town_code)
        for number in range(100):
            create_organization(session, OrganizationKind.VILLAGE, parent=parent, name=f"新{number}村")
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    first = browser.get("/staff/organizations").text
    following = first.split('class="pages"><a href="')[1].split('"')[0].replace("&amp;", "&")
    assert "新99村" in browser.get(following).text


def test_a_good_sheet_is_imported(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/organizations/import")
    page = upload(browser, ["N1", "新村", town.town_code, "village"]).text
    assert "新增 1 个，更新 0 个" in page
    assert "新村" in browser.get("/staff/organizations").text


def test_bad_rows_are_listed_and_marked_in_a_copy(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/organizations/import")
    refused = upload(browser, ["N1", "新村", town.town_code, "village"], ["N2", "", "T-nowhere", "village"])
    assert refused.status_code == 422
    assert "缺少名称。" in refused.text
    kept = {name: hidden(refused.text, name) for name in ("content", "filename")}
    copy = browser.post("/staff/organizations/import/errors", kept)
    rows = CalamineWorkbook.from_filelike(BytesIO(copy.data)).get_sheet_by_index(0).to_python()
    assert (rows[0][-1], rows[1][-1], "缺少名称" in rows[2][-1]) == ("错误", "", True)
    assert "新村" not in browser.get("/staff/organizations").text
    nonsense = browser.post("/staff/organizations/import/errors", kept | {"content": "x"})
    assert nonsense.status_code == 400


def test_a_sheet_larger_than_other_bodies_is_taken(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/organizations/import")
    rows = [["", "名" * 60, "T-nowhere", "village"] for _ in range(2_000)]
    refused = upload(browser, *rows)
    assert (refused.status_code, "还有 1800 行没有列出" in refused.text) == (422, True)
    kept = {name: hidden(refused.text, name) for name in ("content", "filename")}
    assert browser.post("/staff/organizations/import/errors", kept).status_code == 200


def test_no_file_and_no_table_are_said(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/organizations/import")
    assert browser.post("/staff/organizations/import").status_code == 422
    picture = {"file": (BytesIO(bytes(range(256))), "图.png")}
    assert "不是表格" in browser.post("/staff/organizations/import", picture).text


def test_an_account_is_made_and_its_password_shown_once(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    form = browser.get("/staff/accounts/new").text
    assert ("党支部书记" in form, "县级管理员" in form) == (True, False)
    fields = {"username": "li.si", "display_name": "李四", "role": "branch_secretary"}
    fields["organization_code"] = town.village_codes[0]
    page = browser.post("/staff/accounts/new", fields).text
    password = page.split('class="secret">')[1].split("<")[0]
    newcomer = Browser(town.app.test_client())
    newcomer.post("/staff", {"username": "li.si", "password": password})
    assert newcomer.get("/staff/campaigns").location == "/staff/password"
    assert "待改初始密码" in browser.get("/staff/accounts").text
    again = browser.post("/staff/accounts/new", fields)
    assert (again.status_code, "已经有人使用" in again.text) == (409, True)
    assert 'value="李四"' in again.text


HEADINGS = ("姓名", "用户名", "角色", "组织编码")


def upload_people(browser: Browser, *rows: Sequence[object]) -> Any:
    browser.get("/staff/accounts/import")
    file = (BytesIO(csv_file(*rows, headings=HEADINGS)), "人员.csv")
    return browser.post("/staff/accounts/import", {"file": file})


def test_people_are_imported_and_their_slips_printed(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    page = upload_people(browser, ["张三", "", "党支部书记", town.village_codes[0]]).text
    assert ("已生成 1 个账号" in page, 'class="secret"' in page) == (True, False)
    slips = {"slips": hidden(page, "slips")}
    for _ in range(2):
        assert "张三" in words_of(browser.post("/staff/accounts/slips", slips).data)
    assert browser.post("/staff/accounts/slips", {"slips": "x"}).status_code == 403


def test_bad_people_are_listed_and_marked_in_a_copy(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    refused = upload_people(browser, ["张三", "", "皇帝", town.village_codes[0]])
    assert (refused.status_code, "不认识角色“皇帝”" in refused.text) == (422, True)
    kept = {name: hidden(refused.text, name) for name in ("content", "filename")}
    copy = browser.post("/staff/accounts/import/errors", kept)
    rows = CalamineWorkbook.from_filelike(BytesIO(copy.data)).get_sheet_by_index(0).to_python()
    assert (rows[0][-1], "皇帝" in rows[1][-1]) == ("错误", True)


def test_what_is_wrong_with_an_account_is_said(town: World, elsewhere: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/accounts/new")
    fields = {"username": "x", "role": "branch_secretary", "organization_code": "nowhere"}
    assert "没有这个组织" in browser.post("/staff/accounts/new", fields).text
    fields["organization_code"] = town.village_codes[0]
    assert "用户名为 3 至 64 个字符" in browser.post("/staff/accounts/new", fields).text
    outside = fields | {"username": "wang.wu", "organization_code": elsewhere.town_code}
    assert browser.post("/staff/accounts/new", outside).status_code == 403


def test_a_password_is_reset_and_an_account_shut(town: World, people: People) -> None:
    name = people.hire(Role.BRANCH_SECRETARY, town.village_codes[0])
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    page = browser.get("/staff/accounts").text
    staff_id = page.split(f"<td>{name}</td>")[1].split("/staff/accounts/")[1].split("/")[0]
    reset = browser.post(f"/staff/accounts/{staff_id}/reset").text
    assert 'class="secret">' in reset
    secretary = Browser(town.app.test_client())
    assert secretary.post("/staff", {"username": name, "password": PASSWORD}).status_code == 401
    assert "账号已经停用" in browser.follow(f"/staff/accounts/{staff_id}/disable").text
    assert "已停用" in browser.get("/staff/accounts").text


def test_nobody_is_offered_to_reset_his_equals(town: World, people: People) -> None:
    people.hire(Role.TOWN_STAFF, town.town_code)
    page = people.browser(Role.COUNTY_ADMIN, town.town_code).get("/staff/accounts").text
    assert page.count("重置密码") == 2  # The town's own clerk of the factory, and the one hired here.


def test_what_no_database_stores_is_refused(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    for address in (
        "/staff/organizations?parent=%00",
        f"/staff/campaigns/{town.campaign_id}/scores/%00",
        f"/api/v1/campaigns/{town.campaign_id}/scores/%00",
    ):
        assert browser.get(address).status_code in {400, 404}, address
    assert browser.get("/staff/accounts?cursor=99999999999999999999").status_code == 422
