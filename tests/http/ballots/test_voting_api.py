"""The voter's calls, as other systems and black-box checks make them."""

import json
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from psycopg.errors import UniqueViolation
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from survey_service.ballots import voting
from survey_service.ballots.models import Ballot
from survey_service.campaigns.rules import Mode
from survey_service.campaigns.service import close_campaign
from tests.factories.campaigns import CLOSES_AT, NOW, World, start_campaign
from tests.http.ballots.phone import GOOD, Phone, code_of, new_secret

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def code(world: World) -> str:
    return world.issue()[0].code


@pytest.fixture
def posted(world: World) -> str:
    return world.issue(Mode.OPEN)[0].code


def test_an_opened_entrance_tells_what_the_contract_promises(phone: Phone, code: str) -> None:
    opened = phone.open(code)
    assert {
        "title",
        "organization_name",
        "rater_class",
        "mode",
        "state",
        "questionnaire",
        "ticket",
    } <= opened.keys()
    assert (opened["mode"], opened["state"], opened["organization_name"]) == ("household", "open", "第1村")
    labels = [option["label"] for option in opened["questionnaire"]["items"][0]["options"]]
    assert labels == ["满意", "基本满意", "不满意", "不了解"]


def test_a_posted_code_is_answered_by_a_device_once(world: World, phone: Phone, posted: str) -> None:
    opened = phone.open(posted)
    assert opened["mode"] == "open_device"
    assert phone.post(posted, ticket=opened["ticket"]).status_code == 201
    assert code_of(phone.post(posted)) == (409, "already_submitted")
    assert Phone(world.app.test_client()).post(posted).status_code == 201


def test_the_device_cookie_is_kept_from_scripts(phone: Phone, posted: str) -> None:
    cookie = phone.client.get(f"/api/v1/entrances/{posted}").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_same_ballot_again_gives_the_same_receipt(phone: Phone, code: str) -> None:
    ticket, secret = phone.open(code)["ticket"], new_secret()
    first = phone.post(code, ticket=ticket, secret=secret)
    again = phone.post(code, ticket=ticket, secret=secret)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()


def test_a_retry_with_a_new_ticket_is_still_the_same_ballot(phone: Phone, code: str) -> None:
    secret = new_secret()
    assert phone.post(code, secret=secret).status_code == 201
    assert phone.post(code, secret=secret).status_code == 200


def test_different_answers_are_refused_and_then_slowed_down(phone: Phone, code: str) -> None:
    secret = new_secret()
    phone.post(code, secret=secret)
    other = {"overall": "dissatisfied"}
    answers = [code_of(phone.post(code, secret=secret, answers=other)) for _ in range(4)]
    assert answers == [(409, "different_answers")] * 3 + [(429, "slow_down")]


def test_a_secret_in_use_spends_nothing(world: World, phone: Phone) -> None:
    first, second = (one.code for one in world.issue(count=2))
    secret = new_secret()
    phone.post(first, secret=secret)
    assert code_of(phone.post(second, secret=secret)) == (409, "secret_in_use")
    assert phone.post(second).status_code == 201


@pytest.mark.parametrize("change", ["", "altered", "of_other_code", "of_other_device", 7, None, ["x"]])
def test_a_ticket_that_is_not_of_this_page_is_refused(
    world: World, phone: Phone, posted: str, code: str, change: object
) -> None:
    tickets = {
        "altered": "A" + phone.open(posted)["ticket"][1:],
        "of_other_code": phone.open(code)["ticket"],
        "of_other_device": Phone(world.app.test_client()).open(posted)["ticket"],
    }
    body = {"ticket": tickets.get(str(change), change), "secret": new_secret(), "answers": GOOD}
    assert code_of(phone.post_raw(posted, json.dumps(body).encode())) == (403, "bad_ticket")


@pytest.mark.parametrize("code", ["2222222222222", "0" * 13, "abc", "汤溪", "%00", "A" * 500])
def test_an_unknown_code_is_told_as_such(phone: Phone, code: str) -> None:
    opened = phone.client.get(f"/api/v1/entrances/{code}")
    assert (opened.status_code, opened.get_json()["code"]) == (404, "unknown_entrance")
    assert code_of(phone.post(code, ticket="x")) == (404, "unknown_entrance")


def test_a_mistyped_code_is_understood_as_far_as_it_is_one(phone: Phone, code: str) -> None:
    typed = f" {code[:4].lower()}-{code[4:8]} {code[8:]} "
    assert phone.open(typed)["organization_name"] == "第1村"


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"overall": "excellent"},
        {"overall": ["satisfied"]},
        {"overall": {"a": "b"}},
        {"overall": None},
        {"overall": True},
        GOOD | {"other": "x"},
        GOOD | {"remark": "字" * 501},
        GOOD | {"remark": "a\x00b"},
        GOOD | {"remark": "\ud800"},
        GOOD | {"remark": 5},
    ],
)
def test_answers_that_do_not_fit_are_named(phone: Phone, code: str, answers: object) -> None:
    response = phone.post(code, answers=answers)
    assert code_of(response) == (422, "invalid_answers")
    assert response.get_json()["errors"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"ticket":"t","secret":"'
        + b"a" * 24
        + b'","answers":{"overall":"satisfied","overall":"satisfied"}}',
        b'{"ticket":"t","secret":"' + b"a" * 24 + b'","answers":{"overall":NaN}}',
        b'{"ticket":"t","secret":"short","answers":{}}',
        b'{"ticket":"t","secret":"' + b"a" * 24 + b'","answers":[]}',
        b'{"secret":"' + b"a" * 24 + b'","answers":{}}',
    ],
)
def test_what_is_not_one_json_ballot_is_malformed(phone: Phone, code: str, body: bytes) -> None:
    assert code_of(phone.post_raw(code, body)) == (400, "malformed")


