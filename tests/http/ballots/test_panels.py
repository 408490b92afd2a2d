"""One code, several subjects: the contract of the API, and the way of somebody who only knows links."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from survey_service.anomalies.models import DisputeCount
from survey_service.ballots import access
from survey_service.ballots.models import Ballot, Participation
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import close_campaign
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.entrances.inviting import create_slots
from survey_service.entrances.models import Entrance
from survey_service.entrances.queries import issued_by_subject
from survey_service.entrances.service import IssuedCode, revoke_entrance
from survey_service.organizations.models import Organization
from tests.factories.campaigns import NOW, OPENS_AT, World, start_campaign
from tests.http.ballots.phone import GOOD, Phone, code_of, new_secret
from tests.http.ballots.test_voter_pages import count_ballots, ticket_in

pytestmark = [
    pytest.mark.usefixtures("frozen_clock"),
    # Where the engines could differ, `test_panel_races.py` looks.
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


def invite(world: World, *, count: int = 1, **changes: object) -> list[IssuedCode]:
    """Make panel codes for all villages of the town."""
    given: dict[str, object] = {"organization_codes": [world.town_code], "staff": world.staff} | changes
    with world.app.extensions["database"].unit_of_work() as session:
        return create_slots(
            session,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            mode=Mode.PANEL,
            rater_class=RaterClass.VILLAGER,
            count=count,
            now=NOW,
            **given,  # type: ignore[arg-type]  # What a test changes.
        )


@pytest.fixture
def code(world: World) -> str:
    return invite(world)[0].code


@pytest.fixture
def web_view(world: World) -> FlaskClient:
    return world.app.test_client()


def rows_of(world: World) -> tuple[int, int]:
    with world.app.extensions["database"].reading() as session:
        counts = [session.scalar(select(func.count()).select_from(one)) for one in (Participation, Ballot)]
    return counts[0] or 0, counts[1] or 0


def done(phone: Phone, code: str) -> list[bool]:
    return [subject["done"] for subject in phone.open(code)["subjects"]]


def test_a_panel_code_names_its_subjects(world: World, phone: Phone, code: str) -> None:
    opened = phone.open(code)
    first, second = world.village_codes
    assert opened["subjects"] == [
        {"organization_code": first, "name": "第1村", "done": False},
        {"organization_code": second, "name": "第2村", "done": False},
    ]
    assert (opened["mode"], opened["organization_name"]) == ("panel", "汤溪镇")


def test_a_code_of_one_subject_names_none(world: World, phone: Phone) -> None:
    assert "subjects" not in phone.open(world.issue()[0].code)


def test_each_subject_is_rated_once(world: World, phone: Phone, code: str) -> None:
    ticket = phone.open(code)["ticket"]
    receipts = set()
    for village in world.village_codes:
        sent = phone.post(code, ticket=ticket, organization_code=village)
        assert sent.status_code == 201
        receipts.add(sent.get_json()["receipt"])
        again = phone.post(code, ticket=ticket, organization_code=village)
        assert code_of(again) == (409, "already_submitted")
    assert len(receipts) == 2
    assert rows_of(world) == (2, 2)


def test_the_table_holds_for_each_subject_alone(world: World, phone: Phone, code: str) -> None:
    """One secret for all subjects is good; each has its own row of the table."""
    first, second = world.village_codes
    ticket, secret = phone.open(code)["ticket"], new_secret()
    sent = phone.post(code, ticket=ticket, secret=secret, organization_code=first)
    same = phone.post(code, ticket=ticket, secret=secret, organization_code=first)
    assert (sent.status_code, same.status_code) == (201, 200)
    assert sent.get_json() == same.get_json()
    other = {"overall": "dissatisfied"}
    changed = phone.post(code, ticket=ticket, secret=secret, organization_code=first, answers=other)
    assert code_of(changed) == (409, "different_answers")
    following = phone.post(code, ticket=ticket, secret=secret, organization_code=second, answers=other)
    assert following.status_code == 201
    assert following.get_json() != sent.get_json()


def test_a_known_secret_with_a_free_credential_spends_nothing(world: World, phone: Phone) -> None:
    village = world.village_codes[0]
    mine, yours = [issued.code for issued in invite(world, count=2)]
    secret = new_secret()
    assert phone.post(mine, secret=secret, organization_code=village).status_code == 201
    assert code_of(phone.post(yours, secret=secret, organization_code=village)) == (409, "secret_in_use")
    assert phone.post(yours, organization_code=village).status_code == 201


@pytest.mark.parametrize("organization_code", [None, "", "999999999999", 7, ["x"]])
def test_a_panel_code_has_to_say_whom_it_rates(
    world: World, phone: Phone, code: str, organization_code: object
) -> None:
    refused = phone.post(code, organization_code=organization_code)
    assert code_of(refused) == (422, "invalid")
    assert set(refused.get_json()["errors"]) == {"organization_code"}
    assert rows_of(world) == (0, 0)


def test_neither_the_place_above_nor_a_village_elsewhere_can_be_rated(
    world: World, phone: Phone, code: str
) -> None:
    invite(start_campaign(world.app, villages=1))
    with world.app.extensions["database"].reading() as session:
        named = select(Organization.code).where(Organization.code.not_in(world.village_codes))
        strangers = list(session.scalars(named))
    assert len(strangers) > 1
    for stranger in strangers:
        assert code_of(phone.post(code, organization_code=stranger)) == (422, "invalid")
    assert rows_of(world) == (0, 0)


@pytest.mark.parametrize("organization_code", ["999999999999", None])
def test_after_the_end_the_state_speaks_before_the_subject(
    world: World, phone: Phone, code: str, organization_code: object
) -> None:
    ticket = phone.open(code)["ticket"]
    with world.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW - timedelta(hours=1))
    refused = phone.post(code, ticket=ticket, organization_code=organization_code)
    assert code_of(refused) == (410, "closed")


def test_done_is_told_to_the_device_that_voted_and_to_no_other(world: World, phone: Phone, code: str) -> None:
    assert phone.post(code, organization_code=world.village_codes[1]).status_code == 201
    assert done(phone, code) == [False, True]
    other = Phone(world.app.test_client())
    assert done(other, code) == [False, False]
    # Whoever sends a complete ballot learns that it was not the first, and may be spared the same again.
    assert code_of(other.post(code, organization_code=world.village_codes[1])) == (409, "already_submitted")
    assert done(other, code) == [False, True]


def test_a_refused_ballot_marks_nothing(world: World, phone: Phone, code: str) -> None:
    refused = phone.post(code, organization_code=world.village_codes[0], answers={})
    assert code_of(refused) == (422, "invalid_answers")
    assert done(phone, code) == [False, False]


def step(client: FlaskClient, code: str, village: str, **answers: str) -> TestResponse:
    page = client.get(f"/s/{code}/of/{village}")
    given = {"ticket": ticket_in(page), "overall": "satisfied"} | answers
    return client.post(f"/s/{code}/of/{village}", data=given)


def test_links_and_forms_alone_lead_through_all_subjects(
    world: World, web_view: FlaskClient, code: str
) -> None:
    first, second = world.village_codes
    overview = web_view.get(f"/s/{code}").text
    assert "请您评 2 个" in overview
    assert overview.index(f"/s/{code}/of/{first}") < overview.index("要评的都在这里")
    form = web_view.get(f"/s/{code}/of/{first}").text
    assert form.index("第1村") < form.index("第 1 个，共 2 个") < form.index("填写前请看")
    sent = step(web_view, code, first, remark="路灯坏了")
    assert sent.status_code == 303
    between = web_view.get(sent.headers["Location"]).text
    assert "还有 1 个" in between
    assert "已评 1 / 2" in between
    assert f"/s/{code}/of/{second}" in between
    assert f'href="/s/{code}/of/{first}"' not in between
    end = web_view.get(step(web_view, code, second).headers["Location"]).text
    assert "全部评完了" in end
    assert "您都评完了" in web_view.get(f"/s/{code}").text
    assert count_ballots(world) == 2


def test_a_sitting_can_be_left_and_taken_up_again(world: World, web_view: FlaskClient, code: str) -> None:
    first, second = world.village_codes
    step(web_view, code, first)
    later = web_view.get(f"/s/{code}").text
    assert "下一个：评第2村" in later
    assert web_view.get(f"/s/{code}/of/{first}").headers["Location"] == f"/s/{code}"
    # On another phone the code opens all anew; the second ballot is refused, and the way leads on.
    other = world.app.test_client()
    assert "开始：评第1村" in other.get(f"/s/{code}").text
    refused = step(other, code, first)
    assert refused.status_code == 409
    assert "这一个已经评过了" in refused.text
    assert "下一个：评第2村" in other.get(f"/s/{code}").text
    assert step(other, code, second).status_code == 303
    assert rows_of(world) == (2, 2)


def test_a_missing_answer_shows_the_same_subject_again(
    world: World, web_view: FlaskClient, code: str
) -> None:
    again = step(web_view, code, world.village_codes[1], overall="", remark="路灯坏了")
    assert again.status_code == 422
    assert "路灯坏了" in again.text
    assert "第 2 个，共 2 个" in again.text


def test_unknown_steps_lead_back_to_the_list(world: World, web_view: FlaskClient, code: str) -> None:
    single = world.issue()[0].code
    for path in (f"/s/{code}/of/1", f"/s/{code}/sent/0000000000000", f"/s/{code}/sent/nonsense"):
        assert web_view.get(path).headers["Location"] == f"/s/{code}"
    assert web_view.get(f"/s/{single}/of/{world.village_codes[0]}").headers["Location"] == f"/s/{single}"


def test_a_dispute_names_the_subject(world: World, web_view: FlaskClient, code: str) -> None:
    first, second = world.village_codes
    step(web_view, code, first)
    refused = step(world.app.test_client(), code, first)
    assert f'name="organization_code" value="{first}"' in refused.text
    given = {"ticket": ticket_in(refused), "organization_code": first}
    assert web_view.post(f"/s/{code}/dispute", data=given).status_code == 200
    assert web_view.post(f"/s/{code}/dispute", data=given | {"organization_code": second}).status_code == 200
    with world.app.extensions["database"].reading() as session:
        disputed = dict(session.execute(select(DisputeCount.subject_id, DisputeCount.disputes)).all())
    assert list(disputed.values()) == [1]


def test_nothing_of_a_sitting_is_told_before_the_opening(
    world: World, web_view: FlaskClient, code: str
) -> None:
    with time_machine.travel(OPENS_AT - timedelta(hours=1), tick=False):
        assert "还没有开始" in web_view.get(f"/s/{code}").text
        assert "还没有开始" in web_view.get(f"/s/{code}/of/{world.village_codes[0]}").text


def issued(world: World) -> list[int]:
    with world.app.extensions["database"].reading() as session:
        found = issued_by_subject(session, campaign_id=world.campaign_id)
    return sorted(by_mode[Mode.PANEL] for by_mode in found.values())


def test_every_subject_counts_the_codes_of_its_panel_as_issued(world: World) -> None:
    invite(world, count=3)
    world.issue(Mode.PANEL, village=1, count=2)
    assert issued(world) == [3, 5]


def test_serials_go_on_and_a_key_gives_the_same_codes(world: World) -> None:
    first = invite(world, count=2, idempotency_key="k")
    assert invite(world, count=2, idempotency_key="k") == first
    assert [one.serial for one in invite(world, count=2)] == [3, 4]
    assert {one.organization_code for one in first} == {world.town_code}
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        invite(world, count=1, idempotency_key="k")


def test_only_staff_above_all_subjects_may_invite(world: World) -> None:
    village = replace(world.staff, path=f"{world.staff.path}7/")
    with pytest.raises(Forbidden):
        invite(world, staff=village)


def test_a_panel_of_one_organization_above_subjects_at_a_time(world: World) -> None:
    with pytest.raises(Invalid):
        invite(world, organization_codes=[world.town_code, world.village_codes[0]])


def test_a_revoked_code_opens_nothing(world: World, phone: Phone, code: str) -> None:
    ticket = phone.open(code)["ticket"]
    with world.app.extensions["database"].unit_of_work() as session:
        revoke_entrance(session, staff=world.staff, keyring=world.keyring, raw_code=code, now=NOW)
    refused = phone.post(code, ticket=ticket, organization_code=world.village_codes[0])
    assert code_of(refused) == (404, "unknown_entrance")
    # Revoked while the vote is on: a ballot may have come from it before.
    assert issued(world) == [1, 1]


def test_the_mark_on_the_phone_is_read_with_suspicion(world: World, web_view: FlaskClient, code: str) -> None:
    with world.app.extensions["database"].reading() as session:
        slot = session.scalars(select(Entrance).where(Entrance.panel_id.is_not(None))).one()
    name = f"answered_{slot.code_digest.hex()}"
    web_view.set_cookie(name, "x.-1.²..1-.7-9-1.1-²2.999999999999999999999999-1")
    assert "请您评 2 个" in web_view.get(f"/s/{code}").text


def test_one_code_counts_once_among_the_codes_of_a_browser(world: World, phone: Phone) -> None:
    """A panel of many subjects is not many credentials."""
    ticket = world.open(world.issue()[0].code)
    panel = f"answered_{ticket.code_digest.hex()}=1-2.1-3.4-2"
    with world.app.test_request_context(headers={"Cookie": f"{panel}; answered_0=1"}):
        assert access.count_codes(ticket) == 2
        assert access.count_codes(replace(ticket, code_digest=b"another code")) == 3


def test_whoever_rates_one_subject_pays_nothing_for_panels(
    world: World,
    web_view: FlaskClient,
    code: str,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    """As before there were panels: one look at the code; the gate and four rows for a ballot."""

    def cost(act: Callable[[], TestResponse]) -> tuple[int, int]:
        with count_queries() as statements:
            status = act().status_code
        return status, len(statements)

    first, second = [issued.code for issued in world.issue(count=2)]
    phone = Phone(world.app.test_client())
    for warming in (first, code):
        web_view.get(f"/s/{warming}")
    phone.post(first)
    body = {"ticket": phone.open(second)["ticket"], "secret": new_secret(), "answers": GOOD}
    assert cost(lambda: web_view.get(f"/s/{second}")) == (200, 1)
    assert cost(lambda: web_view.get(f"/s/{code}")) == (200, 3)
    sent = cost(lambda: phone.client.post(f"/api/v1/entrances/{second}/ballots", json=body))
    assert sent == (201, 5)
