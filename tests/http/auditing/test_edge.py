"""What the edge records by itself: who called, what was refused, and what no service spoke of."""

import pytest

from survey_service.auditing.rules import Entry
from survey_service.core.audit import STRANGER
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.factories.staff.offices import PASSWORD
from tests.http.auditing.conftest import NewEntries
from tests.http.reports.conftest import People


def told(entries: list[Entry]) -> list[tuple[str, str, str, str | None]]:
    return [(entry.actor, entry.action, entry.target, entry.refusal) for entry in entries]


def test_reading_leaves_no_entry(town: World, people: People, new_entries: NewEntries) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    new_entries()
    for address in ("campaigns", "organizations", f"campaigns/{town.campaign_id}/scores", "staff", "auth/me"):
        assert client.get(f"/api/v1/{address}").status_code == 200
    browser = people.browser(Role.COUNTY_ADMIN, town.town_code)
    new_entries()
    assert browser.get(f"/staff/campaigns/{town.campaign_id}").status_code == 200
    assert browser.get("/staff/campaigns/new").status_code == 200, "a form is read, though it is for writing"
    assert new_entries() == []


def test_a_call_outside_of_a_role_is_recorded(town: World, people: People, new_entries: NewEntries) -> None:
    client = people.system(Role.BRANCH_SECRETARY, town.village_codes[0])
    new_entries()
    address = f"/api/v1/campaigns/{town.campaign_id}/close"
    assert client.post(address).status_code == 403
    who = f"branch_secretary.{town.village_codes[0]}".lower()
    assert told(new_entries()) == [(who, "campaigns.close", f"POST {address}", "forbidden")]


def test_a_call_outside_of_a_sub_tree_is_recorded(
    town: World, people: People, new_entries: NewEntries
) -> None:
    client = people.system(Role.TOWN_STAFF, town.village_codes[0])
    new_entries()
    address = f"/api/v1/campaigns/{town.campaign_id}/close"
    assert client.post(address).status_code == 403
    (entry,) = new_entries()
    assert (entry.action, entry.refusal) == ("campaigns.close", "forbidden")


def test_what_the_service_forbids_is_recorded(town: World, people: People, new_entries: NewEntries) -> None:
    client = people.system(Role.BRANCH_SECRETARY, town.village_codes[0])
    new_entries()
    address = f"/api/v1/campaigns/{town.campaign_id}/posters"
    body = {"organization_code": town.village_codes[0], "layout": "sheet"}
    assert client.post(address, json=body).status_code == 403
    assert [entry.refusal for entry in new_entries()] == ["forbidden"]


def test_a_refused_page_is_recorded(town: World, people: People, new_entries: NewEntries) -> None:
    browser = people.browser(Role.BRANCH_SECRETARY, town.village_codes[0])
    new_entries()
    assert browser.get("/staff/accounts").status_code == 403
    (entry,) = new_entries()
    assert (entry.action, entry.target, entry.refusal) == ("staff.read", "GET /staff/accounts", "forbidden")


def test_a_change_of_what_is_frozen_is_recorded(town: World, people: People, new_entries: NewEntries) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    new_entries()
    assert client.post(f"/api/v1/campaigns/{town.campaign_id}/launch").json["code"] == "frozen"
    (entry,) = new_entries()
    assert (entry.action, entry.refusal) == ("campaigns.launch", "frozen")


def test_a_slip_of_the_pen_is_not_recorded(town: World, people: People, new_entries: NewEntries) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    new_entries()
    assert client.post("/api/v1/campaigns", json={}).status_code == 422
    assert client.get("/api/v1/campaigns/4815162342").status_code == 404
    assert new_entries() == []


def test_strangers_leave_no_entry(town: World, new_entries: NewEntries) -> None:
    client = town.app.test_client()
    new_entries()
    assert client.post(f"/api/v1/campaigns/{town.campaign_id}/close").status_code == 401
    assert client.get("/s/nonsense").status_code == 404
    assert new_entries() == []