def test_a_megabyte_is_too_large(phone: Phone, code: str) -> None:
    assert code_of(phone.post_raw(code, b" " * 1_000_000)) == (413, "too_large")


def test_a_wrong_method_is_told_the_right_ones(phone: Phone, code: str) -> None:
    answer = phone.client.get(f"/api/v1/entrances/{code}/ballots")
    assert (code_of(answer), set(answer.allow)) == ((405, "http_405"), {"POST", "OPTIONS"})


def test_a_body_is_taken_in_before_it_is_refused(phone: Phone, code: str) -> None:
    body = BytesIO(b" " * 1_000_000)
    answer = phone.client.post(
        f"/api/v1/entrances/{code}/ballots", input_stream=body, content_length=1_000_000
    )
    assert (answer.status_code, body.read()) == (413, b""), "its sender meets a broken pipe, and no answer"


def test_state_is_checked_before_answers(world: World, phone: Phone, code: str) -> None:
    ticket = phone.open(code)["ticket"]
    with world.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW - timedelta(hours=1))
    assert code_of(phone.post(code, ticket=ticket, answers={})) == (410, "closed")
    assert phone.open(code)["state"] == "closed"


def test_a_late_ballot_of_an_early_page_counts_within_the_grace_window(phone: Phone, code: str) -> None:
    ticket = phone.open(code)["ticket"]
    with time_machine.travel(CLOSES_AT + timedelta(hours=23), tick=False):
        assert phone.post(code, ticket=ticket).status_code == 201


def test_after_the_grace_window_it_is_closed(phone: Phone, code: str) -> None:
    ticket = phone.open(code)["ticket"]
    with time_machine.travel(CLOSES_AT + timedelta(hours=25), tick=False):
        assert code_of(phone.post(code, ticket=ticket)) == (410, "closed")


def test_a_receipt_is_accepted_then_counted_and_says_nothing_else(
    world: World, phone: Phone, code: str
) -> None:
    receipt = phone.post(code).get_json()["receipt"]
    look_up = f"/api/v1/receipts/{receipt}"
    assert phone.client.get(look_up).get_json() == {"state": "accepted"}
    world.drain()
    assert phone.client.get(look_up).get_json() == {"state": "counted"}
    assert phone.client.get("/api/v1/receipts/0000000000001").get_json() == {"state": "unknown"}


def test_where_wechat_is_asked_for_a_posted_code_wants_a_sign_in(world: World) -> None:
    asking = start_campaign(world.app, open_requires="wechat")
    (posted,) = asking.issue(Mode.OPEN)
    response = world.app.test_client().get(f"/api/v1/entrances/{posted.code}")
    assert code_of(response) == (401, "sign_in_required")
    assert response.get_json()["sign_in_url"].endswith(f"/s/{posted.code}")


def test_two_campaigns_on_one_device_are_two_ballots(world: World, phone: Phone, posted: str) -> None:
    other = start_campaign(world.app)
    (second,) = other.issue(Mode.OPEN)
    assert [phone.post(one).status_code for one in (posted, second.code)] == [201, 201]


def test_guessing_codes_is_slowed_down_and_good_codes_are_not(world: World, phone: Phone, code: str) -> None:
    statuses = [phone.client.get("/api/v1/entrances/2222222222222").status_code for _ in range(70)]
    assert (statuses[0], statuses[-1]) == (404, 429)


def test_answers_are_stored_without_their_texts(world: World, phone: Phone, code: str) -> None:
    phone.post(code, answers=GOOD | {"remark": "路灯坏了"})
    with world.app.extensions["database"].reading() as session:
        assert session.scalars(select(Ballot.answers)).one() == '{"overall":"satisfied"}'
        assert session.scalar(select(func.count()).select_from(Ballot)) == 1


def test_whom_somebody_overtakes_is_asked_to_come_again(
    phone: Phone, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = phone.open(code)["ticket"]

    def lose(*_: object, **__: object) -> None:
        raise IntegrityError("INSERT", {}, UniqueViolation())

    with monkeypatch.context() as changes:
        changes.setattr(voting, "submit", lose)
        answer = phone.post(code, ticket=ticket)
    assert code_of(answer) == (503, "unavailable"), "a phone gives up what conflicts"
    assert phone.post(code, ticket=ticket).status_code == 201
