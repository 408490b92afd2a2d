"""A sheet of people: all or nothing, with one-time passwords and slips, on both databases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from argon2 import PasswordHasher
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.errors import Forbidden, Invalid, Unauthorized
from survey_service.core.import_files import InvalidRows
from survey_service.core.permissions import Identity
from survey_service.core.privacy import EarlierSecret, Keyring
from survey_service.core.sheet_rows import Problem
from survey_service.core.spreadsheet import read_cells
from survey_service.staff import service
from survey_service.staff.import_rows import AccountProblem, read_rows
from survey_service.staff.importing import FILES, check_import, import_accounts, write_template
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import ONE_TIME_PASSWORD_LIFETIME, Role, TokenKind
from survey_service.staff.service import NewPassword
from survey_service.staff.slips import (
    PRINTABLE_FOR,
    Slip,
    hide_slips,
    make_slips,
    render_slips,
    reveal_slips,
)
from tests.factories.organizations.files import csv_file
from tests.factories.staff.offices import NOW, Offices
from tests.services.staff.test_accounts import identity
from tests.support.pdf import codes_on, words_of

HEADINGS = ("姓名", "用户名", "角色", "组织编码")
KEYRING = Keyring(secret_key="secret", master_key="master")
SLIP = Slip("张三", "党支部书记", "饶平县", "汤溪镇", "109000-abc", "kX7m-Rp4w-9Tzq", "2026年12月5日")


def sheet(*rows: Sequence[object]) -> bytes:
    return csv_file(*rows, headings=HEADINGS)


def load(session: Session, *rows: Sequence[object], by: Identity | None = None) -> list[NewPassword]:
    return import_accounts(session, content=sheet(*rows), filename="人员.csv", by=by, now=NOW)


def refused(session: Session, *rows: Sequence[object], by: Identity | None = None) -> dict[str, list[str]]:
    before = session.scalar(select(func.count()).select_from(StaffAccount))
    with pytest.raises(InvalidRows) as refusal:
        load(session, *rows, by=by)
    assert session.scalar(select(func.count()).select_from(StaffAccount)) == before
    return refusal.value.errors


def test_people_get_accounts_and_sign_in_with_what_stands_on_their_slips(session: Session) -> None:
    made = load(
        session, ("张三", "zhang.san", "党支部书记", "village"), ("李四", "", "乡镇工作人员", "other")
    )
    assert [one.account.role for one in made] == [Role.BRANCH_SECRETARY, Role.TOWN_STAFF]
    assert [one.account.must_change_password for one in made] == [True, True]
    for one in made:
        attempt = service.open_attempt(session, username=one.account.username, now=NOW)
        assert service.open_session(
            session, proof=attempt.prove(one.password or ""), kind=TokenKind.COOKIE, now=NOW
        )


def test_one_bad_row_leaves_nothing_behind(session: Session, offices: Offices) -> None:
    errors = refused(
        session,
        ("张三", "", "党支部书记", "village"),
        ("李四", "town.staff", "党支部书记", "village"),
        ("", "", "皇帝", "nowhere"),
        ("王五", "", "县级管理员", "county"),
        by=identity(offices.people["town.staff"]),
    )
    assert {number: len(sentences) for number, sentences in errors.items()} == {"3": 1, "4": 3, "5": 2}


def test_the_same_people_are_not_imported_twice(session: Session) -> None:
    row = ("张三", "", "党支部书记", "village")
    load(session, row)
    assert list(refused(session, row)) == ["2"]


def test_the_marked_copy_says_what_is_wrong(session: Session) -> None:
    copy = check_import(
        session, content=sheet(("张三", "", "党支部书记", "nowhere")), filename="人员.csv", by=None
    )
    rows = read_cells(copy)
    assert (rows[0][-1], "nowhere" in str(rows[1][-1])) == ("错误", True)


def test_the_template_takes_its_own_example() -> None:
    cells = read_cells(write_template())
    explained = CalamineWorkbook.from_filelike(BytesIO(write_template())).get_sheet_by_index(1).to_python()
    assert [row[0] for row in explained[2:]] == cells[0]
    assert not [cell for cell in cells[0] if "手机" in str(cell)]
    assert read_rows([*cells, [str(row[3]) for row in explained[2:]]])[1] == {}


@pytest.mark.parametrize("kind", AccountProblem)
def test_every_problem_has_a_sentence(kind: AccountProblem) -> None:
    values = {"role": Role.AUDITOR} | dict.fromkeys(("given", "code", "username", "other", "name", "most"), 1)
    assert FILES.sentence(Problem(kind, values)).endswith("。")


@pytest.fixture
def slow_hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A name for each slow hash that is computed."""
    computed: list[str] = []

    def count(name: str) -> None:
        whole = getattr(PasswordHasher, name)

        def counted(*given: Any) -> Any:
            computed.append(name)
            return whole(*given)

        monkeypatch.setattr(PasswordHasher, name, counted)

    count("hash")
    count("verify")
    return computed


