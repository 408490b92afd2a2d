"""The audit trail as the API and the page show it."""

import json
from hashlib import sha256
from typing import Any

import pytest

from survey_service.organizations.queries import list_ancestors
from survey_service.staff.rules import Role
from tests.factories.auditing.chain import append, read_chain
from tests.factories.campaigns import World, start_campaign
from tests.http.reports.conftest import People

ADDRESS = "/api/v1/audit"


@pytest.fixture
def county(town: World) -> str:
    """The code of the county above the town."""
    with town.app.extensions["database"].reading() as session:
        return list_ancestors(session, path=town.staff.path)[0].code


def recomputed(item: dict[str, Any]) -> str:
    """Compute the digest of an item as anybody can who has read the decision, with nothing of ours."""
    content = {name: value for name, value in item.items() if name != "digest"}
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(written.encode()).hexdigest()


def test_an_auditor_reads_a_chain_that_he_can_check(town: World, people: People, county: str) -> None:
    office = people.system(Role.TOWN_STAFF, town.town_code)
    office.patch(f"/api/v1/organizations/{town.village_codes[0]}", json={"members": 7})
    answer = people.system(Role.AUDITOR, county).get(ADDRESS)
    items = answer.json["items"]
    assert answer.json["next_cursor"] is None
    assert set(items[0]) == {
        *("seq", "at", "actor", "action", "target", "before", "after", "previous", "digest")
    }
    assert [item["seq"] for item in items] == list(range(1, len(items) + 1))
    assert [item["previous"] for item in items[1:]] == [item["digest"] for item in items[:-1]]
    assert [item["digest"] for item in items] == [recomputed(item) for item in items]
    (update,) = [item for item in items if item["action"] == "organizations.update"]
    assert update["actor"] == f"town_staff.{town.town_code}".lower()
    assert (update["before"], update["after"]) == ({"members": 20}, {"members": 7})


@pytest.mark.parametrize("role", [Role.COUNTY_ADMIN, Role.TOWN_STAFF, Role.BRANCH_SECRETARY])
def test_nobody_else_reads_it(town: World, people: People, role: Role) -> None:
    assert people.system(role, town.town_code).get(ADDRESS).json["code"] == "forbidden"
    assert people.browser(role, town.village_codes[0]).get("/staff/audit").status_code == 403


def test_strangers_are_asked_to_sign_in(town: World) -> None:
    assert town.app.test_client().get(ADDRESS).status_code == 401


def test_it_is_paged(town: World, people: People, county: str) -> None:
    append(town.app.extensions["database"], *(f"act:{number}" for number in range(120)))
    auditor = people.system(Role.AUDITOR, county)
    first = auditor.get(ADDRESS).json
    second = auditor.get(f"{ADDRESS}?cursor={first['next_cursor']}").json
    assert len(first["items"]) == 100
    assert second["items"][0]["seq"] == 101
    assert second["next_cursor"] is None
    assert auditor.get(f"{ADDRESS}?cursor=x").status_code == 422


def test_an_auditor_of_a_town_sees_his_town(town: World, people: People) -> None:
    elsewhere = start_campaign(town.app)
    other = people.system(Role.TOWN_STAFF, elsewhere.town_code)
    other.patch(f"/api/v1/organizations/{elsewhere.village_codes[0]}", json={"members": 7})
    own = people.system(Role.TOWN_STAFF, town.town_code)
    own.patch(f"/api/v1/organizations/{town.village_codes[0]}", json={"members": 8})
    items = people.system(Role.AUDITOR, town.town_code).get(ADDRESS).json["items"]
    assert [item["after"] for item in items if item["action"] == "organizations.update"] == [{"members": 8}]


def test_the_page_shows_the_head_and_the_latest_acts(town: World, people: People, county: str) -> None:
    office = people.system(Role.TOWN_STAFF, town.town_code)
    office.patch(f"/api/v1/organizations/{town.village_codes[0]}", json={"members": 7})
    office.post(f"/api/v1/campaigns/{town.campaign_id}/launch")
    browser = people.browser(Role.AUDITOR, county)
    page = browser.get("/staff/audit").text
    assert read_chain(town.app.extensions["database"])[-1].digest in page
    for words in (
        "修改户数、人数",
        "members：20 → 7",
        f"组织 {town.village_codes[0]}",
        "被拒绝（frozen）",
        "启动测评",
    ):
        assert words in page
    assert "系统运维（命令行）" in page
    assert 'href="/staff/audit" aria-current="page"' in page


def test_older_acts_follow_on_further_pages(town: World, people: People, county: str) -> None:
    append(town.app.extensions["database"], *(f"act:{number}" for number in range(120)))
    browser = people.browser(Role.AUDITOR, county)
    first = browser.get("/staff/audit").text
    following = first.split('class="pages"><a href="')[1].split('"')[0]
    assert "act:119" in first
    assert "act:5<" in browser.get(following).text
    assert browser.get("/staff/audit?cursor=x").status_code == 422


def test_what_the_catalogue_does_not_know_is_shown_as_it_is(town: World, people: People, county: str) -> None:
    append(town.app.extensions["database"], "<script>")
    page = people.browser(Role.AUDITOR, county).get("/staff/audit").text
    assert "a.b" in page
    assert "&lt;script&gt;" in page
