"""One code in several campaigns: branches, service centres and secretaries of a town in one sitting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from survey_service.ballots.models import Ballot, Participation, Receipt
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import close_campaign, launch_campaign
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.entrances.inviting import create_slots, list_panel_codes
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.queries import issued_by_subject
from survey_service.entrances.rules import RevokedAs
from survey_service.entrances.service import IssuedCode, revoke_entrance
from survey_service.entrances.slots import ChosenSlots, reissue_slots, revoke_slots
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import find_by_codes, list_ancestors
from survey_service.organizations.rules import SubjectKind
from survey_service.questionnaires.rules import Item
from tests.factories.campaigns import ITEMS, NOW, OPENS_AT, World, add_campaign, start_campaign
from tests.http.ballots.phone import Phone, code_of, new_secret
from tests.http.ballots.test_voter_pages import ticket_in

pytestmark = [
    pytest.mark.usefixtures("frozen_clock"),
    # One statement of PostgreSQL alone copies slots; `test_sitting_races.py` sees it there.
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

GRADE = Item(
    key="grade",
    kind="rating",
    text="书记履职",
    required=True,
    weight=Decimal(1),
    option_set="competence4",
)
OF_SECRETARIES: dict[str, Any] = {
    "coefficients": {"excellent": "1", "competent": "0.8", "basically_competent": "0.6", "incompetent": "0"},
    "positive": ["excellent", "competent"],
    "class_weights": {"villager": Decimal(1)},
}


@dataclass
class Sitting:
    """A town whose branches, service centres and secretaries are rated in three campaigns."""

    world: World
    campaigns: Sequence[int]

    def invite(
        self, *, count: int = 1, also: Sequence[int] | None = None, **changes: Any
    ) -> list[IssuedCode]:
        world = self.world
        given: dict[str, Any] = {"organization_codes": [world.town_code], "staff": world.staff} | changes
        with world.app.extensions["database"].unit_of_work() as session:
            return create_slots(
                session,
                keyring=world.keyring,
                campaign_id=world.campaign_id,
                also_campaign_ids=self.campaigns[1:] if also is None else also,
                rater_class=RaterClass.VILLAGER,
                count=count,
                now=NOW,
                **{"mode": Mode.PANEL} | given,
            )

    def change(self, act: Any, *serials: int, campaign: int = 0, **more: Any) -> int:
        chosen = ChosenSlots(self.world.town_code, Mode.PANEL, RaterClass.VILLAGER, serials)
        with self.world.app.extensions["database"].unit_of_work() as session:
            number: int = act(
                session,
                staff=self.world.staff,
                campaign_id=self.campaigns[campaign],
                chosen=chosen,
                now=NOW,
                **more,
            )
            return number

    def close(self, campaign: int) -> None:
        with self.world.app.extensions["database"].unit_of_work() as session:
            close_campaign(session, campaign_id=self.campaigns[campaign], now=NOW - timedelta(minutes=1))

    def rows(self, table: Any = Participation) -> list[int]:
        """Return how many rows of a table each campaign has."""
        with self.world.app.extensions["database"].reading() as session:
            counted = select(table.campaign_id, func.count()).group_by(table.campaign_id)
            found = dict(session.execute(counted).all())
        return [found.get(one, 0) for one in self.campaigns]

    def slots(self) -> list[Entrance]:
        with self.world.app.extensions["database"].reading() as session:
            found = select(Entrance).where(Entrance.panel_id.is_not(None)).order_by(Entrance.id)
            return list(session.scalars(found))


def start_sitting(world: World) -> Sitting:
    """Add two campaigns of the same owner to the one over branches."""
    ids = [world.campaign_id]
    with world.app.app_context(), world.app.extensions["database"].unit_of_work() as session:
        town = find_by_codes(session, [world.town_code])[world.town_code]
        for kind, title, items, formula in (
            (SubjectKind.SERVICE_CENTRE, "服务中心测评", ITEMS, None),
            (SubjectKind.PERSON, "书记测评", [GRADE], OF_SECRETARIES),
        ):
            changes = {"title": title, "subject_type": kind} | ({"formula": formula} if formula else {})
            campaign = add_campaign(session, world.app, world.staff, town, items=items, **changes)
            launch_campaign(session, campaign_id=campaign.id, now=OPENS_AT)
            ids.append(campaign.id)
    return Sitting(world, ids)


@pytest.fixture
def sitting(world: World) -> Sitting:
    return start_sitting(world)


@pytest.fixture
def code(sitting: Sitting) -> str:
    return sitting.invite()[0].code


@pytest.fixture
def web_view(world: World) -> FlaskClient:
    return world.app.test_client()


def answers_for(turn: dict[str, Any]) -> dict[str, str]:
    """Return an answer to the first question of a campaign's own form."""
    item = turn["questionnaire"]["items"][0]
    return {item["key"]: item["options"][0]["key"]}


