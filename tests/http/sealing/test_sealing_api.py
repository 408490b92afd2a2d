"""Sealing, bulletin, snapshot and corrections as the contract names them."""

from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from survey_service.auditing.queries import get_head
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.ballots.phone import Phone, code_of
from tests.http.sealing.conftest import colleague
from tests.services.sealing.steps import cast_known, close, column, database_of, seal
from tests.support.pdf import codes_on, words_of

API = "/api/v1/campaigns"


@pytest.fixture
def address(committed_world: World) -> str:
    return f"{API}/{committed_world.campaign_id}"


@pytest.fixture
def sealed(committed_world: World) -> World:
    """Eight ballots in the first village, three in the second; sealed."""
    cast_known(committed_world, 8)
    cast_known(committed_world, 3, village=1)
    close(committed_world)
    seal(committed_world)
    return committed_world


def test_a_closed_campaign_is_sealed_once(committed_world: World, town: FlaskClient, address: str) -> None:
    assert code_of(town.post(f"{address}/seal")) == (409, "wrong_state")
    close(committed_world)
    answer = town.post(f"{address}/seal")
    assert (answer.status_code, answer.json) == (200, {"id": committed_world.campaign_id, "state": "sealed"})
    assert code_of(town.post(f"{address}/seal")) == (409, "wrong_state")
    assert town.get(address).json["state"] == "sealed"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.BRANCH_SECRETARY])
def test_whoever_runs_no_campaigns_seals_none(committed_world: World, address: str, role: Role) -> None:
    close(committed_world)
    person = colleague(committed_world, role, committed_world.town_code)
    assert code_of(person.post(f"{address}/seal")) == (403, "forbidden")


def test_before_sealing_there_is_nothing_to_see(
    committed_world: World, town: FlaskClient, address: str
) -> None:
    close(committed_world)
    for path in ("bulletin", "snapshot", "seal.pdf"):
        assert code_of(town.get(f"{address}/{path}")) == (409, "not_sealed")
    body = {"eligible": {committed_world.village_codes[0]: {"villager": 16}}, "reason": "录错"}
    assert code_of(town.post(f"{address}/corrections", json=body)) == (409, "not_sealed")
    assert code_of(town.get(f"{API}/4711/bulletin")) == (404, "not_found")


def test_the_bulletin_is_what_the_contract_says(sealed: World, address: str) -> None:
    stranger = sealed.app.test_client()
    bulletin: dict[str, Any] = stranger.get(f"{address}/bulletin").json
    assert set(bulletin) == {"formula_hash", "snapshot_digest", "items"}
    names = {"organization_code", "count", "excluded", "invalid", "weightless", "receipts", "digest"}
    for item in bulletin["items"]:
        assert set(item) == names
        assert item["receipts"] == sorted(item["receipts"])
        assert item["count"] == len(item["receipts"])
        assert item["digest"] == sha256("\n".join(item["receipts"]).encode()).hexdigest()
    counts = {item["organization_code"]: item["count"] for item in bulletin["items"]}
    assert counts == {sealed.village_codes[0]: 8, sealed.town_code: 3}


def test_the_snapshot_is_handed_out_as_it_was_hashed(sealed: World, town: FlaskClient, address: str) -> None:
    bulletin = town.get(f"{address}/bulletin").json
    answer = town.get(f"{address}/snapshot")
    assert answer.content_type == "application/json"
    assert sha256(answer.data).hexdigest() == bulletin["snapshot_digest"]
    assert answer.json["head"]["formula_hash"] == bulletin["formula_hash"]


@pytest.mark.parametrize(
    ("role", "place", "status"),
    [
        (Role.AUDITOR, "town", 200),
        (Role.COUNTY_ADMIN, "town", 200),
        (Role.BRANCH_SECRETARY, "town", 403),
        (Role.TOWN_STAFF, "village", 403),
    ],
)
def test_the_snapshot_is_for_those_who_may_read_all_of_it(
    sealed: World, address: str, role: Role, place: str, status: int
) -> None:
    code = sealed.town_code if place == "town" else sealed.village_codes[0]
    reader = colleague(sealed, role, code)
    assert reader.get(f"{address}/snapshot").status_code == status
    if role is Role.AUDITOR:
        assert reader.get(f"{address}/scores").status_code == 200


