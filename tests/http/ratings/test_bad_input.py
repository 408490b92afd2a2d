"""Bad input, item by item: a clear error that names the place, and nothing half-saved.

Wrong sheets, two who decide at once and objections after their last day stand in `test_refusals.py`,
`tests/services/ratings/test_races.py` and `test_records.py`.
"""

from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from survey_service.core.db import Database
from survey_service.ratings.presets import preset_text
from tests.factories.applications import make_app
from tests.factories.campaigns import World
from tests.http.campaigns.callers import Caller, fields_of, problem
from tests.http.ratings.conftest import Rating, open_rating, shares

TOWNSHIP = preset_text("township-classification")
RING = TOWNSHIP.replace("code: plan,", "code: plan, children: *all,")
STARS = preset_text("feicheng-branch-star")
STEPS = ("self", "mass_evaluation", "summary", "town_assessment")
NOTICE = "{code: notice, title: 公示, kind: public_notice, by: county, actor: 县委组织部, days: 5}"
SCHEMES = {
    "weights that do not sum": (
        TOWNSHIP,
        "value: 15}}",
        "value: 16}}",
        "indicators:",
        "合计为 102，应为 100",
    ),
    "weights of one field": (STARS, "fields: [community]", "fields: [school]", "indicators:", "“community”"),
    "a gap under the bands": (TOWNSHIP, "较差, min: 0", "较差, min: 10", "min: 10", "有的分数没有等次"),
    "bands that overlap": (TOWNSHIP, "较好, min: 80", "较好, min: 95", "min: 95", "从高到低"),
    "bands of one line": (TOWNSHIP, "较好, min: 80", "较好, min: 90", "title: 较好, min: 90", "从高到低"),
    "a share both ways": (
        TOWNSHIP,
        "max_percent: 20}",
        "max_percent: 20, min_percent: 5}",
        "20, min",
        "只写一个",
    ),
    "a share twice": (
        TOWNSHIP,
        "- {grade: 较差, min_percent: 10}",
        "- {grade: 好, max_percent: 10}",
        "好, max_percent: 10",
        "重复",
    ),
    "a share of the lowest": (TOWNSHIP, "较差, min_percent", "较差, max_percent", "较差, max", "不能设上限"),
    "a share nobody can fill": (
        TOWNSHIP,
        "好, max_percent",
        "好, min_percent",
        "好, min_",
        "只能用于最低等次",
    ),
    "a share of more than all": (TOWNSHIP, "max_percent: 20", "max_percent: 120", "120", "超出了允许的范围"),
    "an unknown actor": (TOWNSHIP, "by: county", "by: emperor", "emperor", "self、town、county"),
    "an unknown scorer": (
        TOWNSHIP,
        "code: plan,",
        "code: plan, scored_by: [king],",
        "[king]",
        "self、town、county",
    ),
    "a ring of indicators": (RING, "indicators:", "indicators: &all", "children: *all", "不能用“*”"),
}


def test_a_scheme_that_contradicts_itself_names_its_line_and_is_not_stored(county: Caller) -> None:
    for name, (source, old, new, marked, sentence) in SCHEMES.items():
        written = source.replace(old, new)
        assert written != source, name
        line = next(number for number, one in enumerate(written.splitlines(), 1) if marked in one)
        answer = county.post("/schemes", {"source": written})
        assert problem(answer) == (422, "invalid_scheme"), name
        assert sentence in " ".join(answer.json["errors"][str(line)]), (name, answer.json["errors"])
    assert len(county.get("/schemes").json["items"]) == 5


def test_half_a_letter_is_no_scheme(county: Caller) -> None:
    answer = county.post_raw("/schemes", b'{"source": "\\ud800"}')
    assert problem(answer) == (422, "invalid_scheme")


def test_a_ring_of_indicators_in_a_table_names_its_cells(county: Caller) -> None:
    rows = ["【指标】", "代码,名称,上级代码,分值", "a,甲,b,50", "b,乙,a,50"]
    upload = {"file": (BytesIO("\n".join(rows).encode()), "办法.csv")}
    answer = county.client.post("/api/v1/schemes/sheet", data=upload, headers=county.headers)
    assert problem(answer) == (422, "invalid_scheme")
    assert {cell: "绕了一圈" in words[0] for cell, words in answer.json["errors"].items()} == {
        "C3": True,
        "C4": True,
    }


@pytest.fixture
def campaign_app(tmp_path: Path, sqlite_database: Database) -> Flask:
    """On SQLite only: what is refused does not reach the engine."""
    return make_app(tmp_path, sqlite_database)


@pytest.fixture
def rating(world: World, county: Caller) -> Rating:
    """Thirteen branches: two may be 好, two must be 较差."""
    opened = open_rating(world, county, "township-classification")
    for village in range(13):
        opened.score(village, shares(97 - 3 * village))
    return opened


