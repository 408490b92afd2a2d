"""The calls of the contract: an opinion from writing to closing, and every refusal on the way."""

import pytest

from tests.factories.opinions import LAMP, OpinionWorld
from tests.http.ballots.phone import Phone, code_of

SECRET = "k" * 32


def test_an_opinion_goes_its_whole_way(both: OpinionWorld) -> None:
    opinion, code = both.write(category="complaint", topic="人居环境改善")
    assert both.look(code)["state"] == "received"
    triaged = both.triage(opinion)
    assert (triaged.status_code, triaged.json["state"], triaged.json["due"]) == (200, "triaged", "2026-12-09")
    assert both.act(both.secretary, opinion, "accept").json["state"] == "accepted"
    assert both.act(both.secretary, opinion, "extend", reason="等配件").json["due"] == "2026-12-28"
    assert both.act(both.secretary, opinion, "answer", public_text="已修好").json["state"] == "answered"
    seen = both.look(code)
    assert (seen["state"], seen["answer"], seen["may_rate"]) == ("answered", "已修好", True)
    assert both.rate(code, "dissatisfied").json["state"] == "reopened"
    assert (
        both.act(both.secretary, opinion, "answer", private_text="换了新灯", public_text=None).status_code
        == 200
    )
    assert both.look(code)["answer"] == "换了新灯"
    assert both.rate(code, "satisfied").json["state"] == "rated"
    assert both.act(both.town, opinion, "close").json["state"] == "closed"
    assert code_of(both.rate(code, "dissatisfied")) == (409, "opinion_closed")


def test_the_same_secret_and_words_again_are_answered_alike(place: OpinionWorld) -> None:
    code = place.world.issue()[0].code
    first = place.send(code=code, secret=SECRET)
    again = place.send(code=code, secret=SECRET)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert code_of(place.send("别的", code=code, secret=SECRET)) == (409, "different_opinion")
    assert len(place.ids(place.county)) == 1


def test_three_opinions_fit_into_a_credential_and_spend_no_ballot(both: OpinionWorld) -> None:
    code = both.world.issue()[0].code
    assert [both.send(f"第{number}件事", code=code).status_code for number in range(3)] == [201] * 3
    assert code_of(both.send("第四件事", code=code)) == (409, "opinions_used_up")
    phone = Phone(both.world.app.test_client())
    assert phone.post(code).status_code == 201
    other = both.world.issue()[0].code
    assert phone.post(other).status_code == 201
    assert both.send("投票以后", code=other).status_code == 201


@pytest.mark.parametrize(
    "text", ["", "  \n", "😀😀👍", "。。！", "长" * 2001, "看不见\u0007的字"], ids=range(6)
)
def test_words_that_are_none_or_too_many_are_refused_kindly(place: OpinionWorld, text: str) -> None:
    answer = place.send(text)
    assert code_of(answer) == (422, "invalid_opinion")
    assert answer.json["errors"]["text"]


def test_the_longest_text_fits(place: OpinionWorld) -> None:
    assert place.send("长" * 2000).status_code == 201


def test_html_stays_text_and_numbers_are_covered(place: OpinionWorld) -> None:
    place.write("<script>alert(1)</script> 我的电话13812345678")
    (item,) = place.town.get("/api/v1/opinions").json["items"]
    assert item["text"].startswith("<script>alert(1)</script>")
    assert "13812345678" not in item["text"]


def test_a_ticket_is_of_its_code(place: OpinionWorld) -> None:
    client = place.world.app.test_client()
    codes = [issued.code for issued in place.world.issue(count=2)]
    ticket = client.get(f"/api/v1/entrances/{codes[0]}/opinions").json["ticket"]
    body = {"ticket": ticket, "secret": SECRET, "text": LAMP}
    assert code_of(client.post(f"/api/v1/entrances/{codes[1]}/opinions", json=body)) == (403, "bad_ticket")
    unknown = client.post("/api/v1/entrances/2222222222222/opinions", json=body)
    assert code_of(unknown) == (404, "unknown_entrance")


