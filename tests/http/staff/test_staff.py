"""Accounts through the API: what each role and scope gets."""

import json

import pytest
from flask.testing import FlaskClient

from survey_service.core.db import Database
from survey_service.staff.queries import PAGE_SIZE
from survey_service.staff.rules import Role
from tests.factories.staff.offices import PASSWORD, Offices, add_person

STAFF = "/api/v1/staff"


def sign_in(client: FlaskClient, username: str, password: str = PASSWORD) -> dict[str, str]:
    answer = client.post("/api/v1/auth/token", json={"username": username, "password": password})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json['token']}"}


def new_person(**changes: str) -> dict[str, str]:
    return {"username": "new.person", "role": "branch_secretary", "organization_code": "village"} | changes


def test_a_new_account_signs_in_with_the_password_shown_once(client: FlaskClient) -> None:
    answer = client.post(STAFF, json=new_person(display_name="张三"), headers=sign_in(client, "town.staff"))
    assert answer.status_code == 201
    assert answer.json["staff"]["display_name"] == "张三"
    assert answer.json["staff"]["must_change_password"] is True
    assert sign_in(client, "new.person", answer.json["password"])


@pytest.mark.parametrize(
    ("by", "changes", "status"),
    [
        ("county.admin", {"role": "county_admin", "organization_code": "county"}, 201),
        ("county.admin", {"role": "auditor", "organization_code": "other"}, 201),
        ("town.staff", {"role": "auditor"}, 403),
        ("town.staff", {"organization_code": "other-village"}, 403),
        ("town.staff", {"organization_code": "nowhere"}, 422),
        ("town.staff", {"organization_code": "\x00"}, 422),
        ("town.staff", {"username": "town.staff"}, 409),
        ("town.staff", {"username": "a b"}, 422),
        ("town.staff", {"display_name": "\ud800"}, 422),
        ("town.staff", {"role": "emperor"}, 422),
        ("town.staff", {"password": "Chosen-2026"}, 422),
        ("town.secretary", {}, 403),
        ("county.auditor", {}, 403),
    ],
)
def test_who_may_create_whom(client: FlaskClient, by: str, changes: dict[str, str], status: int) -> None:
    body = json.dumps(new_person(**changes))
    answer = client.post(STAFF, data=body, content_type="application/json", headers=sign_in(client, by))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("town.staff", ["town.staff", "town.secretary"]),
        ("other.staff", ["other.staff", "other.secretary"]),
        ("county.auditor", [
            "county.admin", "county.auditor", "town.staff", "town.secretary", "other.staff", "other.secretary"
        ]),
    ],
)  # fmt: skip
def test_a_list_ends_at_the_scope(client: FlaskClient, by: str, expected: list[str]) -> None:
    answer = client.get(STAFF, headers=sign_in(client, by))
    assert [one["username"] for one in answer.json["items"]] == expected
    assert "argon2" not in answer.text


def test_a_secretary_sees_no_list(client: FlaskClient) -> None:
    assert client.get(STAFF, headers=sign_in(client, "town.secretary")).status_code == 403


def test_a_long_list_comes_in_pages(client: FlaskClient, offices: Offices, database: Database) -> None:
    with database.unit_of_work() as session:
        village = session.merge(offices.places["village"])
        for number in range(PAGE_SIZE):
            add_person(session, f"secretary.{number}", Role.BRANCH_SECRETARY, village)
    headers = sign_in(client, "county.admin")
    first = client.get(STAFF, headers=headers).json
    second = client.get(STAFF, query_string={"cursor": first["next_cursor"]}, headers=headers).json
    found = [one["id"] for one in first["items"] + second["items"]]
    assert len(first["items"]) == PAGE_SIZE
    assert len(set(found)) == PAGE_SIZE + len(offices.people)
    assert second["next_cursor"] is None


def test_a_strange_cursor_is_refused(client: FlaskClient) -> None:
    answer = client.get(STAFF, query_string={"cursor": "x"}, headers=sign_in(client, "town.staff"))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("by", "whom", "status"),
    [
        ("town.staff", "town.secretary", 200),
        ("county.admin", "town.staff", 200),
        ("town.staff", "town.staff", 403),
        ("town.staff", "other.secretary", 403),
        ("town.staff", "county.admin", 403),
        ("county.auditor", "town.secretary", 403),
        ("town.secretary", "town.secretary", 403),
    ],
)
@pytest.mark.parametrize("action", ["reset-password", "disable"])
def test_accounts_are_managed_from_the_level_above(
    client: FlaskClient, offices: Offices, by: str, whom: str, status: int, action: str
) -> None:
    url = f"{STAFF}/{offices.people[whom].id}/{action}"
    assert client.post(url, headers=sign_in(client, by)).status_code == status


def test_a_reset_password_opens_the_account_again(client: FlaskClient, offices: Offices) -> None:
    url = f"{STAFF}/{offices.people['town.secretary'].id}/reset-password"
    password = client.post(url, headers=sign_in(client, "town.staff")).json["password"]
    assert sign_in(client, "town.secretary", password)


def test_a_disabled_account_is_out_at_once(client: FlaskClient, offices: Offices) -> None:
    secretary = sign_in(client, "town.secretary")
    url = f"{STAFF}/{offices.people['town.secretary'].id}/disable"
    assert client.post(url, headers=sign_in(client, "town.staff")).json["is_disabled"] is True
    assert client.get("/api/v1/auth/me", headers=secretary).status_code == 401


@pytest.mark.parametrize("staff_id", ["999999", str(2**63 - 1), str(2**63), "0", "x"])
def test_an_account_that_does_not_exist(client: FlaskClient, staff_id: str) -> None:
    answer = client.post(f"{STAFF}/{staff_id}/disable", headers=sign_in(client, "county.admin"))
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
