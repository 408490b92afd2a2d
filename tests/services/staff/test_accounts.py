"""Creating, listing, resetting and disabling accounts, on both databases."""

import pytest
from sqlalchemy.orm import Session

from survey_service.core.db import Database
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from survey_service.core.permissions import Identity
from survey_service.staff import management, queries, service, tokens
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import MAX_FAILED_LOGINS, Role, TokenKind, password_faults
from survey_service.staff.service import NewPassword
from tests.factories.staff.offices import NOW, PASSWORD, Offices, sign_in


def identity(account: StaffAccount) -> Identity:
    return Identity(
        account.id, account.display_name, account.role, account.organization_id, account.organization.path
    )


def create(
    session: Session,
    *,
    username: str = "new.person",
    role: Role = Role.BRANCH_SECRETARY,
    code: str = "village",
    by: Identity | None = None,
    password: str | None = None,
    display_name: str = "",
) -> NewPassword:
    return service.create_account(
        session,
        username=username,
        role=role,
        organization_code=code,
        now=NOW,
        by=by,
        password=password,
        display_name=display_name,
    )


def test_without_a_password_a_good_random_one_is_made(session: Session) -> None:
    first, second = create(session), create(session, username="another.person")
    assert first.password is not None
    assert first.password != second.password
    assert password_faults(first.password, username="new.person") == ()
    assert first.account.must_change_password
    assert service.open_attempt(session, username="new.person", now=NOW).prove(first.password)


def test_a_chosen_password_is_not_shown_again(session: Session) -> None:
    created = create(session, password=PASSWORD)
    assert created.password is None
    assert not created.account.must_change_password


def test_one_name_belongs_to_one_person(database: Database, offices: Offices) -> None:
    with pytest.raises(Conflict, match="username_taken"), database.unit_of_work() as session:
        create(session, username="TOWN.staff")


