"""The poster of a box: one page, a code that a phone reads, an address that can be typed."""

from survey_service.staff.rules import Role
from tests.factories.opinions import OpinionWorld
from tests.factories.staff.offices import PASSWORD
from tests.http.reports.conftest import Browser
from tests.support.pdf import codes_on, words_of


def test_a_box_has_a_poster(place: OpinionWorld) -> None:
    asked = {"organization_code": place.village, "place": "老榕树下"}
    box = place.town.post("/api/v1/opinion-boxes", json=asked).json
    address = f"/staff/opinions/boxes/{box['id']}/poster"
    secretary = place.people.browser(Role.BRANCH_SECRETARY, place.village)
    assert address in secretary.get("/staff/opinions/boxes").text
    printed = secretary.post(address)
    assert (printed.status_code, printed.mimetype) == (200, "application/pdf")
    assert codes_on(printed.data, dpi=100) == [{box["url"]}]
    words = words_of(printed.data)
    code = box["code"]
    for shown in ("意见箱", "老榕树下", "survey.example/o", f"{code[:4]}-{code[4:8]}-{code[8:]}"):
        assert shown in words, shown
    assert "截止" not in words
    neighbour = Browser(place.world.app.test_client())
    name = place.people.hire(Role.BRANCH_SECRETARY, place.world.village_codes[1], name="next.door")
    neighbour.post("/staff", {"username": name, "password": PASSWORD})
    neighbour.get("/staff/opinions/boxes")
    assert neighbour.post(address).status_code == 403
    api = f"/api/v1/opinion-boxes/{box['id']}/poster"
    assert place.neighbour.post(api).status_code == 403
    place.town.delete(f"/api/v1/opinion-boxes/{box['id']}")
    assert place.town.post(api).status_code == 404


def test_the_code_of_a_poster_can_be_typed(place: OpinionWorld) -> None:
    asked = {"organization_code": place.village, "place": ""}
    box = place.town.post("/api/v1/opinion-boxes", json=asked).json
    phone = place.world.app.test_client()
    assert "输入意见箱编号" in phone.get("/o").text
    typed = phone.post("/o", data={"code": f" {box['code'][:6].lower()} {box['code'][6:]}"})
    assert (typed.status_code, typed.location) == (303, f"/o/{box['code']}")
    assert "请核对编号" in phone.post("/o", data={"code": "ABC"}).text
