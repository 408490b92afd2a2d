"""Warnings with their log, files of grades that prove themselves, and the history."""

import json
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from survey_service.auditing.models import AuditEntry
from survey_service.core.db import reading, unit_of_work
from survey_service.core.privacy import current_keyring
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.ratings.grade_files import is_genuine, sign_document
from survey_service.ratings.jobs import sweep_warnings
from survey_service.ratings.models import RatingCycle, RatingDeadline, RatingWarning
from survey_service.ratings.presets import preset_text
from survey_service.ratings.vocabulary import Level, WarningKind
from survey_service.ratings.warnings import cycles_to_watch
from survey_service.staff.rules import Role
from survey_service.webhooks.models import WebhookDelivery
from tests.factories.campaigns import NOW, World, start_campaign
from tests.http.campaigns.callers import Caller, Offices, fields_of, problem
from tests.http.ratings.conftest import Rating, open_rating, shares
from tests.http.reports.conftest import People

STEPS = ("self", "mass_evaluation", "summary", "town_assessment", "county_review")


def run(world: World, county: Caller, totals: list[int], **body: Any) -> Rating:
    opened = open_rating(
        world,
        county,
        "township-classification",
        organization_codes=world.village_codes[: len(totals)],
        **body,
    )
    for village, total in enumerate(totals):
        opened.score(village, shares(total))
    return opened


def decided(world: World, county: Caller, totals: list[int], **body: Any) -> Rating:
    rating = run(world, county, totals, **body)
    rating.complete(*STEPS)
    return rating


def standing(caller: Caller, *, everything: bool = False) -> list[tuple[str, str]]:
    items = caller.get("/rating-warnings" + ("?all=true" if everything else "")).json["items"]
    return [(one["kind"], one["text"]) for one in items]


def test_a_late_step_is_told_to_whose_it_is_and_cleared_when_it_is_done(
    world: World, county: Caller, secretary: Caller
) -> None:
    rating = run(world, county, [97, 95])
    be_late(rating, days=0)
    with unit_of_work() as session:
        assert rating.id in cycles_to_watch(session, now=NOW)
    sweep_warnings()
    assert standing(county) == []
    be_late(rating)
    with unit_of_work() as session:
        assert cycles_to_watch(session, now=NOW) == []
        assert rating.id in cycles_to_watch(session, now=NOW + timedelta(days=1))
    assert county.post(rating.path("/warnings/check")).json == {"standing": 3}
    assert [kind for kind, _ in standing(county)] == ["late_step", "late_sheet", "late_sheet"]
    [(kind, words)] = standing(secretary)
    assert (kind, "党支部自评" in words) == ("late_sheet", True)
    assert county.post(rating.path("/self")).status_code == 200
    assert county.post(rating.path("/warnings/check")).json == {"standing": 0}
    assert (standing(county), len(standing(county, everything=True))) == ([], 3)


def test_a_cause_has_one_warning_however_often_one_looks(world: World, county: Caller) -> None:
    """What comes back after it was settled is a new entry of the log; the old one keeps its answer."""
    rating = run(world, county, [97])
    be_late(rating)
    grades, cycle = rating.grades(), rating.stored()
    for _ in range(3):
        assert county.post(rating.path("/warnings/check")).json == {"standing": 2}
    first = [one["id"] for one in county.get("/rating-warnings").json["items"]]
    assert len(first) == 2
    assert county.put(f"/rating-warnings/{first[0]}/answer", {"answer": "在催"}).status_code == 200
    assert (rating.grades(), rating.stored()) == (grades, cycle)
    assert [one["answer"] for one in audited("ratings.answer")] == ["在催"]
    rating.complete("self")
    assert county.post(rating.path("/warnings/check")).json == {"standing": 0}
    body = {"to": "self", "remark": "补材料"}
    assert county.post(rating.path("/send-back"), body).status_code == 200
    assert county.post(rating.path("/warnings/check")).json == {"standing": 2}
    log = county.get("/rating-warnings?all=true").json["items"]
    assert [(one["cleared_at"] is None, one["answer"]) for one in log] == [
        (False, "在催"),
        (False, None),
        (True, None),
        (True, None),
    ]
    assert [one["id"] for one in county.get("/rating-warnings").json["items"]] == [
        one["id"] for one in log[2:]
    ]
    noted = [(one["raised"], one["cleared"]) for one in audited("ratings.warn")]
    assert noted == [(2, 0), (0, 2), (2, 0)]


