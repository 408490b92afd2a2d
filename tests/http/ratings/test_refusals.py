"""Who may do what in a cycle, and what is refused with which words; nothing is half-saved."""

from typing import Any

import pytest

from survey_service.ratings import overview
from survey_service.ratings.presets import preset_text
from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.http.campaigns.callers import Caller, Offices, fields_of, problem
from tests.http.ratings.conftest import Rating, open_rating, shares

STEPS = ("self", "mass_evaluation", "summary", "town_assessment")


@pytest.fixture
def rating(world: World, county: Caller) -> Rating:
    """Five branches of the township: one may be 好, one must be 较差."""
    opened = open_rating(world, county, "township-classification", organization_codes=world.village_codes[:5])
    for village, total in enumerate((97, 95, 85, 75, 65)):
        opened.score(village, shares(total))
    return opened


def sheet(rating: Rating, village: int = 0) -> str:
    return rating.path(f"/subjects/{rating.world.village_codes[village]}/scores")


def decision(rating: Rating, village: int) -> str:
    return rating.path(f"/decisions/{rating.world.village_codes[village]}")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"by": "town", "points": {"leader": "15.01"}}, "points.leader"),
        ({"by": "town", "points": {"leader": "-1"}}, "points.leader"),
        ({"by": "town", "points": {"unknown": "1"}}, "points.unknown"),
        ({"by": "town", "choices": {"leader": "good"}}, "choices.leader"),
        ({"by": "emperor", "points": {}}, "by"),
        ({"points": {"leader": "1"}}, "by"),
    ],
)
def test_a_wrong_sheet_is_refused_whole(rating: Rating, body: dict[str, Any], field: str) -> None:
    before = rating.grades()
    body.setdefault("points", {}).setdefault("plan", "1")
    assert field in fields_of(rating.county.put(sheet(rating), body))
    assert rating.grades() == before


def test_an_entry_can_be_changed_and_taken_away(rating: Rating) -> None:
    rating.score(0, {"leader": "10"})
    assert rating.column("total")[0] == "92.45"
    rating.score(0, {"leader": None})
    row = rating.grades()[0]
    assert (row["total"], row["grade_proposed"]) == (None, None)
    assert row["reasons"] == ["还没有得出总分，缺少：党组织带头人。"]


def test_steps_come_in_their_order(rating: Rating) -> None:
    answer = rating.county.post(rating.path("/county_review"))
    assert problem(answer) == (409, "wrong_step")
    assert "党支部自评（self）" in answer.json["detail"]
    rating.complete(*STEPS, "county_review")
    assert problem(rating.county.post(rating.path("/county_review"))) == (409, "wrong_step")
    body = {"by": "town", "points": {"leader": "1"}}
    assert problem(rating.county.put(sheet(rating), body)) == (409, "wrong_step")


def test_a_sheet_is_closed_with_its_step_and_opened_by_sending_back(rating: Rating) -> None:
    rating.complete(*STEPS)
    body = {"by": "town", "points": {"leader": "1"}}
    assert problem(rating.county.put(sheet(rating), body)) == (409, "wrong_step")
    back = {"to": "town_assessment", "remark": "工作业绩依据不足"}
    assert rating.county.post(rating.path("/send-back"), back).json["step"] == "town_assessment"
    assert rating.county.put(sheet(rating), body).status_code == 200
    moves = rating.county.get(rating.path()).json["moves"]
    assert [(one["kind"], one["step"]) for one in moves[-2:]] == [
        ("completed", "town_assessment"),
        ("sent_back", "county_review"),
    ]
    assert moves[-1]["remark"] == "工作业绩依据不足"
    assert fields_of(rating.county.post(rating.path("/send-back"), back | {"to": "county_review"})) == {"to"}


def test_a_deviation_needs_a_reason_and_nobody_overwrites_unseen(rating: Rating) -> None:
    rating.complete(*STEPS)
    assert fields_of(rating.county.put(decision(rating, 1), {"grade": "好"})) == {"reason"}
    assert fields_of(rating.county.put(decision(rating, 1), {"grade": "优", "reason": "x"})) == {"grade"}
    made = rating.county.put(decision(rating, 1), {"grade": "好", "reason": "集体研究决定", "replaces": None})
    assert (made.json["number"], made.json["grade_proposed"]) == (1, "较好")
    other = {"grade": "一般", "reason": "另有意见"}
    assert problem(rating.county.put(decision(rating, 1), other)) == (409, "already_decided")
    assert rating.county.put(decision(rating, 1), other | {"replaces": 1}).json["number"] == 2
    rating.complete("county_review")
    assert rating.column("grade_final") == ["好", "一般", "较好", "一般", "较差"]


