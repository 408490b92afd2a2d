"""A letter from the first draft to its publication, and everything that stands in its way."""

from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.factories.letters import letter_content
from tests.http.campaigns.callers import Caller, Offices, problem
from tests.http.clear_letters.conftest import Letter, begin_letter


def test_a_letter_is_written_sent_back_written_again_and_published(letter: Letter) -> None:
    assert letter.submit().json["state"] == "submitted"
    assert letter.send_back().json["state"] == "sent_back"
    saved = letter.save(work_done=["修好村道1.2公里，花费36万元", "装路灯12盏"])
    assert (saved.json["state"], saved.json["version"]) == ("draft", 2)
    letter.published()
    shown = letter.shown()
    assert (shown["state"], [one["decision"] for one in shown["versions"]]) == (
        "published",
        ["approved", "sent_back"],
    )
    assert shown["versions"][1]["remark"] == "请写清修路花了多少钱"
    assert shown["versions"][1]["content"]["work_done"] == ["修好村道1.2公里", "装路灯12盏"]
    assert shown["versions"][0]["hash"] != shown["versions"][1]["hash"]


def test_a_correction_takes_the_place_of_what_was_published_only_when_approved(letter: Letter) -> None:
    letter.published()
    client = letter.world.app.test_client()
    assert letter.save(title="第1村第三季度明白信（更正）").json["state"] == "draft"
    assert "更正" not in client.get(letter.address).text
    letter.published()
    assert "更正" in client.get(letter.address).text


def test_what_was_sent_in_is_not_written_on(letter: Letter) -> None:
    letter.submit()
    assert problem(letter.save(title="别的")) == (409, "wrong_letter_state")
    assert problem(letter.submit()) == (409, "wrong_letter_state")


def test_nobody_overwrites_what_he_has_not_seen(letter: Letter) -> None:
    seen = letter.shown()["revision"]
    assert letter.save(title="先保存的").status_code == 200
    refused = letter.save(revision=seen, title="后保存的")
    assert problem(refused) == (409, "letter_changed")
    assert refused.json["revision"] == letter.shown()["revision"]
    assert letter.shown()["title"] == "先保存的"


def test_a_letter_that_lacks_something_is_kept_and_not_sent_in(
    world: World, secretary: Caller, town: Caller
) -> None:
    letter = begin_letter(
        world, secretary, town, contacts=[], answer_by="2026-11-01", sections={}, period_to="2026-06-30"
    )
    refused = letter.submit()
    assert problem(refused) == (422, "invalid_letter")
    assert set(refused.json["errors"]) == {
        "contacts",
        "answer_by",
        "period_to",
        "sections.party_affairs.text",
        "sections.village_affairs.text",
        "sections.finances.text",
    }
    assert letter.shown()["state"] == "draft"


def test_too_much_is_refused_with_numbers(letter: Letter) -> None:
    rows = [["一", "二"]] * 60
    refused = letter.save(sections={"finances": {"tables": [{"rows": rows}]}})
    assert problem(refused) == (422, "invalid_letter")
    assert "60 行" in refused.json["errors"]["sections.finances.tables.0"][0]
    assert letter.shown()["revision"] == 1


def test_the_town_decides_and_never_about_its_own(world: World, offices: Offices, secretary: Caller) -> None:
    one, other = offices.caller(Role.TOWN_STAFF, "town"), offices.caller(Role.COUNTY_ADMIN, "county")
    letter = begin_letter(world, one, other)
    letter.submit()
    assert problem(secretary.post(f"{letter.path}/approve", {})) == (403, "forbidden")
    assert problem(one.post(f"{letter.path}/approve", {})) == (403, "forbidden")
    assert letter.approve().json["state"] == "published"


def test_sending_back_and_taking_down_need_words(letter: Letter) -> None:
    letter.submit()
    assert problem(letter.send_back("  ")) == (422, "invalid")
    assert problem(letter.town.post(f"{letter.path}/withdraw", {"reason": "错"})) == (
        409,
        "wrong_letter_state",
    )
    letter.approve()
    assert problem(letter.town.post(f"{letter.path}/withdraw", {"reason": ""})) == (422, "invalid")
    address = letter.address
    done = letter.town.post(f"{letter.path}/withdraw", {"reason": "金额有误"})
    assert (done.json["state"], done.json["url"]) == ("withdrawn", None)
    page = letter.world.app.test_client().get(address)
    assert (page.status_code, "已经撤下" in page.text, "路灯" in page.text) == (410, True, False)


def test_a_secretary_writes_for_his_own_village_only(world: World, secretary: Caller, town: Caller) -> None:
    def begin(code: str, who: Caller = secretary) -> tuple[int, str]:
        return problem(who.post("/clear-letters", {"organization_code": code, "content": letter_content()}))

    assert begin(world.village_codes[1]) == (403, "forbidden")
    assert begin(world.town_code, town) == (422, "invalid")
    other = begin_letter(World(**vars(world) | {"village_codes": world.village_codes[1:]}), town, town)
    assert problem(secretary.get(other.path)) == (403, "forbidden")
    assert problem(secretary.post(f"{other.path}/submit")) == (403, "forbidden")
    assert secretary.get("/clear-letters").json["items"] == []
    assert [row["id"] for row in town.get("/clear-letters").json["items"]] == [other.id]


def test_an_auditor_reads_and_another_town_does_not(world: World, letter: Letter, offices: Offices) -> None:
    auditor = offices.caller(Role.AUDITOR, "county")
    assert auditor.get(letter.path).status_code == 200
    assert problem(auditor.post(f"{letter.path}/submit")) == (403, "forbidden")
    stranger = Offices(start_campaign(world.app)).caller(Role.TOWN_STAFF, "town")
    assert problem(stranger.get(letter.path)) == (403, "forbidden")


def test_letters_are_found_by_their_state(world: World, letter: Letter) -> None:
    second = begin_letter(world, letter.secretary, letter.town)
    letter.submit()
    items = {
        state: [row["id"] for row in letter.town.get(f"/clear-letters?state={state}").json["items"]]
        for state in ("draft", "submitted", "published")
    }
    assert items == {"draft": [second.id], "submitted": [letter.id], "published": []}
    code = world.village_codes[1]
    assert letter.town.get(f"/clear-letters?organization={code}").json["items"] == []


def test_a_letter_leads_only_to_a_campaign_about_its_village(world: World, letter: Letter) -> None:
    elsewhere = start_campaign(world.app)
    body = {"revision": 1, "content": letter_content(), "campaign_id": elsewhere.campaign_id}
    assert problem(letter.secretary.put(f"{letter.path}/draft", body)) == (403, "forbidden")