def audited(action: str) -> list[Any]:
    with reading() as session:
        found = session.scalars(
            select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        )
        return [json.loads(one.after or "") for one in found]


def test_nobody_is_warned_of_the_excluded_nor_of_a_cycle_that_is_done(world: World, county: Caller) -> None:
    rating = run(world, county, [97, 95])
    be_late(rating)
    rating.find(1, excluded="今年新成立")
    assert county.post(rating.path("/warnings/check")).json == {"standing": 2}
    rating.complete(*STEPS)
    assert county.post(rating.path("/warnings/check")).json == {"standing": 0}


def be_late(rating: Rating, days: int = 1) -> None:
    """Let the last day of the self-assessment lie in the past; on the day itself nothing is late."""
    with unit_of_work() as session:
        owner = session.get_one(RatingCycle, rating.id).staff_id
        day = (NOW - timedelta(days=days)).date()
        late = {"cycle_id": rating.id, "step": "self", "due_on": day, "staff_id": owner, "changed_at": NOW}
        session.merge(RatingDeadline(**late))


def test_whose_a_warning_is_answers_it(
    world: World, county: Caller, secretary: Caller, offices: Offices
) -> None:
    auditor = offices.caller(Role.AUDITOR, "county")
    rating = run(world, county, [97, 95])
    be_late(rating)
    assert county.post(rating.path("/warnings/check")).json == {"standing": 3}
    [mine] = secretary.get("/rating-warnings").json["items"]
    answer = f"/rating-warnings/{mine['id']}/answer"
    assert problem(auditor.put(answer, {"answer": "x"})) == (403, "forbidden")
    desks = [
        People(world.app).browser(role, code)
        for role, code in (
            (Role.BRANCH_SECRETARY, world.village_codes[0]),
            (Role.TOWN_STAFF, world.town_code),
        )
    ]
    assert [desk.badges() for desk in desks] == [{"ratings": 1}, {}]
    assert secretary.put(answer, {"answer": "今天补齐"}).json["answer"] == "今天补齐"
    assert [desk.badges() for desk in desks] == [{}, {}]
    other = next(one for one in county.get("/rating-warnings").json["items"] if one["kind"] == "late_step")
    place = f"/rating-warnings/{other['id']}/answer"
    assert problem(secretary.put(place, {"answer": "x"})) == (403, "forbidden")
    neighbour = Offices(start_campaign(world.app)).caller(Role.TOWN_STAFF, "town")
    assert problem(neighbour.put(answer, {"answer": "x"})) == (403, "forbidden")
    assert standing(neighbour) == []
    for caller in (neighbour, secretary):
        assert problem(caller.post(rating.path("/warnings/check"))) == (403, "forbidden")
    assert county.post(rating.path("/self")).status_code == 200
    county.post(rating.path("/warnings/check"))
    assert problem(secretary.put(answer, {"answer": "x"})) == (409, "warning_cleared")


def test_points_without_proof_are_a_warning_until_there_is_a_note(world: World, county: Caller) -> None:
    source = preset_text("township-classification").replace("code: leader,", "code: leader, evidence: true,")
    own = source.replace("code: township-classification", "code: with-proof")
    assert county.post("/schemes", {"source": own}).status_code == 201
    rating = open_rating(world, county, "with-proof", organization_codes=world.village_codes[:1])
    rating.score(0, shares(90))
    assert county.post(rating.path("/warnings/check")).json == {"standing": 1}
    [(kind, words)] = standing(county)
    assert (kind, "党组织带头人" in words) == ("missing_evidence", True)
    rating.score(0, {}, notes={"leader": "见2026年会议记录"})
    assert county.post(rating.path("/warnings/check")).json == {"standing": 0}