def test_the_original_is_the_countys_with_a_reason(place: OpinionWorld) -> None:
    opinion, _ = place.write("电话13812345678，路坏了")
    address = f"/api/v1/opinions/{opinion}/original"
    assert code_of(place.town.post(address, json={"reason": "核实"})) == (403, "forbidden")
    assert place.county.post(address, json={}).status_code == 422
    assert place.county.post(address, json={"reason": "核实"}).json["text"] == "电话13812345678，路坏了"


def test_the_second_of_two_answers_sees_the_first(place: OpinionWorld) -> None:
    opinion, code = place.write()
    version = place.triage(opinion).json["version"]
    assert (
        place.act(place.secretary, opinion, "answer", public_text="先到", version=version).status_code == 200
    )
    for given in ({"version": version}, {}):
        second = place.act(place.town, opinion, "answer", public_text="后到", **given)
        assert second.status_code == 409
        assert second.json["code"] in {"opinion_changed", "opinion_answered"}
        assert second.json["answer"]["public_text"] == "先到"
    assert place.look(code)["answer"] == "先到"


def test_all_authors_of_joined_opinions_get_the_answer(both: OpinionWorld) -> None:
    lead, lead_code = both.write()
    other, other_code = both.write("路灯不亮，天黑摔跤。")
    third, third_code = both.write("灯坏啦")
    both.triage(lead)
    assert both.triage(third, duplicate_of=other).json["state"] == "joined"
    joined = both.act(both.town, other, "join", into=lead)
    assert joined.json["state"] == "joined"
    assert code_of(both.act(both.town, other, "answer", public_text="x")) == (409, "opinion_joined")
    both.act(both.secretary, lead, "answer", public_text="换了灯")
    assert [both.look(one)["answer"] for one in (lead_code, other_code, third_code)] == ["换了灯"] * 3
    assert both.rate(other_code, "satisfied").json["state"] == "rated"
    assert both.rate(third_code, "dissatisfied").json["state"] == "reopened"


def test_a_case_is_handed_up_and_down(place: OpinionWorld) -> None:
    opinion, _ = place.write()
    place.triage(opinion)
    handed = place.act(
        place.secretary, opinion, "transfer", organization_code=place.world.town_code, remark="镇里的路"
    )
    assert handed.json["state"] == "transferred"
    assert code_of(place.act(place.secretary, opinion, "accept")) == (404, "not_found")
    assert place.hand_on(place.town, opinion, place.county_code).status_code == 200
    assert code_of(place.act(place.town, opinion, "accept")) == (403, "forbidden")
    sideways = place.hand_on(place.county, opinion, "nowhere")
    assert sideways.status_code == 422


def test_a_refusal_to_handle_tells_its_author_why(place: OpinionWorld) -> None:
    opinion, code = place.write()
    place.triage(opinion)
    assert place.act(place.secretary, opinion, "decline", reason="属于供电所").json["state"] == "declined"
    assert place.look(code)["declined_because"] == "属于供电所"
    assert code_of(place.rate(code, "satisfied")) == (409, "not_answered_yet")


def test_wrong_query_codes_are_limited_and_told_nothing(place: OpinionWorld) -> None:
    client = place.world.app.test_client()
    answers = [
        client.get(f"/api/v1/opinions/{code}") for code in ["2" * 13, "short", "路灯", *["3" * 13] * 30]
    ]
    assert {answer.json["detail"] for answer in answers[:30]} == {answers[0].json["detail"]}
    assert [answer.status_code for answer in answers[:30]] == [404] * 30
    assert answers[-1].status_code == 429


def test_a_double_tap_of_not_satisfied_is_one(place: OpinionWorld) -> None:
    opinion, code = place.write()
    place.triage(opinion)
    place.act(place.secretary, opinion, "answer", public_text="好了")
    assert [place.rate(code, "dissatisfied").json["state"] for _ in range(2)] == ["reopened"] * 2


