"""What everybody may read of opinions: only what author and office have given away."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from survey_service.campaigns.service import close_campaign
from survey_service.core import clock
from survey_service.opinions.models import Opinion
from survey_service.opinions.public_answers import PAGE_SIZE
from survey_service.opinions.rules import MIN_TEXTS, State
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind
from survey_service.staff.rules import Role
from tests.factories.opinions import LAMP, REPORT, OpinionWorld
from tests.factories.staff.offices import add_place

ANSWER = "电工明天来修，材料已经买好。"


def key(place: OpinionWorld, text: str = LAMP, *, code: str = "", **more: Any) -> int:
    """Key in an opinion whose author ticked that it may be published."""
    body = {"organization_code": code or place.village, "text": text, "may_publish": True, **more}
    keyed = place.county.post("/api/v1/opinions", json=body)
    assert keyed.status_code == 201, keyed.text
    found: int = keyed.json["id"]
    return found


def answer(place: OpinionWorld, opinion: int, **words: str) -> int:
    """Sort an opinion and answer it, in public where nothing else is said."""
    by = place.county
    for action, body in (
        ("triage", {"category": "complaint", "level": "town"}),
        ("answer", words or {"public_text": ANSWER}),
    ):
        done = place.act(by, opinion, action, **body)
        assert done.status_code == 200, done.text
    return opinion


def others(place: OpinionWorld, count: int = MIN_TEXTS) -> None:
    """Let so many others have written to the village; an office has sorted what they wrote."""
    written = [key(place, f"第{number}个人说的话", may_publish=False) for number in range(count)]
    change(place, written, state=State.TRIAGED)


def change(place: OpinionWorld, ids: list[int], **values: Any) -> None:
    """Write into rows what no call would."""
    with place.world.app.extensions["database"].unit_of_work() as session:
        session.execute(update(Opinion).where(Opinion.id.in_(ids)).values(values))


def listed(place: OpinionWorld, *, code: str = "", query: str = "") -> Any:
    found = place.world.app.test_client().get(f"/api/v1/answers/{code or place.village}{query}")
    assert found.status_code == 200, found.text
    return found.json


def page(place: OpinionWorld, query: str = "", *, code: str = "") -> str:
    shown = place.world.app.test_client().get(f"/a/{code or place.village}{query}")
    assert shown.status_code == 200
    return shown.text


def test_what_both_sides_gave_away_is_shown(place: OpinionWorld) -> None:
    others(place)
    opinion = key(place, topic="living_environment")
    place.act(place.county, opinion, "note", remark="内部：先别声张")
    answer(place, opinion, public_text=ANSWER, private_text="私下说：您家的树枝也要修")
    (item,) = listed(place)["items"]
    assert item == {
        "category": "complaint",
        "topic": "living_environment",
        "text": LAMP,
        "answer": ANSWER,
        "answered_by": item["answered_by"],
        "answered_on": clock.local_day(clock.now()).isoformat(),
    }
    shown = page(place)
    assert LAMP in shown
    assert ANSWER in shown
    for secret in ("私下说", "先别声张", str(opinion), "同志"):
        assert secret not in shown + str(listed(place)), secret
    assert not re.search(r"\d\d:\d\d", shown)


def test_what_is_not_given_away_is_not_shown(place: OpinionWorld) -> None:
    others(place)
    answer(place, key(place, "没有打勾", may_publish=False))
    answer(place, key(place, "只私下答复"), private_text="只对您说")
    answer(place, key(place, "邻村的事", code=place.world.village_codes[1]))
    lead = answer(place, key(place, "并入的那条"))
    joined = answer(place, key(place, "被并的原话"))
    change(place, [joined], state=State.JOINED, lead_id=lead)
    key(place, "还没有答复")
    assert [item["text"] for item in listed(place)["items"]] == ["并入的那条"]


def _by_author(place: OpinionWorld) -> int:
    """The county has said that the report is none, and answers it like any other."""
    return answer(place, key(place, category="report"))


def _by_office(place: OpinionWorld) -> int:
    opinion = answer(place, key(place))
    change(place, [opinion], category="report")
    return opinion


def _kept_from_somebody(place: OpinionWorld) -> int:
    opinion = answer(place, key(place))
    change(place, [opinion], concealed_id=place.place(place.village).id)
    return opinion


def _by_its_words(place: OpinionWorld) -> int:
    return answer(place, key(place, REPORT))


@pytest.mark.parametrize("make", [_by_author, _by_office, _kept_from_somebody, _by_its_words])
def test_no_report_is_ever_shown(place: OpinionWorld, make: Callable[[OpinionWorld], int]) -> None:
    others(place)
    opinion = make(place)
    assert listed(place)["items"] == []
    assert "还没有公开的答复" in page(place)
    with place.world.app.extensions["database"].reading() as session:
        assert session.get_one(Opinion, opinion).state is State.ANSWERED


def test_numbers_and_names_are_masked_in_words_and_answers(place: OpinionWorld) -> None:
    others(place)
    opinion = answer(place, key(place, "x"), public_text="请打13812345678找王师傅")
    change(place, [opinion], text="我叫张三丰，电话一三八 1234 5678")
    shown = page(place) + str(listed(place))
    for secret in ("13812345678", "张三丰", "1234 5678"):
        assert secret not in shown
    assert "＊" in shown


def test_a_reopened_case_waits_for_its_new_answer(place: OpinionWorld) -> None:
    others(place)
    opinion = answer(place, key(place))
    change(place, [opinion], state=State.REOPENED, is_reopened=True, is_open=True)
    assert listed(place)["items"] == []
    assert place.act(place.county, opinion, "answer", private_text="这次只对您说").status_code == 200
    assert listed(place)["items"] == []


def test_nothing_is_shown_before_enough_have_written(place: OpinionWorld) -> None:
    answer(place, key(place))
    others(place, MIN_TEXTS - 2)
    key(place, "还没有人看过")
    place.triage(key(place, REPORT), category="report", level="county")
    found = listed(place)
    assert (found["is_withheld"], found["items"]) == (True, [])
    assert (LAMP in page(place), "还不到 10 条" in page(place)) == (False, True)
    others(place, 1)
    assert [item["text"] for item in listed(place)["items"]] == [LAMP]


def test_older_answers_stand_on_later_pages(place: OpinionWorld) -> None:
    wanted = {f"第{number}件事" for number in range(PAGE_SIZE + 2)}
    for text in sorted(wanted):
        answer(place, key(place, text))
    first = listed(place)
    second = listed(place, query=f"?cursor={first['next_cursor']}")
    texts = [item["text"] for item in first["items"] + second["items"]]
    assert (len(first["items"]), set(texts), second["next_cursor"]) == (PAGE_SIZE, wanted, None)
    assert f"/a/{place.village}?cursor={PAGE_SIZE}" in page(place)
    assert "回到最新的" in page(place, f"?cursor={PAGE_SIZE}&type=large")
    assert "看更早的" in page(place, "?cursor=x")
    assert place.world.app.test_client().get(f"/api/v1/answers/{place.village}?cursor=x").status_code == 422


def test_the_branch_of_a_village_leads_to_its_village(place: OpinionWorld) -> None:
    with place.world.app.extensions["database"].unit_of_work() as session:
        village = session.scalars(select(Organization).where(Organization.code == place.village)).one()
        add_place(session, "BRANCH-1", OrganizationKind.BRANCH, village)
    others(place)
    answer(place, key(place, "写给支部的", code="BRANCH-1"))
    for code in ("BRANCH-1", place.village):
        found = listed(place, code=code)
        assert (found["organization_code"], len(found["items"])) == (place.village, 1)
    assert listed(place, code=place.world.town_code)["items"] == []
    assert place.world.app.test_client().get("/a/nowhere").status_code == 404


def test_the_pages_of_authors_and_voters_lead_there(place: OpinionWorld) -> None:
    phone = place.world.app.test_client()
    box = place.town.post(
        "/api/v1/opinion-boxes", json={"organization_code": place.village, "place": ""}
    ).json
    for code in (box["code"], place.world.issue()[0].code):
        assert f"/o/{code}/answers" in phone.get(f"/o/{code}").text
        assert phone.get(f"/o/{code}/answers").location == f"/a/{place.village}"
    assert phone.get("/o/0000000000000/answers").status_code == 404
    _, query_code = place.write()
    assert f"/a/{place.village}" in phone.get(f"/q/{query_code}").text
    code = place.world.issue()[0].code
    with place.world.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=place.world.campaign_id, now=clock.now())
    assert f"/o/{code}/answers" in phone.get(f"/s/{code}").text


def test_who_answers_is_told_that_everybody_will_read_it(place: OpinionWorld) -> None:
    town = place.people.browser(Role.TOWN_STAFF, place.world.town_code)
    for opinion, is_told in ((key(place), True), (key(place, may_publish=False), False)):
        place.act(place.county, opinion, "triage", category="complaint", level="town")
        assert ("放在公开页上" in town.get(f"/staff/opinions/{opinion}").text) is is_told