def test_a_wrong_password_of_a_known_account_is_recorded(
    town: World, people: People, new_entries: NewEntries
) -> None:
    name = people.hire(Role.TOWN_STAFF, town.town_code)
    client = town.app.test_client()
    new_entries()
    statuses = [
        client.post(
            "/api/v1/auth/token", json={"username": name.upper(), "password": "Wrong-2026"}
        ).status_code
        for _ in range(6)
    ]
    assert statuses == [401] * 5 + [423]
    refused = [(STRANGER, "password.check", f"staff:{name}", "bad_credentials")] * 5
    assert told(new_entries()) == [*refused, (STRANGER, "password.check", f"staff:{name}", "locked")]


def test_a_disabled_account_is_known_as_well(town: World, people: People, new_entries: NewEntries) -> None:
    name = people.hire(Role.TOWN_STAFF, town.town_code)
    with town.app.extensions["database"].unit_of_work() as session:
        session.query(StaffAccount).filter_by(username=name).update({"disabled_at": NOW})
    new_entries()
    answer = town.app.test_client().post("/api/v1/auth/token", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 401
    assert [entry.target for entry in new_entries()] == [f"staff:{name}"]


@pytest.mark.parametrize("name", ["Tangxi-2026", "x", "nobody.here", "\u0000"])
def test_names_that_nobody_has_are_kept_nowhere(town: World, new_entries: NewEntries, name: str) -> None:
    new_entries()
    town.app.test_client().post("/api/v1/auth/token", json={"username": name, "password": "Wrong-2026"})
    town.app.test_client().post("/staff", data={"username": name, "password": "Wrong-2026"})
    assert new_entries() == []


def test_a_wrong_password_before_changing_it_is_the_own(
    town: World, people: People, new_entries: NewEntries
) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    who = f"town_staff.{town.town_code}".lower()
    new_entries()
    body = {"password": "Wrong-2026", "new_password": "Right-2027"}
    assert client.put("/api/v1/auth/password", json=body).status_code == 401
    assert told(new_entries()) == [(who, "password.check", f"staff:{who}", "bad_credentials")]
    assert client.put("/api/v1/auth/password", json=body | {"password": PASSWORD}).status_code == 204
    assert told(new_entries()) == [(who, "password.change", f"staff:{who}", None)]


def test_what_leaves_as_a_file_is_recorded(town: World, people: People, new_entries: NewEntries) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    new_entries()
    address = f"/api/v1/campaigns/{town.campaign_id}/scores.xlsx"
    assert client.get(address).status_code == 200
    (entry,) = new_entries()
    assert (entry.action, entry.target, entry.refusal) == ("scores.export", f"GET {address}", None)


def test_codes_shown_on_a_page_are_recorded(town: World, people: People, new_entries: NewEntries) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    new_entries()
    address = f"/staff/campaigns/{town.campaign_id}/panel-codes/{town.village_codes[0]}"
    assert browser.get(address).status_code == 200
    (entry,) = new_entries()
    assert (entry.action, entry.target) == ("code_sheets.print", f"GET {address}")


def test_a_code_in_an_address_is_not_kept(town: World, people: People, new_entries: NewEntries) -> None:
    (issued,) = town.issue()
    client = people.system(Role.TOWN_STAFF, town.village_codes[0])
    new_entries()
    assert client.delete(f"/api/v1/entrances/{issued.code}").status_code == 403
    (entry,) = new_entries()
    assert entry.target == "DELETE /api/v1/entrances/<code>"


def test_what_was_not_done_for_want_of_an_own_password_is_not_recorded(
    town: World, people: People, new_entries: NewEntries
) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/campaigns")
    with town.app.extensions["database"].unit_of_work() as session:
        session.query(StaffAccount).update({"must_change_password": True})
    new_entries()
    assert browser.post(f"/staff/campaigns/{town.campaign_id}/close").location == "/staff/password"
    assert new_entries() == []


@pytest.mark.parametrize("name", ["operator", "Stranger"])
def test_nobody_is_called_like_those_without_an_account(town: World, people: People, name: str) -> None:
    client = people.system(Role.COUNTY_ADMIN, town.town_code)
    body = {"username": name, "role": "town_staff", "organization_code": town.town_code}
    assert client.post("/api/v1/staff", json=body).json["code"] == "username_taken"