def test_a_code_names_all_campaigns_each_with_its_form_and_ticket(
    sitting: Sitting, phone: Phone, code: str
) -> None:
    opened = phone.open(code)
    turns = opened["campaigns"]
    assert [turn["campaign_id"] for turn in turns] == list(sitting.campaigns)
    assert [turn["title"] for turn in turns] == ["2026年度测评", "服务中心测评", "书记测评"]
    assert [turn["questionnaire"]["items"][0]["key"] for turn in turns] == ["overall", "overall", "grade"]
    assert len({turn["ticket"] for turn in turns}) == 3
    villages = [
        {"organization_code": place, "name": name, "done": False}
        for place, name in zip(sitting.world.village_codes, ("第1村", "第2村"), strict=True)
    ]
    assert [turn["subjects"] for turn in turns] == [villages] * 3
    # Who knows of one campaign only finds the first of them, as ever.
    assert (opened["title"], opened["subjects"]) == ("2026年度测评", villages)


def test_a_code_of_one_campaign_answers_as_before(sitting: Sitting, phone: Phone) -> None:
    assert "campaigns" not in phone.open(sitting.invite(also=[])[0].code)


def test_every_subject_of_every_campaign_is_rated_once(sitting: Sitting, phone: Phone, code: str) -> None:
    turns = phone.open(code)["campaigns"]
    receipts = []
    # One secret for everything: what it yields differs by campaign and subject all the same.
    secret = new_secret()
    for turn in turns:
        for place in sitting.world.village_codes:
            given = {"ticket": turn["ticket"], "organization_code": place, "answers": answers_for(turn)}
            sent = phone.post(code, secret=secret, **given)
            assert sent.status_code == 201
            receipts.append(sent.get_json()["receipt"])
            assert code_of(phone.post(code, **given)) == (409, "already_submitted")
    assert len(set(receipts)) == 6
    assert [sitting.rows(table) for table in (Participation, Ballot, Receipt)] == [[2, 2, 2]] * 3


def test_each_campaign_has_its_own_form(sitting: Sitting, phone: Phone, code: str) -> None:
    first, _, last = phone.open(code)["campaigns"]
    given = {"ticket": last["ticket"], "organization_code": sitting.world.village_codes[0]}
    refused = phone.post(code, **given, answers=answers_for(first))
    assert code_of(refused) == (422, "invalid_answers")
    assert sitting.rows() == [0, 0, 0]


def test_nothing_stored_joins_the_campaigns_but_the_slots(sitting: Sitting, phone: Phone) -> None:
    """Two people with a code each: of what they have done no value stands in two campaigns."""
    for issued in sitting.invite(count=2):
        secret = new_secret()
        for turn in phone.open(issued.code)["campaigns"]:
            given = {"ticket": turn["ticket"], "organization_code": sitting.world.village_codes[0]}
            sent = phone.post(issued.code, secret=secret, **given, answers=answers_for(turn))
            assert sent.status_code == 201
    with sitting.world.app.extensions["database"].reading() as session:
        digests = session.scalars(select(Participation.digest)).all()
        ballots = session.scalars(select(Ballot.id)).all()
        receipts = session.scalars(select(Receipt.receipt)).all()
    assert [len(set(found)) for found in (digests, ballots, receipts)] == [6, 6, 6]
    assert {slot.code_digest for slot in sitting.slots()}.isdisjoint(digests)


def test_a_ticket_of_one_code_does_not_serve_another(sitting: Sitting, phone: Phone) -> None:
    mine, yours = sitting.invite(count=2)
    ticket = phone.open(mine.code)["campaigns"][1]["ticket"]
    place = sitting.world.village_codes[0]
    assert code_of(phone.post(yours.code, ticket=ticket, organization_code=place)) == (403, "bad_ticket")


def test_a_campaign_that_closes_ends_for_itself_alone(sitting: Sitting, phone: Phone, code: str) -> None:
    tickets = [turn["ticket"] for turn in phone.open(code)["campaigns"]]
    place = sitting.world.village_codes[0]
    sitting.close(0)
    later = phone.open(code)
    assert [turn["state"] for turn in later["campaigns"]] == ["closed", "open", "open"]
    # On top stands what can still be rated.
    assert (later["title"], later["state"]) == ("服务中心测评", "open")
    late = phone.post(code, ticket=later["campaigns"][0]["ticket"], organization_code=place)
    assert code_of(late) == (410, "closed")
    assert phone.post(code, ticket=tickets[1], organization_code=place).status_code == 201
    assert sitting.rows() == [0, 1, 0]


