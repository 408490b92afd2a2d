"""Assisted visits: a villager votes on the phone of a staff member, who sees nothing of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from survey_service.auditing.models import AuditEntry
from survey_service.ballots import access
from survey_service.ballots.models import Ballot, Participation
from survey_service.campaigns.rules import Mode
from survey_service.campaigns.service import close_campaign
from survey_service.core.errors import Conflict
from survey_service.entrances.queries import open_entrance
from survey_service.organizations.queries import get_organization
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from survey_service.visits.models import VisitCount
from survey_service.visits.service import begin_visit
from tests.factories.campaigns import NOW, World, start_campaign
from tests.factories.staff.offices import PASSWORD
from tests.http.ballots.test_panels import invite
from tests.http.ballots.test_voter_pages import ticket_in
from tests.http.reports.conftest import Browser, People

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def helper(town: World, people: People) -> Browser:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/visits")
    return browser


@pytest.fixture
def code(town: World) -> str:
    return town.issue()[0].code


def begin(browser: Browser, code: str) -> Any:
    return browser.post("/staff/visits", {"code": code})


def fill(browser: Browser, code: str, **answers: str) -> Any:
    page = browser.client.get(f"/s/{code}")
    given = {"ticket": ticket_in(page), "overall": "satisfied"} | answers
    return browser.client.post(f"/s/{code}", data=given)


def unlock(browser: Browser, password: str = PASSWORD) -> Any:
    browser.get("/staff/unlock")
    return browser.post("/staff/unlock", {"password": password})


def ballots(world: World) -> list[tuple[str, str]]:
    with world.app.extensions["database"].reading() as session:
        return [(mode, answers) for mode, answers in session.execute(select(Ballot.mode, Ballot.answers))]


@sqlite_only
def test_a_visit_spends_the_slot_of_the_household(town: World, helper: Browser, code: str) -> None:
    begun = begin(helper, f"{code[:4].lower()} {code[4:8]}-{code[8:]}")
    assert begun.headers["Location"] == f"/s/{code}"
    sent = fill(helper, code, remark="路灯坏了")
    assert sent.headers["Location"].startswith("/visits/")
    assert "请把手机还给工作人员" in helper.client.get(sent.headers["Location"]).text
    assert ballots(town) == [(Mode.ASSISTED, '{"overall":"satisfied"}')]
    # The household's own phone comes too late, and the other way round a visit would.
    phone = Browser(town.app.test_client())
    refused = fill(phone, code)
    assert (refused.status_code, "这个参评码已经用过" in refused.text) == (409, True)
    own = town.issue()[0].code
    assert fill(phone, own).status_code == 303
    unlock(helper)
    begin(helper, own)
    assert fill(helper, own).status_code == 409
    assert sorted(mode for mode, _ in ballots(town)) == [Mode.ASSISTED, Mode.HOUSEHOLD]


@sqlite_only
def test_the_session_is_locked_until_the_password_is_given(town: World, helper: Browser, code: str) -> None:
    begin(helper, code)
    for page in ("/staff/campaigns", "/staff/visits", "/staff", "/staff/account"):
        assert helper.client.get(page).headers["Location"] == "/staff/unlock", page
    assert helper.client.get("/api/v1/organizations").get_json()["code"] == "session_locked"
    assert helper.post("/staff/password", {"password": PASSWORD}).headers["Location"] == "/staff/unlock"
    door = helper.get("/staff/unlock").text
    assert "town_staff" not in door
    assert "汤溪镇" not in door
    assert unlock(helper, "Wrong-2026").status_code == 401
    assert helper.client.get("/staff/campaigns").status_code == 303
    assert unlock(helper).headers["Location"] == "/staff/visits"
    assert helper.client.get("/staff/campaigns").status_code == 200


@sqlite_only
def test_guessing_the_password_at_a_locked_phone_ends_soon(town: World, helper: Browser, code: str) -> None:
    begin(helper, code)
    statuses = [unlock(helper, "Wrong-2026").status_code for _ in range(6)]
    assert statuses == [401] * 4 + [423] * 2 or statuses == [401] * 5 + [423]
    assert unlock(helper).status_code == 423


@sqlite_only
def test_nothing_stays_on_the_phone_of_who_helped(town: World, helper: Browser, code: str) -> None:
    begin(helper, code)
    page = helper.client.get(f"/s/{code}").text
    assert 'data-module="ballot-form"' not in page
    assert "交上以后，答案不会留在这部手机里" in page
    sent = fill(helper, code, remark="路灯坏了")
    marks = " ".join(sent.headers.getlist("Set-Cookie"))
    assert "answered_" not in marks
    assert {cookie for cookie in ("visit", "secret") if f"{cookie}=;" in marks} == {"visit", "secret"}
    after = helper.client.get(f"/s/{code}")
    assert "路灯坏了" not in after.text
    assert "checked" not in after.text
    assert "这是工作人员的手机" not in after.text


@sqlite_only
def test_the_code_is_typed_for_each_household(town: World, helper: Browser) -> None:
    first, second = [issued.code for issued in town.issue(count=2)]
    begin(helper, first)
    assert "这是工作人员的手机" in helper.client.get(f"/s/{first}").text
    # Another household's code on the same phone is that household's own affair.
    assert "这是工作人员的手机" not in helper.client.get(f"/s/{second}").text
    fill(helper, first)
    fill(helper, second)
    assert sorted(mode for mode, _ in ballots(town)) == [Mode.ASSISTED, Mode.HOUSEHOLD]


@sqlite_only
def test_the_mark_of_a_visit_ends_and_cannot_be_forged(town: World, helper: Browser, code: str) -> None:
    begin(helper, code)
    mark = helper.client.get_cookie("visit")
    assert mark is not None
    with time_machine.travel(NOW + access.VISIT_LIFETIME, tick=False):
        assert "这是工作人员的手机" not in helper.client.get(f"/s/{code}").text
    other = town.issue()[0].code
    stranger = town.app.test_client()
    unsigned = mark.value.partition(".")[0]
    for value, place in ((mark.value, other), (f"{unsigned}.{'A' * 22}", code), (unsigned, code)):
        stranger.set_cookie("visit", value)
        assert "这是工作人员的手机" not in stranger.get(f"/s/{place}").text


@sqlite_only
@pytest.mark.parametrize("kind", ["posted", "several", "unknown", "nonsense"])
def test_only_the_code_of_one_person_or_household_begins_a_visit(
    town: World, helper: Browser, kind: str
) -> None:
    made: dict[str, Callable[[], str]] = {
        "posted": lambda: town.issue(Mode.OPEN)[0].code,
        "several": lambda: panel_code(town),
        "unknown": lambda: "0000000000000",
        "nonsense": lambda: "汤溪",
    }
    refused = begin(helper, made[kind]())
    assert refused.status_code in {404, 422}
    assert helper.client.get("/staff/campaigns").status_code == 200


def panel_code(world: World) -> str:
    return invite(world)[0].code


@sqlite_only
def test_a_panel_member_with_a_code_of_one_subject_may_be_helped(town: World, helper: Browser) -> None:
    (invited,) = town.issue(Mode.PANEL)
    begin(helper, invited.code)
    fill(helper, invited.code)
    assert [mode for mode, _ in ballots(town)] == [Mode.ASSISTED]


@sqlite_only
def test_nobody_helps_where_he_is_stationed(town: World, people: People, helper: Browser) -> None:
    county = people.system(Role.COUNTY_ADMIN, county_code(town))
    with town.app.extensions["database"].reading() as session:
        staff_id = session.scalar(
            select(StaffAccount.id).where(StaffAccount.username == f"town_staff.{town.town_code}".lower())
        )
    stations = f"/api/v1/staff/{staff_id}/stations"
    given = county.put(stations, json={"organization_codes": [town.village_codes[0]]})
    assert [item["code"] for item in given.get_json()["items"]] == [town.village_codes[0]]
    here, elsewhere = town.issue()[0].code, town.issue(village=1)[0].code
    refused = begin(helper, here)
    assert (refused.status_code, "这是您办点的村" in refused.text) == (403, True)
    helper.get("/staff/visits")
    assert begin(helper, elsewhere).status_code == 303
    unlock(helper)
    assert county.put(stations, json={"organization_codes": []}).get_json() == {"items": []}
    helper.get("/staff/visits")
    assert begin(helper, here).status_code == 303
    strange = county.put(stations, json={"organization_codes": ["999"]})
    assert (strange.status_code, set(strange.get_json()["errors"])) == (422, {"organization_codes"})


def county_code(world: World) -> str:
    with world.app.extensions["database"].reading() as session:
        parent = get_organization(session, code=world.town_code).parent
    assert parent is not None
    return parent.code


@sqlite_only
def test_nobody_says_himself_where_he_is_stationed(town: World, people: People) -> None:
    clerk = people.system(Role.TOWN_STAFF, town.town_code)
    with town.app.extensions["database"].reading() as session:
        staff_id = session.scalar(
            select(StaffAccount.id).where(StaffAccount.username == f"town_staff.{town.town_code}".lower())
        )
    refused = clerk.put(f"/api/v1/staff/{staff_id}/stations", json={"organization_codes": []})
    assert refused.status_code == 403


@sqlite_only
def test_other_places_and_closed_campaigns_are_refused(town: World, people: People, helper: Browser) -> None:
    strange = start_campaign(town.app, villages=1).issue()[0].code
    assert begin(helper, strange).status_code == 403
    own = town.issue()[0].code
    with town.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=town.campaign_id, now=NOW - timedelta(hours=1))
    helper.get("/staff/visits")
    assert begin(helper, own).status_code == 410


def visit(world: World, number: int, *, cap: int = 3, now: Any = NOW) -> str:
    """Begin a visit by the service alone, and say what came of it."""
    database = world.app.extensions["database"]
    code = world.issue()[0].code
    with world.app.app_context():
        try:
            with database.unit_of_work() as session:
                entrance = open_entrance(session, keyring=world.keyring, raw_code=code, now=now)
                begin_visit(session, staff=world.staff, entrance=entrance, token="none", cap=cap, now=now)
        except Conflict as error:
            return error.code
    return "begun"


@sqlite_only
def test_a_day_has_so_many_visits_and_the_next_day_begins_anew(town: World) -> None:
    answers = [visit(town, number) for number in range(5)]
    assert answers == ["begun"] * 3 + ["visits_exhausted"] * 2
    assert visit(town, 6, now=NOW + timedelta(days=1)) == "begun"
    with town.app.extensions["database"].reading() as session:
        assert session.execute(select(VisitCount.visits)).scalars().all() == [1]


def test_the_cap_holds_on_many_phones_at_once(committing_app: Flask, frozen_clock: None) -> None:
    world = start_campaign(committing_app, villages=1)
    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(lambda number: visit(world, number), range(12)))
    assert answers == ["begun"] * 3 + ["visits_exhausted"] * 9


@sqlite_only
def test_the_audit_trail_names_no_household(town: World, helper: Browser, code: str) -> None:
    begin(helper, code)
    fill(helper, code)
    unlock(helper)
    with town.app.extensions["database"].reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
        votes = session.scalar(select(func.count()).select_from(Participation))
    found = [entry for entry in entries if entry.action in {"visits.begin", "session.unlock"}]
    assert [entry.action for entry in found] == ["visits.begin", "session.unlock"]
    assert found[0].target == f"campaign:{town.campaign_id}"
    assert not found[0].after
    assert votes == 1


@sqlite_only
def test_whoever_goes_wrong_in_the_form_stays_in_the_visit(town: World, helper: Browser, code: str) -> None:
    begin(helper, code)
    again = fill(helper, code, overall="", remark="路灯坏了")
    assert (again.status_code, "路灯坏了" in again.text) == (422, True)
    assert 'data-module="ballot-form"' not in again.text
    answer = helper.client.post(f"/s/{code}", data={"ticket": ticket_in(again), "overall": "satisfied"})
    assert answer.status_code == 303
    assert [mode for mode, _ in ballots(town)] == [Mode.ASSISTED]


@sqlite_only
def test_three_generations_on_one_handset(town: World) -> None:
    """Whoever is told that the vote has been cast is led to the household's code, a visit, or paper."""
    phone = Browser(town.app.test_client())
    posted, letter = town.issue(Mode.OPEN)[0].code, town.issue()[0].code
    ways = ("用信上的参评码", "请镇上的工作人员上门", "纸质测评表")
    assert fill(phone, posted).status_code == 303
    told = phone.client.get(f"/s/{posted}").text
    assert [way for way in ways if way not in told] == []
    assert 'href="/"' in told
    assert fill(phone, letter).status_code == 303
    told = phone.client.get(f"/s/{letter}").text
    assert [way for way in ways if way not in told] == []
    refused = fill(Browser(town.app.test_client()), letter).text
    assert [way for way in ways if way not in refused] == []
    assert sorted(mode for mode, _ in ballots(town)) == [Mode.HOUSEHOLD, Mode.OPEN_DEVICE]