def test_a_fall_since_the_last_cycle_is_told_to_the_office_and_not_to_the_rated(
    world: World, county: Caller, secretary: Caller
) -> None:
    decided(world, county, [97, 95], year=2025)
    rating = run(world, county, [80, 95])
    assert county.post(rating.path("/warnings/check")).json == {"standing": 1}
    [(kind, words)] = standing(county)
    assert (kind, county.get("/rating-warnings").json["items"][0]["by"]) == ("falling_score", "town")
    assert "2025年 97.00 分" in words
    assert standing(secretary) == []


def test_one_thing_has_one_standing_warning(world: World, county: Caller) -> None:
    rating = run(world, county, [97])
    with reading() as session:
        session.add_all(warning(session, rating) for _ in range(2))
        with pytest.raises(IntegrityError):
            session.flush()


def warning(session: Any, rating: Rating) -> RatingWarning:
    owner = session.get_one(RatingCycle, rating.id).organization_id
    return RatingWarning(
        cycle_id=rating.id,
        organization_id=owner,
        level=Level.COUNTY,
        kind=WarningKind.LATE_STEP,
        key="late_step:x",
        facts="{}",
        raised_at=NOW,
    )


def test_a_rated_party_has_nothing_to_do_with_its_offices_warnings(
    world: World, county: Caller, secretary: Caller
) -> None:
    """Even where the office sits at the rated place itself."""
    rating = run(world, county, [97])
    with unit_of_work() as session:
        village = get_organization(session, code=world.village_codes[0])
        one = warning(session, rating)
        one.organization_id, one.facts = village.id, '{"step": "x", "due_on": "2026-11-20"}'
        session.add(one)
        session.flush()
        place = f"/rating-warnings/{one.id}/answer"
    assert (standing(secretary), len(standing(county))) == ([], 1)
    assert problem(secretary.put(place, {"answer": "x"})) == (403, "forbidden")


def test_final_grades_leave_signed_and_come_in_as_history(world: World, county: Caller) -> None:
    rating = run(world, county, [97, 95, 85, 75, 65], year=2025)
    file = rating.path("/grades/file")
    assert problem(county.get(file)) == (409, "grades_not_final")
    rating.complete(*STEPS)
    envelope = county.get(file).json
    key = county.get("/rating-key").json["key"]
    assert (envelope["key"], envelope["document"]["version"]) == (key, 1)
    assert county.get(file).json == envelope
    foreign = foreign_file(envelope)
    assert county.post("/rating-history", {"file": foreign, "key": key}).json == {"imported": 5}
    assert county.post("/rating-history", {"file": foreign, "key": key}).json == {"imported": 0}
    found = county.get(f"/rating-history/{world.village_codes[0]}").json
    assert [(one["year"], one["grade"], one["issuer"]) for one in found["items"]] == [
        (2025, "好", "https://other.example"),
        (2025, "好", None),
    ]


def test_signed_grades_are_pushed_once_the_last_step_is_done(world: World, county: Caller) -> None:
    want_grades(world, county)
    rating = run(world, county, [97, 95, 85, 75, 65])
    rating.complete(*STEPS[:-1])
    assert pushed() == []
    rating.complete(STEPS[-1])
    [message] = pushed()
    assert message["data"] == county.get(rating.path("/grades/file")).json
    assert is_genuine(message["data"], key=county.get("/rating-key").json["key"])


def want_grades(world: World, county: Caller) -> None:
    with reading() as session:
        code = list_ancestors(session, path=world.staff.path)[0].code
    wanted = {"organization_code": code, "title": "市平台", "url": "https://1.1.1.1/grades"}
    assert county.post("/webhooks", wanted | {"topics": ["rating.published"]}).status_code == 201


def pushed() -> list[dict[str, Any]]:
    with reading() as session:
        return [json.loads(body) for body in session.scalars(select(WebhookDelivery.body))]