def step(client: FlaskClient, path: str, **answers: str) -> Any:
    return client.post(path, data={"ticket": ticket_in(client.get(path))} | answers)


def next_path(page: str) -> str:
    return page.partition('weui-btn_main" href="')[2].partition('"')[0]


def test_links_and_forms_alone_lead_through_everything(
    sitting: Sitting, web_view: FlaskClient, code: str
) -> None:
    page = web_view.get(f"/s/{code}").text
    titles = (
        "请您评 6 个",
        "2026年度测评</h2>",
        "1. 第1村党支部",
        "服务中心测评",
        "书记测评",
        "6. 第2村党组织书记",
    )
    places = [page.index(title) for title in titles]
    assert places == sorted(places)
    for number in range(1, 7):
        path = next_path(page)
        assert path.startswith(f"/s/{code}/in/{sitting.campaigns[(number - 1) // 2]}/of/")
        form = web_view.get(path).text
        assert f"第 {number} 个，共 6 个" in form
        # The notice of every campaign is read once, and folded from then on.
        assert ('<details class="card notice">' in form) == (number % 2 == 0)
        answers = {"grade": "excellent"} if number > 4 else {"overall": "satisfied"}
        sent = step(web_view, path, **answers)
        assert sent.status_code == 303
        page = web_view.get(sent.headers["Location"]).text
    assert "全部评完了" in page
    assert "评完了全部 6 个" in web_view.get(f"/s/{code}").text
    assert sitting.rows() == [2, 2, 2]
    assert web_view.get(path).headers["Location"] == f"/s/{code}"


def test_what_is_over_is_shown_without_a_link(sitting: Sitting, web_view: FlaskClient, code: str) -> None:
    path = f"/s/{code}/in/{sitting.campaigns[0]}/of/{sitting.world.village_codes[0]}"
    sitting.close(0)
    page = web_view.get(f"/s/{code}").text
    assert "请您评 4 个" in page
    assert "已经结束，不用再评" in page
    assert path not in page
    assert web_view.get(path).status_code == 410


def test_a_missing_answer_shows_the_same_subject_of_the_same_campaign(
    sitting: Sitting, web_view: FlaskClient, code: str
) -> None:
    again = step(web_view, f"/s/{code}/in/{sitting.campaigns[2]}/of/{sitting.world.village_codes[1]}")
    assert again.status_code == 422
    assert "第 6 个，共 6 个" in again.text
    assert "书记履职" in again.text


def test_strange_campaigns_lead_back_to_the_list(sitting: Sitting, web_view: FlaskClient, code: str) -> None:
    path = f"/s/{code}/in/999/of/{sitting.world.village_codes[0]}"
    assert web_view.get(path).headers["Location"] == f"/s/{code}"


def test_a_sitting_is_one_code_to_the_watch_over_browsers(
    sitting: Sitting, web_view: FlaskClient, code: str
) -> None:
    for campaign, answers in ((0, {"overall": "satisfied"}), (2, {"grade": "excellent"})):
        step(
            web_view,
            f"/s/{code}/in/{sitting.campaigns[campaign]}/of/{sitting.world.village_codes[0]}",
            **answers,
        )
    digest = sitting.slots()[0].code_digest.hex()
    marks = [one.key for one in web_view._cookies.values() if one.key.startswith("answered_")]
    assert marks == [f"answered_{digest}"]


def test_serials_are_the_same_in_all_campaigns(sitting: Sitting) -> None:
    alone = sitting.invite(count=3, also=[])
    together = sitting.invite(count=2)
    assert ([one.serial for one in alone], [one.serial for one in together]) == ([1, 2, 3], [4, 5])
    by_campaign = {
        campaign: [slot.serial for slot in sitting.slots() if slot.campaign_id == campaign]
        for campaign in sitting.campaigns
    }
    assert list(by_campaign.values()) == [[1, 2, 3, 4, 5], [4, 5], [4, 5]]
    with sitting.world.app.extensions["database"].reading() as session:
        issued = [issued_by_subject(session, campaign_id=campaign) for campaign in sitting.campaigns]
    assert [{count[Mode.PANEL] for count in found.values()} for found in issued] == [{5}, {2}, {2}]


