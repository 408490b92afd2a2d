"""What many opinions say together, and that nothing of it tells a secretary of a report about himself."""

from datetime import timedelta

import pytest
import time_machine

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.insights import jobs
from survey_service.insights.models import OpinionBigram, OpinionIndex, OpinionWarning
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import position_of
from survey_service.opinions.rules import Level, State
from survey_service.organizations.queries import get_organization
from survey_service.webhooks.models import WebhookDelivery
from survey_service.wiring import SWEEPS
from tests.http.insights.conftest import Crowd

LAMP = "村口的路灯坏了三个月没有人修，晚上看不见"
PIG = "养猪场的臭味太大，粪便排到河里"
HOUSE = "我家的房子是危房，墙裂缝很大"
FIVE_LAMPS = [LAMP, LAMP + "！", LAMP.replace("三个月", "半年"), "书记，" + LAMP, LAMP + "怎么办"]


def test_two_characters_find_what_holds_them(everywhere: Crowd) -> None:
    lamp, pig = everywhere.write(LAMP, PIG)
    jobs.index_new()
    town = everywhere.world.town
    assert everywhere.found(town, "路灯") == [lamp]
    assert everywhere.found(town, "臭味 河里") == [pig]
    assert everywhere.found(town, "路灯坏了三个月") == [lamp]
    assert everywhere.found(town, "臭味 路灯") == []
    assert everywhere.found(town, "月三") == []
    assert everywhere.found(town, "坏了 没有人修 三个月路灯") == []


def test_all_ways_to_an_answer_agree(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    written = crowd.write(*FIVE_LAMPS, PIG) + crowd.write(LAMP, village=1)
    jobs.index_new()
    expected = crowd.found(crowd.world.town, "路灯 坏了")
    assert set(expected) == set(written) - {written[5]}
    assert [crowd.opinion(one).position for one in expected] == sorted(
        crowd.opinion(one).position for one in expected
    )
    for few in (1, 7):
        monkeypatch.setattr("survey_service.opinions.queries.FEW", few)
        assert crowd.found(crowd.world.town, "路灯 坏了") == expected


def test_a_page_of_findings_leads_to_the_next(crowd: Crowd) -> None:
    written = crowd.write(*[f"{LAMP}第{number}盏" for number in range(60)])
    jobs.index_new()
    first = crowd.world.town.get("/api/v1/opinion-search?words=路灯").json
    second = crowd.world.town.get(f"/api/v1/opinion-search?words=路灯&cursor={first['next_cursor']}").json
    assert (len(first["items"]), second["next_cursor"]) == (50, None)
    assert {item["id"] for item in first["items"] + second["items"]} == set(written)


@pytest.mark.parametrize("words", ["路", "， 。", "a"])
def test_less_than_two_characters_are_refused(crowd: Crowd, words: str) -> None:
    answer = crowd.world.town.get("/api/v1/opinion-search", query_string={"words": words})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["words"])


def test_what_was_redacted_or_covered_is_found_by_nobody(everywhere: Crowd) -> None:
    (written,) = everywhere.write("王大山家的路灯坏了，电话13812345678")
    jobs.index_new()
    town = everywhere.world.town
    assert everywhere.found(town, "1381") == []
    assert everywhere.found(town, "王大山") == [written]
    assert everywhere.world.act(town, written, "mask", spans=[[0, 3]]).status_code == 200
    assert everywhere.found(town, "大山") == []
    jobs.index_new()
    with reading() as session:
        assert "王" not in session.get_one(OpinionIndex, written).folded
        pairs = [row.bigram for row in session.query(OpinionBigram)]
    assert ord("王") not in {pair >> 21 for pair in pairs}


def test_a_case_with_another_deadline_is_found_before_and_after_the_index_follows(everywhere: Crowd) -> None:
    early, late = everywhere.write(LAMP, days_ago=7) + everywhere.write(LAMP)
    jobs.index_new()
    town = everywhere.world.town
    assert everywhere.found(town, "路灯 晚上看不见") == [early, late]
    with unit_of_work() as session:
        opinion = session.get_one(Opinion, early)
        opinion.due_on += timedelta(days=60)
        opinion.position = position_of(opinion.due_on, early)
        opinion.version += 1
    assert everywhere.found(town, "路灯 晚上看不见") == [early, late]
    jobs.index_new()
    assert everywhere.found(town, "路灯 晚上看不见") == [late, early]
    with reading() as session:
        assert {row.position for row in session.query(OpinionBigram)} == {
            row.position for row in session.query(Opinion)
        }


def test_the_index_forgets_what_is_deleted(crowd: Crowd) -> None:
    (written,) = crowd.write(LAMP)
    jobs.index_new()
    with unit_of_work() as session:
        session.connection().exec_driver_sql("DELETE FROM opinion_original")
        session.connection().exec_driver_sql("DELETE FROM opinion")
    crowd.look()
    with reading() as session:
        assert session.get(OpinionIndex, written) is None
        assert session.query(OpinionBigram).count() == 0


