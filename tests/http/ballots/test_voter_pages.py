"""The voter's pages without any script: an old web view that only knows links and forms."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from survey_service.ballots.models import Ballot
from survey_service.campaigns.rules import Mode
from survey_service.campaigns.service import close_campaign
from survey_service.core import clock
from survey_service.core.db import unit_of_work
from survey_service.entrances.posted import PostedEntrances
from survey_service.entrances.service import create_preview
from tests.factories.campaigns import CLOSES_AT, NOW, OPENS_AT, World

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def web_view(world: World) -> FlaskClient:
    return world.app.test_client()


@pytest.fixture
def code(world: World) -> str:
    return world.issue()[0].code


def ticket_in(page: TestResponse) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def fill(client: FlaskClient, code: str, **answers: str) -> TestResponse:
    page = client.get(f"/s/{code}")
    return client.post(f"/s/{code}", data={"ticket": ticket_in(page), "overall": "satisfied"} | answers)


def count_ballots(world: World) -> int:
    with world.app.extensions["database"].reading() as session:
        return session.scalar(select(func.count()).select_from(Ballot)) or 0


def test_a_form_leads_to_a_receipt(world: World, web_view: FlaskClient, code: str) -> None:
    sent = fill(web_view, code, remark="路灯坏了")
    assert sent.status_code == 303
    receipt = web_view.get(sent.headers["Location"])
    assert (receipt.status_code, count_ballots(world)) == (200, 1)
    assert "路灯坏了" not in receipt.text


def test_the_page_begins_with_the_village_and_shows_the_notice(web_view: FlaskClient, code: str) -> None:
    page = web_view.get(f"/s/{code}").text
    assert page.index("第1村") < page.index("总体评价")
    assert page.index("填写前请看") < page.index("总体评价")


def test_sending_the_same_form_twice_is_one_ballot(world: World, web_view: FlaskClient, code: str) -> None:
    ticket = ticket_in(web_view.get(f"/s/{code}"))
    secret = web_view.get_cookie("secret", path=f"/s/{code}")
    assert secret is not None
    first = web_view.post(f"/s/{code}", data={"ticket": ticket, "overall": "satisfied"})
    # The answer was lost on the way: the browser still has its cookie.
    web_view.set_cookie("secret", secret.value, path=f"/s/{code}")
    again = web_view.post(f"/s/{code}", data={"ticket": ticket, "overall": "satisfied"})
    assert first.headers["Location"] == again.headers["Location"]
    assert count_ballots(world) == 1


def test_a_missing_answer_shows_the_form_again_with_what_was_written(
    web_view: FlaskClient, code: str
) -> None:
    again = fill(web_view, code, overall="", remark="路灯坏了")
    assert again.status_code == 422
    assert "路灯坏了" in again.text
    assert 'href="#q-overall"' in again.text
    sent = web_view.post(f"/s/{code}", data={"ticket": ticket_in(again), "overall": "satisfied"})
    assert sent.status_code == 303


def test_a_spent_code_gives_its_own_page(world: World, web_view: FlaskClient, code: str) -> None:
    fill(web_view, code)
    other = world.app.test_client()
    refused = fill(other, code)
    assert refused.status_code == 409
    assert "已经用过" in refused.text


def test_only_the_device_that_voted_is_told_so_on_opening(
    world: World, web_view: FlaskClient, code: str
) -> None:
    fill(web_view, code)
    assert "您已经参加过了" in web_view.get(f"/s/{code}").text
    assert "总体评价" in world.app.test_client().get(f"/s/{code}").text


def test_a_posted_code_knows_its_device_again(world: World, web_view: FlaskClient) -> None:
    (posted,) = world.issue(Mode.OPEN)
    assert fill(web_view, posted.code).status_code == 303
    assert "您已经参加过了" in web_view.get(f"/s/{posted.code}").text


def test_what_staff_do_shows_on_a_posted_page_at_once(world: World, web_view: FlaskClient) -> None:
    world.app.extensions["posted_entrances"] = PostedEntrances(seconds=3600)
    (posted,) = world.issue(Mode.OPEN)
    assert "总体评价" in web_view.get(f"/s/{posted.code}").text
    with world.app.app_context(), unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=clock.now())
    assert web_view.get(f"/s/{posted.code}").status_code == 410


@pytest.mark.parametrize("code", ["2222222222222", "nonsense", "汤溪"])
def test_an_unknown_code_has_its_own_page(web_view: FlaskClient, code: str) -> None:
    page = web_view.get(f"/s/{code}")
    assert page.status_code == 404
    assert "没有找到" in page.text


def test_before_the_opening_the_page_says_when(web_view: FlaskClient, code: str) -> None:
    with time_machine.travel(OPENS_AT - timedelta(hours=1), tick=False):
        page = web_view.get(f"/s/{code}")
    assert page.status_code == 200
    assert "还没有开始" in page.text


def test_after_the_end_the_page_says_so(web_view: FlaskClient, code: str) -> None:
    with time_machine.travel(CLOSES_AT + timedelta(hours=1), tick=False):
        page = web_view.get(f"/s/{code}")
    assert page.status_code == 410
    assert "已经结束" in page.text


def test_a_form_sent_after_sealing_time_is_told_so(world: World, web_view: FlaskClient, code: str) -> None:
    ticket = ticket_in(web_view.get(f"/s/{code}"))
    with world.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW - timedelta(hours=1))
    page = web_view.post(f"/s/{code}", data={"ticket": ticket, "overall": "satisfied"})
    assert page.status_code == 410


def test_a_stale_ticket_leads_back_to_the_page(web_view: FlaskClient, code: str) -> None:
    page = web_view.post(f"/s/{code}", data={"ticket": "nonsense", "overall": "satisfied"})
    assert page.status_code == 403
    assert f'href="/s/{code}"' in page.text


def test_a_typed_code_leads_to_its_page(web_view: FlaskClient, code: str) -> None:
    found = web_view.post("/", data={"code": f"{code[:4].lower()} {code[4:8]}-{code[8:]}"})
    assert (found.status_code, found.headers["Location"]) == (303, f"/s/{code}")
    wrong = web_view.post("/", data={"code": "1234"})
    assert "请对照纸上" in wrong.text


def test_a_receipt_can_be_looked_up_by_hand(world: World, web_view: FlaskClient, code: str) -> None:
    receipt = fill(web_view, code).headers["Location"].rsplit("/", 1)[1]
    world.drain()
    assert "已计入结果" in web_view.post("/receipts", data={"receipt": receipt.lower()}).text
    assert "没有查到" in web_view.post("/receipts", data={"receipt": "0000000000001"}).text


def test_another_village_can_be_chosen(world: World, web_view: FlaskClient) -> None:
    (first,), (second,) = world.issue(Mode.OPEN, village=0), world.issue(Mode.OPEN, village=1)
    others = web_view.get(f"/s/{first.code}/others").text
    assert f"/s/{second.code}" in others
    assert "第2村" in others


def test_a_preview_stores_nothing(world: World, web_view: FlaskClient) -> None:
    with world.app.extensions["database"].unit_of_work() as session:
        issued = create_preview(
            session,
            staff=world.staff,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            organization_code=world.village_codes[0],
        )
    sent = fill(web_view, issued.code)
    assert "没有保存" in web_view.get(sent.headers["Location"]).text
    assert count_ballots(world) == 0


def test_voter_pages_are_kept_by_nobody(web_view: FlaskClient, code: str) -> None:
    headers = web_view.get(f"/s/{code}").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