def test_decisions_wait_for_their_step(rating: Rating) -> None:
    assert problem(rating.county.put(decision(rating, 0), {"grade": "好"})) == (409, "wrong_step")


def test_grades_are_not_final_while_something_is_missing(rating: Rating) -> None:
    rating.score(3, {"leader": None})
    rating.complete(*STEPS)
    answer = rating.county.post(rating.path("/county_review"))
    assert problem(answer) == (409, "ratings_incomplete")
    assert list(answer.json["errors"]) == [rating.world.village_codes[3]]
    rating.find(3, excluded="今年新成立")
    rating.complete("county_review")


def test_equals_across_a_line_are_decided_by_people(rating: Rating) -> None:
    rating.score(1, shares(97))
    assert rating.column("needs_decision") == [True, True, False, False, False]
    rating.complete(*STEPS)
    answer = rating.county.post(rating.path("/county_review"))
    assert problem(answer) == (409, "undecided")
    assert set(answer.json["errors"]) == set(rating.world.village_codes[:2])
    for village, grade in ((0, "较好"), (1, "好")):
        body = {"grade": grade, "reason": "现场核查后决定"}
        assert rating.county.put(decision(rating, village), body).status_code == 200
    rating.complete("county_review")
    assert rating.column("grade_final")[:2] == ["较好", "好"]


def test_a_decision_does_not_outlive_its_proposal(rating: Rating) -> None:
    rating.complete(*STEPS)
    body = {"grade": "好", "reason": "集体研究决定"}
    assert rating.county.put(decision(rating, 1), body).status_code == 200
    rating.score(1, {"leader": "0", "plan": "0"}, by="county")
    answer = rating.county.post(rating.path("/county_review"))
    assert problem(answer) == (409, "decision_outdated")


def test_a_veto_binds_the_committee(world: World, county: Caller) -> None:
    rating = open_rating(world, county, "feicheng-branch-star", organization_codes=world.village_codes[:1])
    base = dict.fromkeys(("leadership", "operation", "activity", "members", "guarantee"), "12")
    rating.score(0, base | {"rural_effect": "40"})
    rating.find(0, findings={"serious_violation": ""})
    rating.complete("self", "town_assessment")
    refused = county.put(decision(rating, 0), {"grade": "star5", "reason": "x"}).json["errors"]
    assert refused == {"grade": ["因一票否决、负面清单或封顶规定，不能评为“五星级”。"]}
    unknown = county.put(rating.path(f"/subjects/{world.village_codes[0]}/findings"), {"findings": {"x": ""}})
    assert fields_of(unknown) == {"findings.x"}
    early = county.post(
        rating.path("/objections"), {"organization_code": world.village_codes[0], "text": "x"}
    )
    assert problem(early) == (409, "wrong_step")


def test_a_downgrade_only_goes_down_and_names_its_trigger(rating: Rating) -> None:
    path = rating.path(f"/downgrades/{rating.world.village_codes[2]}")
    body = {"grade": "一般", "trigger": "petition", "reason": "x"}
    assert problem(rating.county.post(path, body)) == (409, "wrong_step")
    rating.complete(*STEPS, "county_review")
    assert fields_of(rating.county.post(path, body | {"grade": "好"})) == {"grade", "trigger"}


def test_a_rated_party_fills_in_its_own_self_assessment_and_nothing_else(
    rating: Rating, secretary: Caller
) -> None:
    mine = {"by": "self", "points": {"leader": "14"}}
    assert secretary.put(sheet(rating), mine).status_code == 200
    assert problem(secretary.put(sheet(rating), mine | {"by": "town"})) == (403, "forbidden")
    assert problem(secretary.put(sheet(rating, 1), mine)) == (403, "forbidden")
    findings = rating.path(f"/subjects/{rating.world.village_codes[0]}/findings")
    assert problem(secretary.put(findings, {})) == (403, "forbidden")
    assert problem(secretary.post(rating.path("/self"))) == (403, "forbidden")
    seen = secretary.get(rating.path(f"/subjects/{rating.world.village_codes[0]}")).json
    assert (seen["entries"][0]["self"], seen["entries"][0]["town"]) == ("14", None)


