"""The pages of organizations and accounts."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from python_calamine import CalamineWorkbook

from survey_service.organizations.queries import get_organization
from survey_service.organizations.rules import OrganizationKind
from survey_service.staff.queries import find_account
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


def account_of(people: People, name: str) -> str:
    """Return the address of the page of an account."""
    with people.app.extensions["database"].reading() as session:
        return f"/staff/accounts/{find_account(session, username=name).id}"


def password_on(page: str) -> str:
    return page.split('class="secret">')[1].split("<")[0]


def test_a_password_is_reset_and_an_account_shut(town: World, people: People) -> None:
    name = people.hire(Role.BRANCH_SECRETARY, town.village_codes[0])
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    account = account_of(people, name)
    assert f'href="{account}"' in browser.get("/staff/accounts").text
    browser.get(account)
    reset = browser.post(f"{account}/reset").text
    assert hidden(reset, "slips")
    secretary = Browser(town.app.test_client())
    assert secretary.post("/staff", {"username": name, "password": PASSWORD}).status_code == 401
    assert secretary.post("/staff", {"username": name, "password": password_on(reset)}).status_code == 303
    assert "账号已经停用" in browser.follow(f"{account}/disable").text
    assert "已停用" in browser.get("/staff/accounts").text
    assert secretary.get("/staff/campaigns").status_code == 303
    assert password_on(browser.post(f"{account}/enable").text)


def test_a_secretary_hands_over_to_his_successor(town: World, people: People) -> None:
    name = people.hire(Role.BRANCH_SECRETARY, town.village_codes[0])
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    account = account_of(people, name)
    assert "换人交接" in browser.get(account).text
    refused = browser.post(f"{account}/hand-over", {"display_name": "王五", "username": name})
    assert (refused.status_code, 'value="王五"' in refused.text) == (409, True)
    made = browser.post(f"{account}/hand-over", {"display_name": "王五"}).text
    assert "王五的初始密码" in made
    assert "换人交接" not in browser.get(account).text
    assert "王五" in browser.get("/staff/accounts?state=never_signed_in").text


def test_accounts_are_searched_and_narrowed(town: World, people: People) -> None:
    name = people.hire(Role.BRANCH_SECRETARY, town.village_codes[0])
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    for query in (f"words={name[:9]}", f"organization={town.village_codes[0]}", "state=never_signed_in"):
        assert name in browser.get(f"/staff/accounts?{query}").text
    for query in ("words=%25", f"organization={town.village_codes[1]}", "state=disabled"):
        assert name not in browser.get(f"/staff/accounts?{query}").text
    assert browser.get("/staff/accounts?state=strange").status_code == 422


def test_a_locked_account_is_opened_and_its_sessions_are_ended(town: World, people: People) -> None:
    secretary = people.browser(Role.BRANCH_SECRETARY, town.village_codes[0])
    account = account_of(people, f"branch_secretary.{town.village_codes[0]}".lower())
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    assert "其他程序，其他设备" in browser.get(account).text
    assert "全部登录已经结束" in browser.follow(f"{account}/end-sessions").text
    assert secretary.get("/staff/campaigns").status_code == 303
    for _ in range(5):
        secretary.post("/staff", {"username": account_name(town), "password": "wrong"})
    assert "解除锁定" in browser.get(account).text
    assert "已经解除锁定" in browser.follow(f"{account}/unlock").text
    opened = secretary.post("/staff", {"username": account_name(town), "password": PASSWORD})
    assert opened.status_code == 303


def account_name(town: World) -> str:
    return f"branch_secretary.{town.village_codes[0]}".lower()


def test_nobody_is_offered_to_reset_his_equals(town: World, people: People) -> None:
    equal = people.hire(Role.COUNTY_ADMIN, town.village_codes[0])
    below = people.hire(Role.TOWN_STAFF, town.town_code)
    browser = people.browser(Role.COUNTY_ADMIN, town.town_code)
    offered = ["重置密码" in browser.get(account_of(people, name)).text for name in (equal, below)]
    assert offered == [False, True]


def test_administrators_are_separate(town: World, people: People) -> None:
    """What the one gives opens when the other has approved it; business roles give nothing any more."""
    office = people.browser(Role.TOWN_STAFF, town.town_code)
    assert "新建账号" in office.get("/staff/accounts").text
    system = people.browser(Role.SYSTEM_ADMIN, town.town_code)
    security = people.browser(Role.SECURITY_ADMIN, town.town_code)
    assert "新建账号" not in office.get("/staff/accounts").text
    assert office.get("/staff/accounts/new").status_code == 403
    assert system.get("/staff/campaigns").status_code == 403
    system.get("/staff/accounts/new")
    fields = {"username": "li.si", "role": "branch_secretary", "organization_code": town.village_codes[0]}
    made = system.post("/staff/accounts/new", fields).text
    assert "安全管理员核准以后" in made
    newcomer, credentials = (
        Browser(town.app.test_client()),
        {"username": "li.si", "password": password_on(made)},
    )
    refused = newcomer.post("/staff", credentials)
    assert (refused.status_code, "还没有经安全管理员核准" in refused.text) == (403, True)
    account = account_of(people, "li.si")
    assert system.post(f"{account}/approve").status_code == 403
    assert "待核准 1 个" in security.get("/staff/accounts").text
    security.get(account)
    assert "账号已经核准" in security.follow(f"{account}/approve").text
    assert security.post(f"{account}/approve").status_code == 409
    assert newcomer.post("/staff", credentials).status_code == 303
    assert security.post(f"{account}/reset").status_code == 403
    system.get(account)
    assert "安全管理员核准以后" in system.post(f"{account}/reset").text


def test_administrators_do_not_reach_each_other(town: World, people: People) -> None:
    system = people.browser(Role.SYSTEM_ADMIN, town.town_code)
    security = people.browser(Role.SECURITY_ADMIN, town.town_code)
    guard = account_of(people, f"security_admin.{town.town_code}".lower())
    system.get(guard)
    security.get(guard)
    assert system.post(f"{guard}/reset").status_code == 403
    assert security.post(f"{guard}/disable").status_code == 403
    assert security.follow("/staff/sign-out").status_code == 200
    home = security.post(
        "/staff", {"username": f"security_admin.{town.town_code}".lower(), "password": PASSWORD}
    )
    assert home.location == "/staff/accounts"


def test_what_no_database_stores_is_refused(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    for address in (
        "/staff/organizations?parent=%00",
        f"/staff/campaigns/{town.campaign_id}/scores/%00",
        f"/api/v1/campaigns/{town.campaign_id}/scores/%00",
    ):
        assert browser.get(address).status_code in {400, 404}, address
    assert browser.get("/staff/accounts?cursor=99999999999999999999").status_code == 422