def test_a_report_is_found_by_nobody_whom_it_concerns(crowd: Crowd) -> None:
    report = crowd.report("举报村支书贪污修路款，" + HOUSE)
    about_town = crowd.report("举报镇里干部收红包，" + HOUSE, about=Level.TOWN)
    crowd.look()
    world = crowd.world
    assert crowd.found(world.secretary, "危房") == []
    assert crowd.found(world.town, "危房") == [report]
    assert set(crowd.found(world.county, "危房")) == {report, about_town}
    assert {item["opinion_id"] for item in crowd.items(world.town, "opinion-warnings")} == {report}
    assert len(crowd.items(world.county, "opinion-warnings")) == 2
    for path in ("opinion-warnings", "opinion-groups", "opinion-words", "opinion-figures"):
        assert world.secretary.get(f"/api/v1/{path}").status_code == 403


def test_figures_groups_and_words_of_the_town_do_not_move_with_a_report_about_it(crowd: Crowd) -> None:
    crowd.write(*FIVE_LAMPS)
    crowd.write(*[PIG] * 6, village=1)
    crowd.look()
    paths = ("opinion-groups", "opinion-words", "opinion-figures")
    before = [crowd.world.town.get(f"/api/v1/{path}").json for path in paths]
    for text in FIVE_LAMPS:
        crowd.report("举报镇长，" + text, about=Level.TOWN)
    crowd.look()
    assert [crowd.world.town.get(f"/api/v1/{path}").json for path in paths] == before


def test_groups_are_shown_from_five_up_and_joined_by_people(everywhere: Crowd) -> None:
    crowd = everywhere
    lamps = crowd.write(*FIVE_LAMPS[:4])
    crowd.look()
    town = crowd.world.town
    assert crowd.items(town, "opinion-groups") == []
    lamps += crowd.write(FIVE_LAMPS[4])
    crowd.look()
    (group,) = crowd.items(town, "opinion-groups")
    assert {item["id"] for item in group["items"]} == set(lamps)
    assert "路灯" in group["words"]
    assert set(group["joinable"]) == set(lamps) - {group["lead"]}
    place = f"/api/v1/opinion-groups/{group['first_id']}/join"
    assert town.post(place, json={"opinion_ids": group["joinable"]}).json == {"joined": 4}
    assert {crowd.opinion(one).lead_id for one in group["joinable"]} == {group["lead"]}
    assert crowd.opinion(group["lead"]).state is State.RECEIVED
    again = town.post(place, json={"opinion_ids": group["joinable"]})
    assert (again.status_code, again.json["code"]) == (409, "group_changed")


def test_another_town_sees_no_group_and_joins_none(crowd: Crowd) -> None:
    crowd.write(*FIVE_LAMPS)
    crowd.look()
    (group,) = crowd.items(crowd.world.town, "opinion-groups")
    with crowd.world.world.app.app_context():
        assert crowd.items(crowd.world.county, "opinion-groups")
    place = f"/api/v1/opinion-groups/{group['first_id']}/join"
    assert crowd.world.secretary.post(place, json={"opinion_ids": group["joinable"]}).status_code == 403
    unknown = crowd.world.town.post("/api/v1/opinion-groups/1/join", json={"opinion_ids": [1]})
    assert unknown.status_code == 404


def test_warnings_are_raised_once_and_seen(crowd: Crowd) -> None:
    (house,) = crowd.write(HOUSE)
    crowd.write(*FIVE_LAMPS)
    crowd.write(*FIVE_LAMPS[:4], village=1)
    (late,) = crowd.write(PIG, days_ago=60)
    for _ in range(2):
        crowd.look()
    town = crowd.world.town
    warnings = {item["kind"]: item for item in crowd.items(town, "opinion-warnings")}
    assert len(crowd.items(town, "opinion-warnings")) == 3
    assert warnings["safety"]["opinion_id"] == house
    assert warnings["safety"]["words"] == "危房、裂缝"
    assert warnings["overdue"]["opinion_id"] == late
    assert warnings["many_similar"]["opinions"] == 5
    assert warnings["many_similar"]["organization_code"] == crowd.villages[0]
    seen = f"/api/v1/opinion-warnings/{warnings['safety']['id']}/seen"
    for _ in range(2):
        assert town.post(seen).status_code == 200
    after = {item["kind"]: item for item in crowd.items(town, "opinion-warnings")}
    assert (after["safety"]["seen_by"], after["safety"]["is_seen"]) == (1, True)
    assert not after["overdue"]["is_seen"]


def test_a_case_is_overdue_after_five_working_days_more(crowd: Crowd) -> None:
    (late,) = crowd.write(PIG)
    due = crowd.opinion(late).due_on
    calendar = crowd.world.world.app.extensions["opinion_policy"].calendar
    last = calendar.after(due, 5).day
    for day, expected in ((last, 0), (last + timedelta(days=1), 1)):
        moment = clock.now() + (day - clock.local_day(clock.now()))
        with time_machine.travel(moment, tick=False):
            crowd.look()
        with reading() as session:
            assert session.query(OpinionWarning).count() == expected


