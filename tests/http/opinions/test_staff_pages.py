"""The pages of secretaries, towns and the county: sort, handle, answer, and what a branch is not shown."""

import io
import re
from dataclasses import dataclass

import pytest
from PIL import Image

from survey_service.staff.rules import Role
from tests.factories.opinions import LAMP, REPORT, OpinionWorld
from tests.http.opinions.test_pages import fill
from tests.http.reports.conftest import Browser


@dataclass
class Desks:
    place: OpinionWorld
    county: Browser
    town: Browser
    secretary: Browser

    def act(self, who: Browser, opinion: int, action: str, **fields: str):  # type: ignore[no-untyped-def]
        """Open a case, and send one of its forms as it stands."""
        page = who.get(f"/staff/opinions/{opinion}")
        version = re.search(r'name="version" value="(\d+)"', page.text)
        given = {"version": version[1]} if version else {}
        return who.post(f"/staff/opinions/{opinion}/{action}", given | fields)


@pytest.fixture
def desks(place: OpinionWorld) -> Desks:
    people = place.people
    return Desks(
        place,
        people.browser(Role.COUNTY_ADMIN, place.county_code),
        people.browser(Role.TOWN_STAFF, place.world.town_code),
        people.browser(Role.BRANCH_SECRETARY, place.village),
    )


def write(desks: Desks, text: str = LAMP, **more: object) -> int:
    page = desks.town.get("/staff/opinions?group=all").text
    before = set(re.findall(r"/staff/opinions/(\d+)", page))
    sent = fill(desks.place.world.app.test_client(), desks.place.world.issue()[0].code, text, **more)
    assert sent.status_code == 303
    (found,) = (
        set(re.findall(r"/staff/opinions/(\d+)", desks.town.get("/staff/opinions?group=all").text)) - before
    )
    return int(found)


def test_a_case_goes_its_way_over_the_desks(desks: Desks) -> None:
    photo = io.BytesIO()
    Image.new("RGB", (30, 20), "green").save(photo, "PNG")
    photo.seek(0)
    opinion = write(desks, LAMP + "电话13812345678", photos=[(photo, "a.png")])
    second = write(desks, "水渠堵了")
    sorted_one = desks.act(desks.town, opinion, "triage", category="complaint", level="village")
    assert sorted_one.location.startswith(f"/staff/opinions/{second}")
    seen = desks.secretary.get(f"/staff/opinions/{opinion}").text
    assert "路灯" in seen
    assert "13812345678" not in seen
    assert "/photos/1" not in seen
    assert desks.secretary.get(f"/staff/opinions/{opinion}/photos/1").status_code == 404
    assert desks.act(desks.town, opinion, "show_photo", number="1").status_code == 303
    shown = desks.secretary.get(f"/staff/opinions/{opinion}/photos/1")
    assert (shown.mimetype, shown.data[:2]) == ("image/jpeg", b"\xff\xd8")
    assert desks.act(desks.secretary, opinion, "note", remark="问过电工").status_code == 303
    assert desks.act(desks.secretary, opinion, "answer", public_text="已修好").status_code == 303
    assert "问过电工" in desks.town.get(f"/staff/opinions/{opinion}").text
    assert desks.act(desks.town, opinion, "close").status_code == 303
    assert "已办结" in desks.town.get(f"/staff/opinions/{opinion}").text


def test_the_second_of_two_answers_keeps_its_words_and_sees_the_first(desks: Desks) -> None:
    opinion = write(desks)
    desks.act(desks.town, opinion, "triage", category="help", level="village")
    page = desks.secretary.get(f"/staff/opinions/{opinion}").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    desks.act(desks.town, opinion, "accept")
    late = desks.secretary.post(
        f"/staff/opinions/{opinion}/answer", {"version": version[1], "public_text": "我写了很久的答复"}
    )
    assert late.status_code == 409
    assert "别人刚刚办理过" in late.text
    assert "我写了很久的答复" in late.text