def test_an_office_at_the_rated_place_does_not_rate_itself(rating: Rating, offices: Offices) -> None:
    office = offices.caller(Role.TOWN_STAFF, "village")
    points = {"points": {"leader": "15"}}
    assert problem(office.put(sheet(rating), {"by": "town"} | points)) == (403, "forbidden")
    assert office.put(sheet(rating), {"by": "self"} | points).status_code == 200
    findings = rating.path(f"/subjects/{rating.world.village_codes[0]}/findings")
    assert problem(office.put(findings, {"bonus": {}})) == (403, "forbidden")


def test_a_rated_party_sees_its_grade_when_it_is_final(rating: Rating, secretary: Caller) -> None:
    assert problem(secretary.get(rating.path("/grades"))) == (403, "not_released")
    trace = rating.path(f"/grades/{rating.world.village_codes[0]}/trace")
    assert problem(secretary.get(trace)) == (403, "not_released")
    rating.complete(*STEPS, "county_review")
    rows = secretary.get(rating.path("/grades")).json["items"]
    assert [row["organization_code"] for row in rows] == rating.world.village_codes[:1]
    assert secretary.get(trace).json["mass_evaluation"] is None
    other = rating.path(f"/grades/{rating.world.village_codes[1]}/trace")
    assert problem(secretary.get(other)) == (403, "forbidden")


def test_a_town_scores_for_the_town_and_leaves_the_rest_to_the_county(rating: Rating, town: Caller) -> None:
    """All subjects are its own: it completes its steps in the county's cycle, and no other."""
    points = {"points": {"leader": "14"}}
    assert town.put(sheet(rating), {"by": "town"} | points).status_code == 200
    assert problem(town.put(sheet(rating), {"by": "county"} | points)) == (403, "forbidden")
    assert len(town.get(rating.path("/grades")).json["items"]) == 5
    assert [town.post(rating.path(f"/{step}")).status_code for step in STEPS] == [200] * len(STEPS)
    decide = {"grade": "较好", "reason": "x"}
    for answer in (town.post(rating.path("/county_review")), town.put(decision(rating, 0), decide)):
        assert problem(answer) == (403, "forbidden")


def test_a_cycle_of_many_towns_is_moved_by_who_stands_above_them(
    world: World, county: Caller, town: Caller
) -> None:
    """Here the town itself is rated: it is no one's office of itself."""
    codes = [world.town_code, world.village_codes[0]]
    rating = open_rating(world, county, "township-classification", organization_codes=codes)
    assert problem(town.post(rating.path("/self"))) == (403, "forbidden")
    rating.complete("self")


def test_grades_come_whole_or_page_by_page(rating: Rating, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "PAGE_SIZE", 2)
    whole = rating.county.get(rating.path("/grades")).json
    assert (len(whole["items"]), whole["next_cursor"]) == (5, None)
    pages, cursor = [], "0"
    while cursor is not None:
        page = rating.county.get(rating.path(f"/grades?cursor={cursor}")).json
        assert (page["hash"], page["is_stale"]) == (whole["hash"], False)
        pages.append(page["items"])
        cursor = page["next_cursor"]
    assert [len(items) for items in pages] == [2, 2, 1]
    assert [row for items in pages for row in items] == whole["items"]
    assert problem(rating.county.get(rating.path("/grades?cursor=x"))) == (422, "invalid")


def test_a_town_runs_its_own_cycle_up_to_the_county(world: World, town: Caller, county: Caller) -> None:
    rating = open_rating(world, town, "township-classification", organization_codes=world.village_codes[:1])
    rating.score(0, shares(85))
    rating.complete(*STEPS)
    assert problem(town.post(rating.path("/county_review"))) == (403, "forbidden")
    assert county.post(rating.path("/county_review")).status_code == 200


def test_neighbours_see_and_change_nothing(rating: Rating) -> None:
    neighbour = Offices(start_campaign(rating.world.app)).caller(Role.TOWN_STAFF, "town")
    for path in ("", "/grades", f"/subjects/{rating.world.village_codes[0]}"):
        assert problem(neighbour.get(rating.path(path))) == (403, "forbidden")
    body = {"by": "town", "points": {"leader": "1"}}
    assert problem(neighbour.put(sheet(rating), body)) == (403, "forbidden")
    assert neighbour.get("/rating-cycles").json["items"] == []