def test_a_correction_shows_everywhere(sealed: World, town: FlaskClient, address: str) -> None:
    code = sealed.village_codes[0]
    before = town.get(f"{address}/bulletin").json
    body = {"eligible": {code: {"villager": 16}}, "reason": "花名册录错"}
    made = town.post(f"{address}/corrections", json=body)
    after = town.get(f"{address}/bulletin").json
    assert (made.status_code, made.json["version"]) == (201, 2)
    assert made.json["snapshot_digest"] == after["snapshot_digest"] != before["snapshot_digest"]
    assert after["items"] == before["items"]
    assert town.get(f"{address}/snapshot?version=1").json["head"]["correction"] is None
    assert town.get(f"{address}/snapshot").json["head"]["correction"]["reason"] == "花名册录错"
    for path in ("scores", "progress"):
        row = town.get(f"{address}/{path}").json["items"][0]
        assert (row["eligible"], row["response_rate"]) == (16, "50.00")
    assert town.get(f"{address}/scores/{code}").json["trace"]["classes"]["villager"]["eligible"] == 16
    assert code_of(town.get(f"{address}/snapshot?version=3")) == (404, "not_found")


def test_a_wrong_correction_says_what_is_wrong(sealed: World, town: FlaskClient, address: str) -> None:
    code = sealed.village_codes[0]
    good = {"eligible": {code: {"villager": 1}}, "reason": "录错"}
    wrong: list[dict[str, Any]] = [
        {},
        good | {"eligible": {}},
        good | {"eligible": {code: {}}},
        good | {"eligible": {"nowhere": {"villager": 1}}},
        good | {"eligible": {code: {"villager": -1}}},
        good | {"eligible": {code: {"nobody": 1}}},
        good | {"reason": ""},
        good | {"score": "100.00"},
    ]
    answers = [town.post(f"{address}/corrections", json=body) for body in wrong]
    assert [answer.status_code for answer in answers] == [422] * len(wrong)
    assert all(answer.json["errors"] for answer in answers)
    assert town.get(f"{address}/snapshot").json["head"]["version"] == 1


def test_figures_of_a_sealed_campaign_come_from_its_snapshot(
    sealed: World, town: FlaskClient, address: str
) -> None:
    """Whatever happens to the tables that live figures come from."""
    paths = ["scores", "progress", f"scores/{sealed.village_codes[0]}"]
    before = [town.get(f"{address}/{path}").json for path in paths]
    with database_of(sealed).unit_of_work() as session:
        for table in ("mass_score", "tally_head", "tally_slice"):
            session.execute(text(f"DELETE FROM {table}"))
    assert [town.get(f"{address}/{path}").json for path in paths] == before
    assert before[0]["items"][0]["status"] == "ok"
    assert before[1]["items"][1]["by_mode"] == {"household": 3}


def test_a_late_ballot_is_told_that_all_is_over(committed_world: World, address: str) -> None:
    phone = Phone(committed_world.app.test_client())
    code = committed_world.issue()[0].code
    ticket = phone.open(code)["ticket"]
    close(committed_world)
    seal(committed_world)
    assert code_of(phone.post(code, ticket=ticket)) == (410, "closed")
    assert code_of(phone.post(code, ticket=ticket, answers={})) == (410, "closed")
    assert phone.client.get(f"/s/{code}").status_code == 410


def test_a_receipt_is_counted(sealed: World) -> None:
    receipt = column(sealed, "receipt", "receipt")[0]
    client = sealed.app.test_client()
    assert client.get(f"/api/v1/receipts/{receipt}").json == {"state": "counted"}
    assert "已计入结果" in client.get(f"/r/{receipt}").text


def test_the_seal_sheet_holds_every_digest_and_the_head_of_the_audit_trail(
    sealed: World, town: FlaskClient, address: str
) -> None:
    with database_of(sealed).reading() as session:
        head = get_head(session)
    sheet = town.get(f"{address}/seal.pdf")
    assert (sheet.status_code, sheet.content_type) == (200, "application/pdf")
    words = words_of(sheet.data)
    bulletin = town.get(f"{address}/bulletin").json
    digests = [bulletin["snapshot_digest"], bulletin["formula_hash"], head.digest]
    digests += [one["digest"] for one in bulletin["items"]]
    assert [digest for digest in digests if digest not in words] == []
    assert f"到第{head.seq}条" in words
    public_url = sealed.app.extensions["settings"].public_url
    assert codes_on(sheet.data, 150)[0] == {f"{public_url}/b/{sealed.campaign_id}"}


@pytest.mark.parametrize("role", [Role.BRANCH_SECRETARY])
def test_the_seal_sheet_is_no_rated_partys(sealed: World, address: str, role: Role) -> None:
    person = colleague(sealed, role, sealed.village_codes[0])
    assert code_of(person.get(f"{address}/seal.pdf")) == (403, "forbidden")