def test_other_systems_are_told_by_the_hour_and_only_above_a_secret(crowd: Crowd) -> None:
    hooks = {}
    app = crowd.world.world.app
    for code in (crowd.world.county_code, crowd.world.world.town_code):
        asked = {
            "organization_code": code,
            "title": code,
            "url": "https://receiver.example/",
            "topics": ["opinion.received", "opinion.changed", "warning.raised"],
        }
        hooks[code] = crowd.world.county.post("/api/v1/webhooks", json=asked).json["id"]
    (house,) = crowd.write(HOUSE + "，电话13812345678")
    crowd.report("举报镇长贪污", about=Level.TOWN)
    crowd.look()
    assert crowd.world.triage(house).status_code == 200
    crowd.look()
    crowd.look()
    with app.extensions["database"].reading() as session:
        told = [(one.webhook_id, str(one.topic)) for one in session.query(WebhookDelivery)]
        bodies = " ".join(one.body for one in session.query(WebhookDelivery))
    county, town = hooks[crowd.world.county_code], hooks[crowd.world.world.town_code]
    assert sorted(topic for hook, topic in told if hook == town) == [
        *("opinion.changed", "opinion.received", "warning.raised")
    ]
    assert sorted(topic for hook, topic in told if hook == county) == [
        *("opinion.changed", "opinion.received", "opinion.received", "warning.raised")
    ]
    assert "1381234" not in bodies


def test_figures_are_released_from_five_up(everywhere: Crowd) -> None:
    crowd = everywhere
    ids = crowd.write(*FIVE_LAMPS) + crowd.write(LAMP, days_ago=60)
    crowd.write(*[PIG] * 7, village=1)
    town = crowd.world.town
    for one in ids[:4]:
        assert crowd.world.triage(one).status_code == 200
        assert crowd.world.act(crowd.world.secretary, one, "answer", public_text="好").status_code == 200
    assert crowd.world.act(town, ids[0], "close").status_code == 200
    answer = town.get("/api/v1/opinion-figures").json
    first, second = answer["items"]
    assert (first["opinions"], first["on_time"], first["closed"]) == (6, "0.8000", "0.1667")
    assert (second["opinions"], second["on_time"]) == (7, None)
    assert first["satisfied"] is None
    assert answer["total"]["opinions"] == 13
    short = town.get("/api/v1/opinion-figures?since=2026-01-01&until=2026-01-31").json
    assert short["total"]["opinions"] is None or short["total"]["opinions"] == 0


def test_a_small_village_takes_its_neighbour_with_it(crowd: Crowd) -> None:
    crowd.write(*FIVE_LAMPS[:2])
    crowd.write(*[PIG] * 7, village=1)
    answer = crowd.world.town.get("/api/v1/opinion-figures").json
    assert [item["opinions"] for item in answer["items"]] == [None, None]
    assert [item["withheld"] for item in answer["items"]] == ["small_cell", "complementary"]
    assert answer["total"]["opinions"] == 9


def test_nobody_looks_beyond_his_own_places(crowd: Crowd) -> None:
    county = crowd.world.county_code
    answer = crowd.world.town.get(f"/api/v1/opinion-figures?organization={county}")
    assert answer.status_code == 403


def test_words_set_a_village_apart(crowd: Crowd) -> None:
    crowd.write(*[LAMP] * 8)
    crowd.write(*[PIG] * 8, village=1)
    crowd.look()
    words = crowd.items(crowd.world.town, "opinion-words")
    by_village = {
        code: {item["word"] for item in words if item["organization_code"] == code} for code in crowd.villages
    }
    assert "路灯" in by_village[crowd.villages[0]]
    assert "臭味" in by_village[crowd.villages[1]]


def test_the_look_is_taken_once_an_hour(crowd: Crowd) -> None:
    assert jobs.sweep_insights in SWEEPS
    crowd.write(HOUSE)
    jobs.sweep_insights()
    crowd.write(HOUSE)
    jobs.sweep_insights()
    with reading() as session:
        assert session.query(OpinionWarning).count() == 1
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=False):
        jobs.sweep_insights()
    with reading() as session:
        assert session.query(OpinionWarning).count() == 2
        assert session.query(Opinion).count() == 2


def test_what_becomes_a_secret_leaves_its_group_at_once(crowd: Crowd) -> None:
    *_, secret = crowd.write(*FIVE_LAMPS, LAMP)
    crowd.look()
    with unit_of_work() as session:
        town = get_organization(session, code=crowd.world.world.town_code)
        session.get_one(Opinion, secret).concealed_id = town.id
    (group,) = crowd.items(crowd.world.town, "opinion-groups")
    assert len(group["items"]) == 5
    assert secret not in {item["id"] for item in group["items"]}