def test_the_original_is_shown_to_the_county_with_a_reason(desks: Desks) -> None:
    opinion = write(desks, "电话13812345678，路坏了")
    assert "查看原文" not in desks.town.get(f"/staff/opinions/{opinion}").text
    shown = desks.act(desks.county, opinion, "original", reason="核实情况")
    assert "13812345678" in shown.text
    assert desks.act(desks.town, opinion, "original", reason="看看").status_code == 403
    assert desks.act(desks.county, opinion, "original", reason="").status_code == 422


def test_names_are_covered_by_hand(desks: Desks) -> None:
    opinion = write(desks, "王老五家的狗咬人，王老五不管")
    assert desks.act(desks.town, opinion, "mask", words="张三").status_code == 422
    assert desks.act(desks.town, opinion, "mask", words="王老五").status_code == 303
    assert "王老五" not in desks.town.get(f"/staff/opinions/{opinion}").text


def test_a_case_that_was_handed_up_leaves_the_branch(desks: Desks) -> None:
    opinion = write(desks)
    desks.act(desks.town, opinion, "triage", category="help", level="village")
    up = desks.act(
        desks.secretary, opinion, "transfer", organization_code=desks.place.world.town_code, remark="归镇里"
    )
    assert up.location.startswith("/staff/opinions?")
    assert desks.secretary.get(f"/staff/opinions/{opinion}").status_code == 404
    assert "归镇里" in desks.town.get(f"/staff/opinions/{opinion}").text


def test_paper_is_keyed_and_boxes_are_opened(desks: Desks) -> None:
    desks.town.get("/staff/opinions/new")
    form = {"organization_code": desks.place.village, "text": "纸上写的", "category": "suggestion"}
    assert desks.town.post("/staff/opinions/new", form).status_code == 303
    assert desks.town.post("/staff/opinions/new", form | {"text": "。"}).status_code == 422
    assert "纸上写的" in desks.town.get("/staff/opinions").text
    box = {"organization_code": desks.place.village, "place": "村口"}
    assert desks.town.post("/staff/opinions/boxes", box).status_code == 303
    page = desks.secretary.get("/staff/opinions/boxes").text
    assert "村口" in page
    code = re.search(r"/o/(\w{13})\.svg", page)
    assert code
    assert fill(desks.place.world.app.test_client(), code[1]).status_code == 303
    desks.town.get("/staff/opinions/boxes")
    assert desks.town.post("/staff/opinions/boxes/1/revoke").status_code == 303
    assert desks.place.world.app.test_client().get(f"/o/{code[1]}").status_code == 404


def test_no_address_of_the_product_tells_a_secretary_of_a_report(desks: Desks) -> None:
    """Every page and call that answers to GET is opened with the id of the report, and its words sought."""
    opinion = write(desks, REPORT)
    other = write(desks)
    desks.act(desks.town, opinion, "triage", category="report", level="town")
    desks.act(desks.town, other, "triage", category="help", level="village")
    app = desks.place.world.app
    adapter = app.url_map.bind("localhost")
    told: list[str] = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.endswith("static"):
            continue
        texts = dict.fromkeys(rule.arguments, opinion)
        address = adapter.build(rule.endpoint, texts)
        for query in ("", "?group=all", f"?q=冒领&state=triaged&organization={desks.place.village}"):
            answer = desks.secretary.get(address + query)
            if "冒领" in answer.text.replace(query, "") or (
                f"/opinions/{opinion}" in answer.text and str(opinion) not in address
            ):
                told.append(address + query)
    assert told == []
    listed = desks.secretary.get("/staff/opinions?group=all").text
    assert "办理中 1" in listed
    assert str(opinion) not in listed
    for action in ("accept", "answer", "note", "transfer", "decline", "extend"):
        refused = desks.secretary.post(f"/staff/opinions/{opinion}/{action}", {"remark": "x", "reason": "x"})
        unknown = desks.secretary.post("/staff/opinions/4711/" + action, {"remark": "x", "reason": "x"})
        assert refused.status_code == unknown.status_code != 303
