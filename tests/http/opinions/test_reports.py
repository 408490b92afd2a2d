"""A report is not there for those whom it is about: by no list, no count, no call, from the first second."""

import pytest
from sqlalchemy import update

from survey_service.core.permissions import decision_of
from survey_service.opinions.models import Opinion
from survey_service.opinions.rules import State
from tests.factories.opinions import LAMP, REPORT, OpinionWorld
from tests.http.ballots.phone import code_of

ACTIONS = {
    "accept": {},
    "begin": {},
    "transfer": {"organization_code": "x", "remark": "x"},
    "decline": {"reason": "x"},
    "extend": {"reason": "x"},
    "answer": {"public_text": "x"},
    "call-back": {"remark": "x"},
    "note": {"remark": "x"},
}


@pytest.mark.parametrize(
    "more", [{"text": REPORT}, {"text": LAMP, "category": "report"}, {"text": LAMP, "category": "举报"}]
)
def test_a_secretary_finds_nothing(place: OpinionWorld, more: dict[str, str]) -> None:
    opinion, _ = place.write(**more)
    other, _ = place.write()
    place.triage(other)
    assert place.ids(place.town) == {opinion, other}
    place.triage(opinion, category="report", level="town")
    assert place.ids(place.secretary) == {other}
    assert place.ids(place.secretary, f"organization={place.village}") == {other}
    for action, body in ACTIONS.items():
        hidden = place.act(place.secretary, opinion, action, **body)
        unknown = place.act(place.secretary, 4711, action, **body)
        assert (hidden.status_code, hidden.data) == (unknown.status_code, unknown.data), action
        assert hidden.status_code == 404
    assert place.secretary.get("/api/v1/audit").status_code == 403
    assert len(place.ids(place.secretary, "state=triaged")) == 1


def test_nobody_can_bring_a_report_to_those_concerned(both: OpinionWorld) -> None:
    opinion, _ = both.write(LAMP, category="report")
    ordinary, _ = both.write()
    both.triage(ordinary)
    concealed = (409, "opinion_concealed")
    assert code_of(both.triage(opinion, category="report", level="village")) == concealed
    assert code_of(both.triage(opinion, category="complaint", level="village")) == concealed
    both.triage(opinion, category="report", level="town")
    to_village = both.hand_on(both.town, opinion, both.village)
    assert code_of(to_village) == concealed
    to_neighbour = both.hand_on(both.town, opinion, both.world.village_codes[1])
    assert code_of(to_neighbour) == concealed
    assert code_of(both.act(both.town, opinion, "join", into=ordinary)) == concealed
    assert code_of(both.act(both.town, ordinary, "join", into=opinion)) == concealed
    assert both.act(both.county, opinion, "triage", category="complaint", level="village").status_code == 200
    assert opinion in both.ids(both.secretary)


def test_a_report_about_the_town_is_the_countys(place: OpinionWorld) -> None:
    opinion, _ = place.write("镇里的书记吃回扣，请查。")
    other, _ = place.write(LAMP, category="report", about="town")
    assert place.ids(place.town) == set()
    assert place.ids(place.county) == {opinion, other}
    assert place.act(place.county, opinion, "triage", category="report", level="county").status_code == 200
    assert place.triage(opinion).status_code == 404


def test_a_report_in_the_hands_of_a_branch_is_still_not_shown(place: OpinionWorld) -> None:
    """Whatever puts it there, the gate does not trust it."""
    opinion, _ = place.write(REPORT)
    misplaced = {"handler_id": place.place(place.village).id, "state": State.TRIAGED}
    with place.world.app.extensions["database"].unit_of_work() as session:
        session.execute(update(Opinion).where(Opinion.id == opinion).values(misplaced))
    assert place.ids(place.secretary) == set()
    assert place.agreement() == []


def test_an_untriaged_opinion_is_no_branchs(place: OpinionWorld) -> None:
    opinion, _ = place.write()
    assert place.ids(place.secretary) == set()
    place.triage(opinion)
    assert (place.ids(place.secretary), place.ids(place.neighbour)) == ({opinion}, set())


def test_the_rules_and_the_statement_agree(both: OpinionWorld) -> None:
    """Whatever a list holds the pure rule lets its reader see, and the other way round."""
    for text, more in ((LAMP, {}), (REPORT, {}), ("镇长贪污", {}), (LAMP, {"category": "report"})):
        both.write(text, **more)
    for opinion in both.ids(both.town):
        both.triage(opinion)
    with both.world.app.app_context():
        assert both.agreement() == []


def test_every_call_about_opinions_is_narrowed_by_the_gate(place: OpinionWorld) -> None:
    app = place.world.app
    staff = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "/opinions" in rule.rule
        and "<int:opinion_id>" in rule.rule
        and (decision := decision_of(app.view_functions[rule.endpoint]))
        and decision.permission
    ]
    opinion, _ = place.write(REPORT)
    for rule in staff:
        address = rule.replace("<int:opinion_id>", str(opinion))
        for method in ("GET", "POST"):
            assert place.secretary.open(address, method=method, json={}).status_code in {
                403,
                404,
                405,
                422,
            }, rule