def test_the_same_key_gives_the_same_codes(sitting: Sitting) -> None:
    first = sitting.invite(count=2, idempotency_key="k")
    assert sitting.invite(count=2, idempotency_key="k") == first
    assert len(sitting.slots()) == 6
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        sitting.invite(count=2, idempotency_key="k", also=sitting.campaigns[1:2])


def test_only_campaigns_of_the_same_owner_sit_together(sitting: Sitting) -> None:
    """Not even the county's, over the very same villages: the town has no codes to make there."""
    world, elsewhere = sitting.world, start_campaign(sitting.world.app, villages=1)
    with world.app.app_context(), world.app.extensions["database"].unit_of_work() as session:
        town = find_by_codes(session, [world.town_code])[world.town_code]
        of_county = add_campaign(session, world.app, county_staff(sitting), town).id
    said = set()
    for stranger in (elsewhere.campaign_id, of_county, 999):
        with pytest.raises(Invalid) as refused:
            sitting.invite(also=[sitting.campaigns[1], stranger])
        [[sentence]] = refused.value.errors.values()
        said.add(sentence.replace(str(stranger), "…"))
    assert len(said) == 1, "whether it exists is not told"
    assert sitting.slots() == []


def test_a_campaign_that_is_over_takes_no_new_codes(sitting: Sitting) -> None:
    sitting.close(1)
    with pytest.raises(Conflict, match="wrong_state"):
        sitting.invite()


def test_a_sitting_is_of_panels_and_of_a_place_above(sitting: Sitting) -> None:
    with pytest.raises(Invalid):
        sitting.invite(mode=Mode.HOUSEHOLD)
    with pytest.raises(Invalid):
        sitting.invite(organization_codes=sitting.world.village_codes[:1])


def test_only_staff_above_all_subjects_may_invite(sitting: Sitting) -> None:
    staff = replace(sitting.world.staff, path=f"{sitting.world.staff.path}7/")
    with pytest.raises(Forbidden):
        sitting.invite(staff=staff)


@pytest.mark.parametrize("through", [0, 2])
def test_a_serial_is_revoked_in_all_campaigns(sitting: Sitting, phone: Phone, through: int) -> None:
    gone, kept = sitting.invite(count=2)
    assert sitting.change(revoke_slots, 1, campaign=through, revoked_as=RevokedAs.LOST) == 1
    assert phone.client.get(f"/s/{gone.code}").status_code == 404
    assert len(phone.open(kept.code)["campaigns"]) == 3


def test_a_code_is_revoked_in_all_campaigns(sitting: Sitting, phone: Phone, code: str) -> None:
    turns = phone.open(code)["campaigns"]
    with sitting.world.app.extensions["database"].unit_of_work() as session:
        world = sitting.world
        revoke_entrance(session, staff=world.staff, keyring=world.keyring, raw_code=code, now=NOW)
    for turn in turns:
        given = {"ticket": turn["ticket"], "organization_code": sitting.world.village_codes[0]}
        sent = phone.post(code, **given, answers=answers_for(turn))
        assert code_of(sent) == (404, "unknown_entrance")
    assert sitting.rows() == [0, 0, 0]


@pytest.mark.parametrize("through", [0, 1])
def test_a_new_code_is_one_for_all_campaigns_and_votes_no_second_time(
    sitting: Sitting, phone: Phone, code: str, through: int
) -> None:
    turn, place = phone.open(code)["campaigns"][1], sitting.world.village_codes[0]
    assert phone.post(code, ticket=turn["ticket"], organization_code=place).status_code == 201
    assert sitting.change(reissue_slots, 1, campaign=through, keyring=sitting.world.keyring) == 1
    assert phone.client.get(f"/s/{code}").status_code == 404
    again = code_after_reissue(sitting)
    turns = phone.open(again)["campaigns"]
    assert [one["campaign_id"] for one in turns] == list(sitting.campaigns)
    sent = [
        phone.post(again, ticket=one["ticket"], organization_code=place, answers=answers_for(one)).status_code
        for one in turns
    ]
    assert sent == [201, 409, 201]
    assert sitting.rows() == [1, 1, 1]


def code_after_reissue(sitting: Sitting, campaign: int = 0) -> str:
    """Return the code that a sheet printed from one of the campaigns would carry."""
    world = sitting.world
    with world.app.extensions["database"].unit_of_work() as session:
        [issued] = list_panel_codes(
            session,
            staff=world.staff,
            keyring=world.keyring,
            campaign_id=sitting.campaigns[campaign],
            organization_code=world.town_code,
            now=NOW,
        )
        return issued.code