def test_more_is_covered_by_hand(place: OpinionWorld) -> None:
    opinion, _ = place.write("王家的狗咬人")
    place.triage(opinion)
    assert place.act(place.town, opinion, "mask", spans=[[0, 2]]).status_code == 200
    assert place.act(place.town, opinion, "mask", spans=[[0, 99]]).status_code == 422
    (item,) = place.secretary.get("/api/v1/opinions").json["items"]
    assert "王家" not in item["text"]


def test_what_is_wrong_is_named_by_its_field(place: OpinionWorld) -> None:
    """A case that goes nowhere, a hand-over without a word, a letter of nobody, a guessed consent."""
    opinion, _ = place.write()
    letter = {"organization_code": place.village, "text": "纸上写的意见", "letter_id": 4711}
    answers = {
        "duplicate_of": place.triage(opinion, duplicate_of=4711),
        "remark": place.act(place.town, opinion, "transfer", organization_code=place.county_code),
        "letter_id": place.town.post("/api/v1/opinions", json=letter),
        "may_publish": place.send(LAMP, may_publish="no"),
    }
    assert {name: (one.status_code, [*one.json["errors"]]) for name, one in answers.items()} == {
        name: (422, [name]) for name in answers
    }


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("ballots", {"secret": SECRET, "answers": {}}),
        ("opinions", {"secret": SECRET, "text": LAMP}),
        ("opinions", {"ticket": "t", "secret": "short", "text": LAMP}),
        ("opinions", {"ticket": "t", "secret": None, "text": LAMP}),
        ("opinions", ["ticket"]),
        ("disputes", {}),
    ],
)
def test_without_ticket_and_secret_a_call_is_malformed(place: OpinionWorld, act: str, body: object) -> None:
    """A program has left out what no person could fill in: it is the same for all that phones send."""
    client, code = place.world.app.test_client(), place.world.issue()[0].code
    assert code_of(client.post(f"/api/v1/entrances/{code}/{act}", json=body)) == (400, "malformed")


def test_paper_is_keyed_by_offices_only(place: OpinionWorld) -> None:
    body = {"organization_code": place.village, "text": "纸上写的意见", "category": "建议"}
    assert place.secretary.post("/api/v1/opinions", json=body).status_code == 403
    assert place.town.post("/api/v1/opinions", json=body).status_code == 201


def test_a_box_takes_opinions_without_any_campaign(place: OpinionWorld) -> None:
    made = place.town.post(
        "/api/v1/opinion-boxes", json={"organization_code": place.village, "place": "村委会门口"}
    )
    assert made.status_code == 201
    code, client = made.json["code"], place.world.app.test_client()
    sent = [place.send(f"第{number}件", code=code, client=client) for number in range(4)]
    assert [answer.status_code for answer in sent] == [201, 201, 201, 409]
    assert place.send("别的手机", code=code).status_code == 201
    assert place.town.delete(f"/api/v1/opinion-boxes/{made.json['id']}").status_code == 204
    assert place.world.app.test_client().get(f"/api/v1/entrances/{code}/opinions").status_code == 404


def test_the_ticket_of_a_box_is_of_the_phone_that_opened_it(place: OpinionWorld) -> None:
    made = place.town.post("/api/v1/opinion-boxes", json={"organization_code": place.village, "place": "x"})
    address = f"/api/v1/entrances/{made.json['code']}/opinions"
    one, other = (place.world.app.test_client() for _ in range(2))
    ticket, _ = (phone.get(address).json["ticket"] for phone in (one, other))
    body = {"ticket": ticket, "secret": SECRET, "text": LAMP}
    assert code_of(other.post(address, json=body)) == (403, "bad_ticket")
    assert one.post(address, json=body).status_code == 201