def test_people_break_no_share(rating: Rating) -> None:
    """A third 好 of thirteen, then nobody but one 较差: the step says which, and no grade is final."""
    rating.complete(*STEPS)
    places = [rating.path(f"/decisions/{code}") for code in rating.world.village_codes]
    given = {"grade": "好", "reason": "集体研究决定"}
    assert rating.county.put(places[2], given).status_code == 200
    given = {"grade": "一般", "reason": "集体研究决定"}
    assert rating.county.put(places[12], given).status_code == 200
    answer = rating.county.post(rating.path("/county_review"))
    assert problem(answer) == (409, "shares_broken")
    assert answer.json["errors"] == {
        "好": ["“好”在 13 个中最多 2 个，现在定了 3 个。"],
        "较差": ["“较差”在 13 个中至少 2 个，现在定了 1 个。"],
    }
    cycle = rating.county.get(rating.path()).json
    assert (cycle["step"], cycle["is_final"], set(rating.column("grade_final"))) == (
        "county_review",
        False,
        {None},
    )
    given = {"reason": "让出名额"}
    assert rating.county.put(places[1], {"grade": "较好"} | given).status_code == 200
    assert rating.county.put(places[10], {"grade": "较差"} | given).status_code == 200
    rating.complete("county_review")
    final = rating.column("grade_final")
    assert (final.count("好"), final.count("较差"), final[2]) == (2, 2, "好")


def test_nothing_is_edited_once_grades_are_final(rating: Rating) -> None:
    rating.complete(*STEPS, "county_review")
    code = rating.world.village_codes[0]
    subject = rating.path(f"/subjects/{code}")
    before = (rating.grades(), rating.county.get(subject).json, rating.county.get(rating.path()).json)
    link = {"by": "town", "indicator": "leader", "url": "https://example.org/a"}
    put, post = rating.county.put, rating.county.post
    refused = [
        put(f"{subject}/scores", {"by": "county", "points": {"leader": "1"}}),
        put(f"{subject}/findings", {"excluded": "x"}),
        put(rating.path(f"/decisions/{code}"), {"grade": "较好", "reason": "x"}),
        put(rating.path("/deadlines/county_review"), {"due_on": "2027-01-01"}),
        post(f"{subject}/evidence/links", link),
        post(f"{subject}/submit", {"by": "town"}),
        post(f"{subject}/return", {"by": "town", "remark": "x"}),
        post(rating.path("/send-back"), {"to": "self", "remark": "x"}),
        post(rating.path("/county_review")),
    ]
    assert [problem(one) for one in refused] == [(409, "wrong_step")] * len(refused)
    after = (rating.grades(), rating.county.get(subject).json, rating.county.get(rating.path()).json)
    assert after == before


def test_x_and_y_over_their_most_are_refused_whole(world: World, county: Caller) -> None:
    codes = world.village_codes[:1]
    rating = open_rating(world, county, "shuocheng-secretary-star", organization_codes=codes)
    subject = rating.path(f"/subjects/{codes[0]}")
    before = county.get(subject).json
    body = {"bonus": {"honour": "10.01"}, "penalty": {"discipline": "21"}, "excluded": "任职不满一年"}
    answer = county.put(f"{subject}/findings", body)
    assert fields_of(answer) == {"bonus.honour", "penalty.discipline"}
    assert "10.00" in answer.json["errors"]["bonus.honour"][0]
    assert county.get(subject).json == before


def test_an_objection_gives_nobody_a_place_that_a_share_has_not(world: World, county: Caller) -> None:
    """Two of thirteen are 好 and two 较差: who comes in or goes out needs somebody to change places with."""
    source = TOWNSHIP.replace("code: township-classification", "code: with-notice")
    source = source.replace(", decides: true}\n", ", decides: true}\n  - " + NOTICE + "\n")
    assert county.post("/schemes", {"source": source}).status_code == 201
    rating = open_rating(world, county, "with-notice")
    for village in range(13):
        rating.score(village, shares(97 - 3 * village))
    rating.complete(*STEPS, "county_review")

    def settle(village: int, grade: str) -> TestResponse:
        body = {"organization_code": world.village_codes[village], "text": "不服"}
        number = county.post(rating.path("/objections"), body).json["id"]
        outcome = {"outcome": "经核查成立", "grade": grade}
        return county.post(rating.path(f"/objections/{number}/outcome"), outcome)

    assert problem(settle(2, "好")) == (409, "shares_broken")
    assert problem(settle(12, "一般")) == (409, "shares_broken")
    assert settle(1, "较差").status_code == 200
    assert settle(2, "好").status_code == 200
    assert settle(12, "一般").status_code == 200
    assert [rating.column("grade_final")[one] for one in (1, 2, 12)] == ["较差", "好", "一般"]