def test_what_has_ended_gets_no_new_code(sitting: Sitting, phone: Phone, code: str) -> None:
    sitting.close(0)
    sitting.change(reissue_slots, 1, campaign=1, keyring=sitting.world.keyring)
    again = code_after_reissue(sitting, campaign=1)
    assert [one["campaign_id"] for one in phone.open(again)["campaigns"]] == list(sitting.campaigns[1:])
    # The old one opens what is over, and nothing else.
    assert phone.open(code)["state"] == "closed"


def test_the_same_slip_is_read_from_every_campaign(sitting: Sitting, code: str) -> None:
    assert {code_after_reissue(sitting, campaign) for campaign in range(3)} == {code}


def test_one_key_is_kept_for_a_sitting(sitting: Sitting, code: str) -> None:
    with sitting.world.app.extensions["database"].reading() as session:
        made = select(CodeBatch).where(CodeBatch.panel_id.is_not(None)).order_by(CodeBatch.turn)
        batches = session.scalars(made).all()
    assert [(one.turn, one.wrapped_key is not None, one.lead_id) for one in batches] == [
        (0, True, None),
        (1, False, batches[0].id),
        (2, False, batches[0].id),
    ]


def test_the_same_subjects_in_two_campaigns_have_nothing_in_common(sitting: Sitting, phone: Phone) -> None:
    """The very same branches, code and secret: only the campaign tells the two ballots apart."""
    world = sitting.world
    with world.app.app_context(), world.app.extensions["database"].unit_of_work() as session:
        town = find_by_codes(session, [world.town_code])[world.town_code]
        again = add_campaign(session, world.app, world.staff, town, title="年底再测评")
        launch_campaign(session, campaign_id=again.id, now=OPENS_AT)
        again_id = again.id
    [issued] = sitting.invite(also=[again_id])
    secret, place = new_secret(), world.village_codes[0]
    sent = [
        phone.post(issued.code, ticket=turn["ticket"], secret=secret, organization_code=place)
        for turn in phone.open(issued.code)["campaigns"]
    ]
    assert [one.status_code for one in sent] == [201, 201]
    assert sent[0].get_json() != sent[1].get_json()
    with world.app.extensions["database"].reading() as session:
        rows = session.execute(select(Ballot.campaign_id, Ballot.subject_id, Ballot.id)).all()
        spent = session.scalars(select(Participation.digest)).all()
    assert {row.campaign_id for row in rows} == {world.campaign_id, again_id}
    assert [len({row[column] for row in rows}) for column in (1, 2)] == [1, 2]
    assert len(set(spent)) == 2
    assert shown_for(sitting) == "《2026年度测评》2 个、《年底再测评》2 个"


def shown_for(sitting: Sitting) -> str:
    world = sitting.world
    with world.app.extensions["database"].unit_of_work() as session:
        [issued] = list_panel_codes(
            session,
            staff=world.staff,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            organization_code=world.town_code,
            now=NOW,
        )
        return issued.rates


def county_staff(sitting: Sitting) -> Identity:
    world = sitting.world
    with world.app.extensions["database"].reading() as session:
        county = list_ancestors(session, path=world.staff.path)[0]
    return replace(world.staff, organization_id=county.id, path=county.path)


def test_a_place_that_is_rated_itself_gets_its_codes_from_above(sitting: Sitting) -> None:
    """The town's own service centre is rated: the county may rate it, but not with codes of the town."""
    world, above = sitting.world, county_staff(sitting)
    with world.app.app_context(), world.app.extensions["database"].unit_of_work() as session:
        ids = []
        for codes in (world.village_codes, [world.town_code, *world.village_codes]):
            county = session.get_one(Organization, above.organization_id)
            made = add_campaign(session, world.app, above, county, under=None, organization_codes=codes)
            ids.append(made.id)
    of_county = replace(sitting, world=replace(world, campaign_id=ids[0], staff=above))
    with pytest.raises(Invalid) as refused:
        of_county.invite(also=ids[1:])
    assert "汤溪镇自己也在被评之列" in str(refused.value.errors)
    assert len(of_county.invite(also=[])) == 1


def test_codes_of_a_place_above_are_not_for_those_below_it(sitting: Sitting) -> None:
    world, above = sitting.world, county_staff(sitting)
    with world.app.extensions["database"].unit_of_work() as session:
        county_code = session.get_one(Organization, above.organization_id).code
    sitting.invite(staff=above, organization_codes=[county_code])
    with pytest.raises(Forbidden), world.app.extensions["database"].unit_of_work() as session:
        list_panel_codes(
            session,
            staff=world.staff,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            organization_code=county_code,
            now=NOW,
        )