def foreign_file(envelope: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Sign the same grades as another office would have sent them."""
    document = deepcopy(envelope["document"]) | {"issuer": "https://other.example"} | changes
    return sign_document(document, current_keyring())


def test_what_was_altered_or_is_unknown_is_refused_whole(world: World, county: Caller) -> None:
    rating = decided(world, county, [97, 95], year=2025)
    envelope, key = county.get(rating.path("/grades/file")).json, county.get("/rating-key").json["key"]
    altered = deepcopy(envelope)
    altered["document"]["grades"][1]["grade"] = "好"
    for body in ({"file": altered, "key": key}, {"file": envelope, "key": "0" * 64}):
        assert problem(county.post("/rating-history", body)) == (422, "invalid_signature")
    rows = deepcopy(envelope["document"]["grades"])
    rows[1]["organization_code"] = "X999"
    wrong = foreign_file(envelope, grades=rows)
    place = "document.grades.1.organization_code"
    assert fields_of(county.post("/rating-history", {"file": wrong, "key": key})) == {place}
    unknown = deepcopy(envelope["document"]["grades"])
    unknown[0]["grade"] = "优秀"
    bad = foreign_file(envelope, grades=unknown)
    refused = fields_of(county.post("/rating-history", {"file": bad, "key": key}))
    assert refused == {"file.document.grades.0.grade"}
    newer = foreign_file(envelope, version=3)
    assert county.post("/rating-history", {"file": newer, "key": key}).json == {"imported": 2}
    older = {"file": foreign_file(envelope, version=2), "key": key}
    assert problem(county.post("/rating-history", older)) == (409, "outdated_file")
    assert len(county.get(f"/rating-history/{world.village_codes[0]}").json["items"]) == 2


def five_stars(world: World, county: Caller) -> Rating:
    """Give one branch five stars; the notice is still to come."""
    rating = open_rating(world, county, "feicheng-branch-star", organization_codes=world.village_codes[:1])
    base = dict.fromkeys(("leadership", "operation", "activity", "members", "guarantee"), "12")
    rating.score(0, base | {"rural_effect": "40"})
    rating.visit(0)
    rating.complete("self", "town_assessment", "county_review")
    return rating


def lower(rating: Rating, grade: str) -> None:
    body = {"grade": grade, "trigger": "petition", "reason": "整改不到位"}
    path = rating.path(f"/downgrades/{rating.world.village_codes[0]}")
    assert rating.county.post(path, body).status_code == 201


def test_a_grade_that_is_changed_afterwards_makes_a_new_version(world: World, county: Caller) -> None:
    rating = five_stars(world, county)
    file = rating.path("/grades/file")
    first = county.get(file).json["document"]
    lower(rating, "low")
    second = county.get(file).json["document"]
    assert (first["version"], second["version"], second["grades"][0]["grade"]) == (1, 2, "low")


def test_a_grade_that_is_lowered_after_the_last_step_is_pushed_again(world: World, county: Caller) -> None:
    want_grades(world, county)
    rating = five_stars(world, county)
    lower(rating, "star4")
    assert pushed() == []
    rating.let_days_pass(6)
    rating.complete("public_notice", "filing")
    lower(rating, "low")
    files = sorted((one["data"] for one in pushed()), key=lambda file: int(file["document"]["version"]))
    assert [one["document"]["grades"][0]["grade"] for one in files] == ["star4", "low"]
    assert files[-1] == county.get(rating.path("/grades/file")).json


def test_a_neighbour_reads_no_history_and_no_file(world: World, county: Caller) -> None:
    rating = decided(world, county, [97], year=2025)
    neighbour = Offices(start_campaign(world.app)).caller(Role.TOWN_STAFF, "town")
    assert problem(neighbour.get(f"/rating-history/{world.village_codes[0]}")) == (403, "forbidden")
    assert problem(neighbour.get(rating.path("/grades/file"))) == (403, "forbidden")