def test_what_is_not_there_is_not_found(rating: Rating) -> None:
    county = rating.county
    assert problem(county.get("/rating-cycles/4711/grades")) == (404, "not_found")
    assert problem(county.get("/schemes/unknown")) == (404, "not_found")
    assert problem(county.get("/schemes/township-classification?version=2")) == (404, "not_found")
    outside = rating.path(f"/grades/{rating.world.village_codes[9]}/trace")
    assert problem(county.get(outside)) == (404, "not_found")
    body = {"scheme": "unknown", "title": "x", "under": rating.world.town_code}
    assert problem(county.post("/rating-cycles", body)) == (404, "not_found")
    body = {"scheme": "township-classification", "title": "x"}
    assert fields_of(county.post("/rating-cycles", body)) == {"organization_codes"}


@pytest.mark.parametrize(("base", "warnings"), [(1, 2), (2, 1), (3, 1), (5, 0), (13, 0)])
def test_small_bases_are_warned_of(world: World, county: Caller, base: int, warnings: int) -> None:
    body = {
        "scheme": "township-classification",
        "title": "x",
        "organization_codes": world.village_codes[:base],
        **dict.fromkeys(("under", "campaign_id", "year", "version")),
    }
    assert len(county.post("/rating-cycles", body).json["warnings"]) == warnings


def test_who_is_not_in_the_campaign_is_warned_of(world: World, county: Caller) -> None:
    body = {
        "scheme": "township-classification",
        "title": "x",
        "organization_codes": [world.town_code, *world.village_codes[:12]],
        "campaign_id": world.campaign_id,
    }
    (warning,) = county.post("/rating-cycles", body).json["warnings"]
    assert warning.startswith("有 1 个参评对象不在这次群众测评里")


def test_points_for_the_mass_evaluation_count_only_outside_of_the_campaign(
    world: World, county: Caller
) -> None:
    """People fill it in where no ballots will come; where they may come nobody writes over them."""
    codes = [world.town_code, world.village_codes[0]]
    rating = open_rating(
        world,
        county,
        "township-classification",
        organization_codes=codes,
        campaign_id=world.campaign_id,
    )
    for code in codes:
        points = {"by": "town", "points": shares(90) | {"mass": None}}
        assert county.put(rating.path(f"/subjects/{code}/scores"), points).status_code == 200

    def totals() -> dict[str, str | None]:
        rows = county.get(rating.path("/grades")).json["items"]
        return {row["organization_code"]: row["total"] for row in rows}

    assert totals() == dict.fromkeys(codes)
    for code in codes:
        keyed = {"by": "town", "points": {"mass": "18"}}
        assert county.put(rating.path(f"/subjects/{code}/scores"), keyed).status_code == 200
    assert totals() == {codes[0]: "90.00", codes[1]: None}


def test_a_scheme_of_ones_own_is_locked_by_its_first_cycle(world: World, county: Caller) -> None:
    source = preset_text("township-classification").replace("township-classification", "my-own")
    made = county.post("/schemes", {"source": source})
    assert (made.status_code, made.json["locked"], made.json["is_preset"]) == (201, False, False)
    open_rating(world, county, "my-own")
    assert county.get("/schemes/my-own").json["locked"]
    assert fields_of(county.post("/schemes", {"source": source})) == {"version"}
    second = source.replace("version: 1", "version: 2").replace("min: 90", "min: 92")
    assert county.post("/schemes", {"source": second}).json["version"] == 2
    assert county.get("/schemes/my-own").json["version"] == 2
    assert county.get("/schemes/my-own?version=1").json["locked"]
    assert county.get("/schemes/my-own").json["source"] == second


def test_a_wrong_scheme_is_named_by_its_lines(county: Caller) -> None:
    source = preset_text("township-classification").replace("min: 80", "min: 95")
    answer = county.post("/schemes", {"source": source})
    assert problem(answer) == (422, "invalid_scheme")
    assert answer.json["errors"] == {"21": ["bands[1].min：分数线要从高到低排列，每一档都低于上一档。"]}
    assert len(county.get("/schemes").json["items"]) == 5


def test_the_published_schema_is_served(county: Caller) -> None:
    assert county.get("/schemes/schema").json["$ref"] == "#/$defs/SchemeDocument"