def test_everything_wrong_with_a_new_account_is_named(session: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        create(session, username="a b", password="short", display_name="\x00")
    assert {field: len(found) for field, found in refusal.value.errors.items()} == {
        "username": 1,
        "display_name": 1,
        "password": 2,
    }


def test_an_empty_password_is_a_weak_one(session: Session) -> None:
    with pytest.raises(Invalid, match="invalid"):
        create(session, password="")


def test_an_unknown_organization_is_named(session: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        create(session, code="nowhere")
    assert list(refusal.value.errors) == ["organization_code"]


@pytest.mark.parametrize("role", [Role.TOWN_STAFF, Role.BRANCH_SECRETARY])
def test_a_town_creates_its_own_people(session: Session, offices: Offices, role: Role) -> None:
    created = create(session, role=role, by=identity(offices.people["town.staff"]))
    assert created.account.organization.code == "village"


@pytest.mark.parametrize(
    ("by", "role", "code"),
    [
        ("town.staff", Role.COUNTY_ADMIN, "village"),
        ("town.staff", Role.AUDITOR, "village"),
        ("town.staff", Role.TOWN_STAFF, "county"),
        ("town.staff", Role.BRANCH_SECRETARY, "other-village"),
        ("town.secretary", Role.BRANCH_SECRETARY, "village"),
        ("county.auditor", Role.AUDITOR, "county"),
    ],
)
def test_nobody_creates_above_or_beside_himself(
    session: Session, offices: Offices, by: str, role: Role, code: str
) -> None:
    with pytest.raises(Forbidden):
        create(session, role=role, code=code, by=identity(offices.people[by]))


def names(session: Session, path: str, **options: int) -> list[str]:
    return [one.username for one in queries.list_accounts(session, within_path=path, **options)]


def test_a_list_ends_at_the_scope(session: Session, offices: Offices) -> None:
    assert names(session, offices.places["tangxi"].path) == ["town.staff", "town.secretary"]
    assert len(names(session, offices.places["county"].path)) == len(offices.people)


def test_a_list_comes_in_pages(session: Session, offices: Offices) -> None:
    path = offices.places["county"].path
    first = queries.list_accounts(session, within_path=path, limit=4)
    rest = names(session, path, after=first[-1].id)
    assert [one.username for one in first] + rest == list(offices.people)


def test_a_reset_ends_sessions_and_lockout(session: Session, offices: Offices) -> None:
    token = sign_in(session, "town.secretary", kind=TokenKind.COOKIE).token
    for _ in range(MAX_FAILED_LOGINS):
        service.open_attempt(session, username="town.secretary", now=NOW)
    secretary = offices.people["town.secretary"]
    reset = management.reset_password(
        session, staff_id=secretary.id, by=identity(offices.people["town.staff"]), now=NOW
    )
    assert tokens.authenticate_token(session, token=token, kind=TokenKind.COOKIE, now=NOW) is None
    assert reset.account.must_change_password
    attempt = service.open_attempt(session, username="town.secretary", now=NOW)
    assert attempt.prove(reset.password or "")
    with pytest.raises(Unauthorized):
        attempt.prove(PASSWORD)


@pytest.mark.parametrize(
    ("by", "whom"),
    [
        ("town.staff", "town.staff"),
        ("town.staff", "other.secretary"),
        ("town.staff", "county.admin"),
        ("county.admin", "county.admin"),
        ("county.auditor", "town.secretary"),
        ("town.secretary", "town.secretary"),
    ],
)
def test_nobody_manages_his_own_level_or_another_sub_tree(
    session: Session, offices: Offices, by: str, whom: str
) -> None:
    manager, managed = identity(offices.people[by]), offices.people[whom].id
    with pytest.raises(Forbidden):
        management.reset_password(session, staff_id=managed, by=manager, now=NOW)
    with pytest.raises(Forbidden):
        management.disable_account(session, staff_id=managed, by=manager, now=NOW)


def test_a_disabled_account_is_out_at_once(session: Session, offices: Offices) -> None:
    token = sign_in(session, "town.secretary", kind=TokenKind.BEARER).token
    proof = service.open_attempt(session, username="town.secretary", now=NOW).prove(PASSWORD)
    manager = identity(offices.people["county.admin"])
    management.disable_account(session, staff_id=offices.people["town.secretary"].id, by=manager, now=NOW)
    assert tokens.authenticate_token(session, token=token, kind=TokenKind.BEARER, now=NOW) is None
    with pytest.raises(Unauthorized):
        service.open_session(session, proof=proof, kind=TokenKind.BEARER, now=NOW)
    with pytest.raises(Unauthorized):
        service.open_attempt(session, username="town.secretary", now=NOW).prove(PASSWORD)


def test_a_disabled_account_has_no_session_even_if_a_token_is_left(
    session: Session, offices: Offices
) -> None:
    token = sign_in(session, "town.staff", kind=TokenKind.BEARER).token
    session.merge(offices.people["town.staff"]).disabled_at = NOW
    assert tokens.authenticate_token(session, token=token, kind=TokenKind.BEARER, now=NOW) is None


def test_nobody_can_reset_who_does_not_exist(session: Session, offices: Offices) -> None:
    with pytest.raises(NotFound):
        management.reset_password(
            session, staff_id=10**6, by=identity(offices.people["county.admin"]), now=NOW
        )


def test_changing_ones_password_ends_every_session(session: Session) -> None:
    token = sign_in(session, "town.staff", kind=TokenKind.COOKIE).token
    proof = service.open_attempt(session, username="town.staff", now=NOW).prove(PASSWORD)
    service.change_password(session, proof=proof, new_password="Another-2026")
    assert tokens.authenticate_token(session, token=token, kind=TokenKind.COOKIE, now=NOW) is None
    assert service.open_attempt(session, username="town.staff", now=NOW).prove("Another-2026")


def test_a_weak_new_password_is_refused(session: Session) -> None:
    proof = service.open_attempt(session, username="town.staff", now=NOW).prove(PASSWORD)
    with pytest.raises(Invalid) as refusal:
        service.change_password(session, proof=proof, new_password="town.staff")
    assert list(refusal.value.errors) == ["new_password"]