def test_four_hundred_accounts_hold_nobody_up(session: Session, slow_hashes: list[str]) -> None:
    rows = [(f"书记{number}", "", "党支部书记", "village") for number in range(400)]
    made = load(session, *rows)
    assert slow_hashes == [], "four hundred would take 17 s"
    assert len({one.password for one in made}) == len({one.account.username for one in made}) == 400


def test_a_one_time_password_ends_after_two_weeks(session: Session) -> None:
    [made] = load(session, ("张三", "zhang.san", "党支部书记", "village"))
    late = NOW + ONE_TIME_PASSWORD_LIFETIME
    proof = service.open_attempt(session, username="zhang.san", now=late).prove(made.password or "")
    with pytest.raises(Forbidden, match="password_expired"):
        service.open_session(session, proof=proof, kind=TokenKind.COOKIE, now=late)
    assert service.open_session(session, proof=proof, kind=TokenKind.COOKIE, now=late - timedelta(seconds=1))


def test_a_one_time_password_costs_as_much_to_check_as_any_other(
    session: Session, slow_hashes: list[str]
) -> None:
    [made] = load(session, ("张三", "zhang.san", "党支部书记", "village"))
    attempt = service.open_attempt(session, username="zhang.san", now=NOW)
    with pytest.raises(Unauthorized):
        attempt.prove("kX7m-Rp4w-9Tzq")
    assert slow_hashes == ["verify"]
    assert made.password not in made.account.password_hash


def test_a_changed_password_is_slow_to_guess_and_never_expires(session: Session) -> None:
    [made] = load(session, ("张三", "zhang.san", "党支部书记", "village"))
    proof = service.open_attempt(session, username="zhang.san", now=NOW).prove(made.password or "")
    service.change_password(session, proof=proof, new_password="Another-2026")
    assert made.account.password_hash.startswith("$argon2id$")
    assert (made.account.password_expires_at, made.account.must_change_password) == (None, False)


def test_the_password_of_a_slip_is_not_kept(session: Session) -> None:
    [made] = load(session, ("张三", "zhang.san", "党支部书记", "village"))
    proof = service.open_attempt(session, username="zhang.san", now=NOW).prove(made.password or "")
    with pytest.raises(Invalid) as refusal:
        service.change_password(session, proof=proof, new_password=made.password or "")
    assert list(refusal.value.errors) == ["new_password"]


def test_slips_are_ordered_by_town_and_village(session: Session) -> None:
    rows = [(code, "", "党支部书记", code) for code in ("village", "other-village", "tangxi", "other")]
    slips = make_slips(session, made=load(session, *rows))
    assert [slip.name for slip in slips] == ["other", "other-village", "tangxi", "village"]
    assert slips[1].area == "county 名称other 名称"


def test_a_page_keeps_its_slips_for_one_person_and_one_hour() -> None:
    hidden = hide_slips([SLIP], keyring=KEYRING, staff_id=1, now=NOW)
    assert SLIP.password not in hidden
    almost = NOW + PRINTABLE_FOR - timedelta(seconds=1)
    assert reveal_slips(hidden, keyring=KEYRING, staff_id=1, now=almost) == [SLIP]
    for staff_id, now, content in ((2, NOW, hidden), (1, NOW + PRINTABLE_FOR, hidden), (1, NOW, hidden[:-4])):
        with pytest.raises(Forbidden, match="page_expired"):
            reveal_slips(content, keyring=KEYRING, staff_id=staff_id, now=now)


@pytest.mark.parametrize("nonsense", ["", "x", "ü", "A" * 40])
def test_nonsense_is_no_slip(nonsense: str) -> None:
    with pytest.raises(Forbidden):
        reveal_slips(nonsense, keyring=KEYRING, staff_id=1, now=NOW)


def test_slips_outlive_a_change_of_the_secret_key_for_as_long_as_it_is_believed() -> None:
    hidden = hide_slips([SLIP], keyring=KEYRING, staff_id=1, now=NOW)
    earlier = EarlierSecret("secret", NOW + timedelta(minutes=5))
    changed = Keyring(secret_key="another", master_key="master", earlier=earlier)
    assert reveal_slips(hidden, keyring=changed, staff_id=1, now=NOW) == [SLIP]
    with pytest.raises(Forbidden):
        reveal_slips(hidden, keyring=changed, staff_id=1, now=NOW + timedelta(minutes=5))


def test_a_page_of_paper_holds_eight_slips_and_the_way_in() -> None:
    slips = [replace(SLIP, username=f"109{number:03}-abc") for number in range(9)]
    pdf = render_slips(slips, public_url="https://pingyi.example.cn")
    assert codes_on(pdf, dpi=150) == [{"https://pingyi.example.cn/staff"}] * 2
    words = words_of(pdf)
    for shown in (*(slip.username for slip in slips), SLIP.password, SLIP.name, "pingyi.example.cn/staff"):
        assert shown in words


def test_no_text_on_a_slip_is_taken_for_markup() -> None:
    hostile = '#panic("x") $x^2$ *b* \\ [c]'
    pdf = render_slips([replace(SLIP, name=hostile, organization=hostile)], public_url="https://a.example")
    assert words_of(pdf).count("".join(hostile.split())) == 2
