"""Each of the five published systems, from opening the cycle to its last step, through the API."""

from tests.factories.campaigns import World
from tests.http.campaigns.callers import Caller
from tests.http.ratings.conftest import open_rating, shares

SEED = (
    "raoping-centre-star",
    "shuocheng-secretary-star",
    "feicheng-branch-star",
    "township-classification",
    "fuzhou-standard",
)


def test_the_five_are_there(county: Caller) -> None:
    items = county.get("/schemes").json["items"]
    assert tuple(item["code"] for item in items) == SEED
    assert all(not item["locked"] and item["version"] == 1 and len(item["hash"]) == 64 for item in items)
    assert all(item["assumptions"] for item in items)


def test_township_classification(world: World, county: Caller) -> None:
    rating = open_rating(world, county, "township-classification")
    totals = [97, 95, "93.5", 91, 89, "89.5", 85, 82, "79.99", 75, 70, 62, 55]
    for village, total in enumerate(totals):
        rating.score(village, shares(total))
    proposed = ["好", "好", *["较好"] * 6, *["一般"] * 3, "较差", "较差"]
    assert rating.column("grade_proposed") == proposed
    assert rating.column("grade_by_score")[5] == "较好"
    assert rating.column("grade_final") == [None] * 13
    rating.complete("self", "mass_evaluation", "summary", "town_assessment", "county_review")
    assert rating.column("grade_final") == proposed
    assert county.get(rating.path()).json["step"] is None
    assert rating.column("total")[2] == "93.50"


def test_raoping_centre_star(world: World, county: Caller) -> None:
    rating = open_rating(world, county, "raoping-centre-star", organization_codes=world.village_codes[:3])
    for village in range(3):
        rating.score(village, {"site": "29", "operation": "28", "effect": "38"}, by="self")
        rating.score(village, {"site": "28", "operation": "27", "effect": "37"})
    rating.complete("self", "town_assessment")
    rating.score(1, {"site": "24"}, by="county")
    rating.score(2, {"effect": "15"}, by="county")
    side_by_side = county.get(rating.path(f"/subjects/{world.village_codes[1]}")).json
    assert side_by_side["totals"] == {"self": "95.00", "town": "92.00", "county": None}
    site = side_by_side["entries"][0]
    assert (site["self"], site["town"], site["county"], site["differs"]) == ("29", "28", "24", True)
    rating.complete("county_review", "filing")
    assert rating.column("grade_final") == ["star5", "star4", "star3"]
    assert rating.column("total") == ["92.00", "88.00", "70.00"]


def test_shuocheng_secretary_star(world: World, county: Caller) -> None:
    """54 + 16 + 19 = 89; with X = 8 five stars at 97, with Y = 3 more four stars at 94."""
    rating = open_rating(
        world, county, "shuocheng-secretary-star", organization_codes=world.village_codes[:4]
    )
    points = dict.fromkeys(("leader", "income", "site", "rules", "service"), "18") | {"mass": "19"}
    for village in range(3):
        rating.score(village, points, choices={"organisation": "fairly_good"})
    rating.find(1, bonus={"honour": "8"})
    rating.find(2, bonus={"honour": "8"}, penalty={"discipline": "3"})
    rating.find(3, excluded="任职不满一年")
    rating.complete("standards", "working_group", "opinions", "scoring", "appraisal", "star_rating")
    assert rating.column("grade_final") == ["star3", "star5", "star4", None]
    assert rating.column("total") == ["89.00", "97.00", "94.00", None]
    assert rating.column("excluded")[3] == "任职不满一年"


def test_feicheng_branch_star(world: World, county: Caller) -> None:
    rating = open_rating(world, county, "feicheng-branch-star", organization_codes=world.village_codes[:4])
    base = dict.fromkeys(("leadership", "operation", "activity", "members", "guarantee"), "12")
    for village in range(3):
        rating.score(village, base | {"rural_effect": "35"})
    rating.find(3, field="school")
    rating.score(3, base | {"field_effect": "20"})
    rating.find(1, findings={"organized_crime": "线索已查实"})
    assert rating.column("grade_by_score") == ["star5", "star5", "star5", "star4"]
    assert rating.column("grade_proposed") == ["star5", "star4", "star5", "star4"]
    assert "一票否决：黑恶势力侵蚀基层政权。" in rating.column("reasons")[1]
    rating.visit(0, 2)
    rating.complete("self", "town_assessment", "county_review")
    code = world.village_codes[2]
    raised = county.post(rating.path("/objections"), {"organization_code": code, "text": "台账不实"})
    assert raised.status_code == 201
    rating.let_days_pass(6)
    assert county.post(rating.path("/public_notice")).json["code"] == "open_objections"
    outcome = {"outcome": "属实，降为四星级", "grade": "star4"}
    assert county.post(rating.path(f"/objections/{raised.json['id']}/outcome"), outcome).status_code == 200
    rating.complete("public_notice", "filing")
    assert rating.column("grade_final") == ["star5", "star4", "star4", "star4"]
    rewards = {one["code"]: (one["count"], one["sum"]) for one in county.get(rating.path()).json["rewards"]}
    assert rewards == {"secretary_allowance": (3, "15600.00"), "branch_funds": (1, "10000.00")}
    body = {"grade": "star3", "trigger": "petition", "reason": "信访举报查实"}
    assert county.post(rating.path(f"/downgrades/{code}"), body).status_code == 201
    assert rating.column("grade_final")[2] == "star3"
    kinds = [one["kind"] for one in county.get(rating.path(f"/grades/{code}/trace")).json["decisions"]]
    assert kinds == ["objection", "downgrade"]


def test_fuzhou_standard(world: World, county: Caller) -> None:
    rating = open_rating(
        world, county, "fuzhou-standard", organization_codes=world.village_codes[:2], year=2026
    )
    checks = ["politics", "organization", "team", "service", "rules", "guarantee"]
    for village, passed in enumerate((checks, checks[:5])):
        rating.score(village, {}, checks={"village_standard": passed})
    rating.complete("self", "town_assessment", "county_review", "filing")
    assert rating.column("grade_final") == ["met", "not_met"]
    assert rating.column("total") == ["100.00", "83.33"]
    assert county.get(rating.path()).json["phase"] == "基本实现质量标准达标见效"
