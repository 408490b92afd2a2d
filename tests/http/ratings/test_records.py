"""Evidence, visits, sheets handed in and back, deadlines, look-back: what is taken and what is refused."""

import re
from io import BytesIO
from typing import Any

import pytest

from survey_service.core.db import Database
from survey_service.ratings import announcements, evidence
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.campaigns.callers import PREFIX, Caller, Offices, fields_of, problem
from tests.http.ratings.conftest import Rating, open_rating, shares

PHOTO = b"\xff\xd8\xff\xe0" + bytes(64)
STEPS = ("self", "mass_evaluation", "summary", "town_assessment")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What is looked at here is the same on every database."""
    return sqlite_database


@pytest.fixture
def rating(world: World, county: Caller) -> Rating:
    """Two branches of the township."""
    return open_rating(world, county, "township-classification", organization_codes=world.village_codes[:2])


def place(rating: Rating, rest: str, village: int = 0) -> str:
    return rating.path(f"/subjects/{rating.world.village_codes[village]}/{rest}")


def upload(caller: Caller, rating: Rating, content: bytes, name: str = "现场.jpg", **form: str) -> Any:
    data = {"by": "self", "indicator": "site", "file": (BytesIO(content), name)} | form
    path = PREFIX + place(rating, "evidence/files")
    return caller.client.post(path, data=data, headers=caller.headers)


def test_a_file_is_kept_and_handed_out_to_be_saved(rating: Rating, secretary: Caller) -> None:
    made = upload(secretary, rating, PHOTO, "../照片/活动室\u202e.jpg")
    assert (made.status_code, made.json["title"], made.json["size"]) == (201, "活动室.jpg", len(PHOTO))
    answer = secretary.get(place(rating, f"evidence/{made.json['id']}"))
    assert (answer.data, answer.mimetype) == (PHOTO, "image/jpeg")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert secretary.delete(place(rating, f"evidence/{made.json['id']}")).status_code == 204
    assert secretary.get(place(rating, "records")).json["evidence"] == []


def test_what_is_no_evidence_is_refused(rating: Rating, secretary: Caller) -> None:
    assert fields_of(upload(secretary, rating, b"<html><script>alert(1)</script>", "照片.jpg")) == {"file"}


def test_a_file_that_is_too_large_is_refused(
    rating: Rating, secretary: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MAX_EVIDENCE_BYTES", len(PHOTO))
    assert problem(upload(secretary, rating, PHOTO + b"x")) == (413, "too_large")
    assert upload(secretary, rating, PHOTO).status_code == 201


def test_an_eleventh_piece_is_refused(rating: Rating, secretary: Caller) -> None:
    for _ in range(10):
        assert upload(secretary, rating, PHOTO).status_code == 201
    assert problem(upload(secretary, rating, PHOTO)) == (409, "too_much_evidence")
    assert upload(secretary, rating, PHOTO, indicator="plan").status_code == 201


def test_links_are_pages_and_nothing_else(rating: Rating, secretary: Caller) -> None:
    body = {"by": "self", "indicator": "site"}
    links = place(rating, "evidence/links")
    for url in ("javascript:alert(1)", "ftp://x.example/", "https://a b"):
        assert fields_of(secretary.post(links, body | {"url": url})) == {"url"}
    made = secretary.post(links, body | {"url": "https://village.example/notice"})
    assert (made.status_code, made.json["kind"]) == (201, "link")
    assert fields_of(secretary.post(links, body | {"url": "https://x.example", "indicator": "no"})) == {
        "indicator"
    }
    download = secretary.get(place(rating, f"evidence/{made.json['id']}"))
    assert problem(download) == (404, "not_found")


def test_evidence_of_others_is_out_of_reach(
    rating: Rating, secretary: Caller, town: Caller, offices: Offices
) -> None:
    own = upload(secretary, rating, PHOTO).json["id"]
    of_town = upload(town, rating, PHOTO, by="town").json["id"]
    assert problem(upload(secretary, rating, PHOTO, by="town")) == (403, "forbidden")
    assert problem(secretary.get(place(rating, f"evidence/{of_town}"))) == (403, "forbidden")
    assert problem(secretary.delete(place(rating, f"evidence/{of_town}"))) == (403, "forbidden")
    assert [one["id"] for one in secretary.get(place(rating, "records")).json["evidence"]] == [own]
    assert len(town.get(place(rating, "records")).json["evidence"]) == 2
    neighbour = place(rating, f"evidence/{own}", village=1)
    assert problem(secretary.get(neighbour)) == (403, "forbidden")
    assert problem(town.get(neighbour)) == (404, "not_found")


def test_a_sheet_handed_in_is_closed_until_it_is_handed_back(
    rating: Rating, secretary: Caller, town: Caller
) -> None:
    mine, points = {"by": "self"}, shares(90)
    del points["mass"]
    del points["plan"]
    assert secretary.put(place(rating, "scores"), mine | {"points": points}).status_code == 200
    assert fields_of(secretary.post(place(rating, "submit"), mine)) == {"points.plan"}
    assert problem(town.post(place(rating, "return"), mine | {"remark": "x"})) == (409, "not_submitted")
    secretary.put(place(rating, "scores"), mine | {"points": {"plan": "9"}})
    assert secretary.post(place(rating, "submit"), mine).json["submitted_at"] is not None
    assert secretary.get(place(rating, "")[:-1]).json["submitted"] == ["self"]
    again = mine | {"points": {"plan": "10"}}
    assert problem(secretary.put(place(rating, "scores"), again)) == (409, "sheet_submitted")
    assert problem(upload(secretary, rating, PHOTO)) == (409, "sheet_submitted")
    assert problem(secretary.post(place(rating, "return"), mine | {"remark": "x"})) == (403, "forbidden")
    returned = town.post(place(rating, "return"), mine | {"remark": "工作思路没有依据"})
    assert (returned.status_code, returned.json["answered_at"]) == (201, None)
    assert secretary.put(place(rating, "scores"), again).status_code == 200
    secretary.post(place(rating, "submit"), mine)
    (told,) = secretary.get(place(rating, "records")).json["returns"]
    assert told["remark"] == "工作思路没有依据"
    assert told["answered_at"] is not None


def test_one_sheet_is_opened_again_after_its_step(rating: Rating, secretary: Caller, town: Caller) -> None:
    for village in range(2):
        rating.score(village, shares(85 + village))
        rating.score(village, shares(80), by="self")
    rating.complete(*STEPS)
    mine = {"by": "self"}
    change = mine | {"points": {"plan": "10"}}
    assert problem(secretary.put(place(rating, "scores"), change)) == (409, "wrong_step")
    assert town.post(place(rating, "return"), mine | {"remark": "请补充"}).status_code == 201
    assert problem(town.post(place(rating, "return"), mine | {"remark": "请补充"})) == (409, "not_submitted")
    other = place(rating, "scores", village=1)
    assert problem(rating.county.put(other, change)) == (409, "wrong_step")
    assert problem(rating.county.post(rating.path("/county_review"))) == (409, "open_returns")
    assert secretary.put(place(rating, "scores"), change).status_code == 200
    assert secretary.post(place(rating, "submit"), mine).status_code == 200
    rating.complete("county_review")
    answer = rating.county.post(place(rating, "return"), {"by": "town", "remark": "x"})
    assert problem(answer) == (409, "wrong_step")


def test_going_back_opens_the_sheets_of_the_step(rating: Rating, secretary: Caller) -> None:
    points = shares(90)
    secretary.put(place(rating, "scores"), {"by": "self", "points": points})
    secretary.post(place(rating, "submit"), {"by": "self"})
    rating.complete("self")
    rating.county.post(rating.path("/send-back"), {"to": "self", "remark": "重新自评"})
    change = {"by": "self", "points": {"plan": "1"}}
    assert secretary.put(place(rating, "scores"), change).status_code == 200


def test_a_town_does_not_hand_back_its_own_sheet(rating: Rating, town: Caller) -> None:
    body = {"by": "town", "remark": "x"}
    assert problem(town.post(place(rating, "return"), body)) == (403, "forbidden")


def test_steps_have_days(rating: Rating, town: Caller) -> None:
    path = rating.path("/deadlines/self")
    made = rating.county.put(path, {"due_on": "2026-11-25"})
    assert made.json == {"step": "self", "begun_on": "2026-11-21", "due_on": "2026-11-25", "is_late": False}
    step = rating.county.get(rating.path()).json["steps"][0]
    assert (step["begun_on"], step["due_on"]) == ("2026-11-21", "2026-11-25")
    assert fields_of(rating.county.put(path, {"due_on": "2026-11-20"})) == {"due_on"}
    assert problem(rating.county.put(rating.path("/deadlines/no"), {"due_on": "2026-11-25"})) == (
        404,
        "not_found",
    )
    rating.complete("self")
    assert problem(rating.county.put(path, {"due_on": "2026-11-25"})) == (409, "wrong_step")
    assert problem(town.put(rating.path("/deadlines/county_review"), {"due_on": "2026-11-25"})) == (
        403,
        "forbidden",
    )


BASE = dict.fromkeys(("leadership", "operation", "activity", "members", "guarantee"), "12")
VISIT = {"visited_on": "2026-11-20", "visitors": "复核专班", "outcome": "confirmed", "text": "台账与现场一致"}


@pytest.fixture
def stars(world: World, county: Caller) -> Rating:
    """Two branches of 肥城, five stars and four, before the review."""
    opened = open_rating(world, county, "feicheng-branch-star", organization_codes=world.village_codes[:2])
    for village, effect in enumerate(("35", "25")):
        opened.score(village, BASE | {"rural_effect": effect})
    opened.complete("self", "town_assessment")
    return opened


def test_nobody_gets_five_stars_unseen(stars: Rating) -> None:
    due = stars.county.get(stars.path("/visits-due")).json["items"]
    assert [(one["organization_code"], one["reasons"], one["is_done"]) for one in due] == [
        (stars.world.village_codes[0], ["on_site"], False)
    ]
    answer = stars.county.post(stars.path("/county_review"))
    assert problem(answer) == (409, "visits_missing")
    assert list(answer.json["errors"]) == stars.world.village_codes[:1]
    tomorrow = VISIT | {"visited_on": "2026-11-22"}
    assert fields_of(stars.county.post(place(stars, "visits"), tomorrow)) == {"visited_on"}
    assert stars.county.post(place(stars, "visits"), VISIT).status_code == 201
    stars.complete("county_review")
    assert stars.column("grade_final") == ["star5", "star4"]


def test_an_objection_gives_five_stars_to_nobody_unseen(stars: Rating) -> None:
    """Visits are noted until the public notice is over."""
    stars.visit(0)
    stars.complete("county_review")
    second = stars.world.village_codes[1]
    body = {"organization_code": second, "text": "应评五星"}
    number = stars.county.post(stars.path("/objections"), body).json["id"]
    place_of = stars.path(f"/objections/{number}/outcome")
    answer = stars.county.post(place_of, {"outcome": "属实", "grade": "star5"})
    assert (problem(answer), [*answer.json["errors"]]) == ((409, "visits_missing"), [second])
    stars.visit(1)
    assert stars.county.post(place_of, {"outcome": "属实", "grade": "star5"}).status_code == 200
    stars.let_days_pass(6)
    stars.complete("public_notice", "filing")
    assert stars.column("grade_final") == ["star5", "star5"]
    assert problem(stars.county.post(place(stars, "visits"), VISIT)) == (409, "wrong_step")


def test_an_objection_may_show_that_a_veto_was_noted_wrongly(stars: Rating) -> None:
    """Findings are closed with the decision, and the committee never had the choice."""
    code = stars.world.village_codes[0]
    stars.visit(0)
    stars.find(0, findings={"organized_crime": "线索待查"})
    refused = stars.county.put(stars.path(f"/decisions/{code}"), {"grade": "star5", "reason": "集体研究决定"})
    assert fields_of(refused) == {"grade"}
    stars.complete("county_review")
    assert stars.column("grade_final")[0] == "star4"
    assert problem(stars.county.put(place(stars, "findings"), {"findings": {}})) == (409, "wrong_step")
    body = {"organization_code": code, "text": "线索与本村无关"}
    number = stars.county.post(stars.path("/objections"), body).json["id"]
    outcome = {"outcome": "核查属实，线索不成立", "grade": "star5"}
    assert stars.county.post(stars.path(f"/objections/{number}/outcome"), outcome).status_code == 200
    assert stars.column("grade_final")[0] == "star5"
    [decided] = stars.county.get(stars.path(f"/grades/{code}/trace")).json["decisions"]
    assert [decided[name] for name in ("kind", "grade_proposed", "reason")] == [
        "objection",
        "star4",
        outcome["outcome"],
    ]


def test_a_decision_asks_for_a_visit_as_a_proposal_does(stars: Rating) -> None:
    stars.visit(0)
    second = stars.world.village_codes[1]
    body = {"grade": "star5", "reason": "集体研究决定"}
    assert stars.county.put(stars.path(f"/decisions/{second}"), body).status_code == 200
    answer = stars.county.post(stars.path("/county_review"))
    assert (problem(answer), [*answer.json["errors"]]) == ((409, "visits_missing"), [second])
    wrong = stars.county.post(stars.path(f"/subjects/{second}/visits"), VISIT | {"visited_on": "昨天"})
    assert wrong.json["errors"] == {"visited_on": ["请填写日期，例如 2026-11-21。"]}
    stars.visit(1)
    stars.complete("county_review")
    assert stars.column("grade_final") == ["star5", "star5"]


def test_visits_are_the_business_of_those_above(stars: Rating, secretary: Caller) -> None:
    assert problem(secretary.post(place(stars, "visits"), VISIT)) == (403, "forbidden")
    stars.county.post(place(stars, "visits"), VISIT)
    assert secretary.get(place(stars, "records")).json["visits"] == []
    assert problem(secretary.get(stars.path("/visits-due"))) == (403, "forbidden")
    assert stars.county.get(place(stars, "records")).json["visits"][0]["text"] == VISIT["text"]


def test_a_notice_stands_for_its_days_and_takes_objections_until_its_last(stars: Rating) -> None:
    stars.county.post(place(stars, "visits"), VISIT)
    stars.complete("county_review")
    objection = {"organization_code": stars.world.village_codes[0], "text": "台账不实"}
    deadline = stars.path("/deadlines/public_notice")
    assert fields_of(stars.county.put(deadline, {"due_on": "2026-11-25"})) == {"due_on"}
    assert problem(stars.county.post(stars.path("/public_notice"))) == (409, "notice_running")
    stars.let_days_pass(5)
    assert problem(stars.county.post(stars.path("/public_notice"))) == (409, "notice_running")
    assert stars.county.post(stars.path("/objections"), objection).status_code == 201
    stars.let_days_pass(1)
    late = stars.county.post(stars.path("/objections"), objection)
    assert problem(late) == (409, "objection_too_late")
    assert "2026-11-20" in late.json["detail"]
    outcome = {"outcome": "核查不属实"}
    assert stars.county.post(stars.path("/objections/1/outcome"), outcome).status_code == 200
    stars.complete("public_notice", "filing")


def test_a_long_notice_is_read_page_by_page_and_searched(
    world: World, county: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "PAGE_SIZE", 2)
    rating = open_rating(world, county, "feicheng-branch-star", organization_codes=world.village_codes[:3])
    for village in range(3):
        rating.score(village, BASE | {"rural_effect": "25"})
    rating.complete("self", "town_assessment", "county_review")

    def names(path: str) -> list[str]:
        page = world.app.test_client().get(path).text
        assert "四星级 3 个" in page
        return re.findall(r"<p>(第\d村)", page)

    own = f"/n/{rating.id}"
    assert f'href="{own}?cursor=2"' in world.app.test_client().get(own).text
    assert [names(own), names(f"{own}?cursor=2")] == [["第1村", "第2村"], ["第3村"]]
    assert [names(f"{own}?words={words}") for words in ("3", "%25")] == [["第3村"], []]
    assert names(f"{own}?cursor={'9' * 40}") == names(f"{own}?cursor=x") == ["第1村", "第2村"]


def test_five_stars_are_looked_at_again_in_the_third_year(world: World, county: Caller) -> None:
    """Of 2024's five and four stars only the five are visited in 2026, and nobody in 2025."""
    codes = world.village_codes[:2]
    for year in (2024, 2025, 2026):
        rating = open_rating(world, county, "raoping-centre-star", organization_codes=codes, year=year)
        for village, effect in enumerate(("38", "25")):
            rating.score(village, {"site": "28", "operation": "28", "effect": effect})
        due = county.get(rating.path("/visits-due")).json["items"]
        expected = [(codes[0], ["look_back"], "star5")] if year == 2026 else []
        assert [(one["organization_code"], one["reasons"], one["earlier_grade"]) for one in due] == expected
        rating.complete("self", "town_assessment")
        if year == 2024:
            rating.complete("county_review", "filing")
    assert problem(county.post(rating.path("/county_review"))) == (409, "visits_missing")
    county.post(place(rating, "visits"), VISIT | {"outcome": "differs", "text": "活动室已停用"})
    decision = {"grade": "star4", "reason": "回头看发现活动室停用"}
    assert county.put(rating.path(f"/decisions/{codes[0]}"), decision).status_code == 200
    rating.complete("county_review")
    assert rating.column("grade_final") == ["star4", "star4"]


def test_a_secretary_of_elsewhere_sees_no_records(rating: Rating, offices: Offices) -> None:
    other = offices.caller(Role.TOWN_STAFF, "village")
    assert problem(other.get(place(rating, "records", village=1))) == (403, "forbidden")
