"""Roles, names, passwords, lockout and sessions, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.core.texts import text
from survey_service.staff.rules import (
    ACCOUNT_RIGHTS,
    CLIENTS,
    FORBIDDEN_PASSWORDS,
    IDLE_TIMEOUT,
    LOCKOUT,
    MAX_FAILED_LOGINS,
    PERMISSIONS,
    SYSTEMS,
    Lockout,
    PasswordFault,
    Role,
    TokenKind,
    describe_client,
    is_alive,
    is_allowed,
    is_display_name,
    is_touch_due,
    is_username,
    may_create,
    may_manage,
    normalize_username,
    password_faults,
    withheld_permissions,
)

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
WRITING = {
    name
    for name in PERMISSIONS
    if not name.startswith("session.") and not name.endswith((".read", ".export"))
}


def test_every_role_has_a_name_for_people() -> None:
    assert all(text(f"staff.role_{role}") for role in Role)


def test_an_auditor_writes_nothing() -> None:
    assert not [name for name in WRITING if is_allowed(Role.AUDITOR, name)]


def test_a_branch_secretary_works_on_what_is_the_own_branchs_and_on_no_more() -> None:
    allowed = {name for name in WRITING if is_allowed(Role.BRANCH_SECRETARY, name)}
    letters = {"clear_letters.compose", "clear_letters.print"}
    assert allowed == {"posters.print", "ratings.score", "ratings.answer", "opinions.handle"} | letters


def test_the_offices_may_do_everything_but_read_what_is_written_about_them() -> None:
    """Disputed scores, receivers outside, and what people wrote in full are for the county alone."""
    offices = {Role.COUNTY_ADMIN, Role.TOWN_STAFF}
    kept = [name for name, roles in PERMISSIONS.items() if not offices <= roles]
    of_the_county = {"disputes.decide", "webhooks.manage", "opinions.read_original"}
    assert set(kept) == of_the_county | {"audit.read"}
    assert all(PERMISSIONS[name] == {Role.COUNTY_ADMIN} for name in of_the_county)


@pytest.mark.parametrize(("role", "permission"), [("county_admin", "no.such"), ("nobody", "scores.read")])
def test_what_the_table_does_not_know_is_refused(role: str, permission: str) -> None:
    assert not is_allowed(role, permission)


@pytest.mark.parametrize(
    ("creator", "created"),
    [
        (Role.COUNTY_ADMIN, set(Role)),
        (Role.TOWN_STAFF, {Role.TOWN_STAFF, Role.BRANCH_SECRETARY}),
        (Role.BRANCH_SECRETARY, set()),
        (Role.AUDITOR, set()),
        (Role.SYSTEM_ADMIN, {Role.COUNTY_ADMIN, Role.TOWN_STAFF, Role.BRANCH_SECRETARY}),
        (Role.SECURITY_ADMIN, set()),
    ],
)
def test_accounts_are_created_at_or_below_ones_own_level(creator: Role, created: set[Role]) -> None:
    assert {role for role in Role if may_create(creator, role)} == created


@pytest.mark.parametrize("manager", Role)
def test_nobody_reaches_the_password_of_his_own_level(manager: Role) -> None:
    assert not may_manage(manager, manager)


@pytest.mark.parametrize("manager", [role for role in Role if role is not Role.SECURITY_ADMIN])
def test_whom_one_may_create_below_oneself_one_may_manage(manager: Role) -> None:
    managed = {role for role in Role if may_manage(manager, role)}
    assert managed == {role for role in Role if may_create(manager, role)} - {manager}


@pytest.mark.parametrize("written", ["Zhang.San", "  zhang.san ", "ZHANG.SAN", "ｚｈａｎｇ．ｓａｎ"])
def test_one_name_however_it_is_typed(written: str) -> None:
    assert normalize_username(written) == "zhang.san"


@pytest.mark.parametrize("name", ["zhang.san", "张三丰", "a_b-c@d", "123"])
def test_names_that_are_taken(name: str) -> None:
    assert is_username(name)


@pytest.mark.parametrize("name", ["", "ab", "a b c", "a" * 65, "abc\x00", "abc\n", "ab\ud800", "'; --"])
def test_names_that_are_refused(name: str) -> None:
    assert not is_username(name)


@pytest.mark.parametrize(
    ("name", "is_good"), [("张　三", True), ("", False), ("a\x00", False), ("\ud800", False)]
)
def test_a_display_name_can_be_stored_and_shown(name: str, is_good: bool) -> None:
    assert is_display_name(name) is is_good


@pytest.mark.parametrize("password", ["Tangxi-2026", "abc-DEFG", "长征路ab12CD", "kX7m-Rp4w-9Tzq"])
def test_good_passwords(password: str) -> None:
    assert password_faults(password, username="zhangsan") == ()


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("Ab1-xyz", PasswordFault.TOO_SHORT),
        ("Ab1-" * 33, PasswordFault.TOO_LONG),
        ("abcdefgh1", PasswordFault.TOO_FEW_CLASSES),
        ("ABC-DEF-GHI", PasswordFault.TOO_FEW_CLASSES),
        ("x-ZhangSan-1", PasswordFault.CONTAINS_NAME),
        ("P@ssw0rd", PasswordFault.COMMON),
        ("Abc12345!", PasswordFault.COMMON),
    ],
)
def test_each_fault_is_named_alone(password: str, fault: PasswordFault) -> None:
    assert password_faults(password, username="zhangsan") == (fault,)


def test_all_faults_are_named_together() -> None:
    assert set(password_faults("bob", username="bob")) == {
        PasswordFault.TOO_SHORT,
        PasswordFault.TOO_FEW_CLASSES,
        PasswordFault.CONTAINS_NAME,
    }


def test_every_fault_has_a_sentence() -> None:
    assert all(text(f"staff.password_{fault}") for fault in PasswordFault)


def test_forbidden_passwords_are_written_as_they_are_compared() -> None:
    assert all(password == password.casefold().rstrip(".!") for password in FORBIDDEN_PASSWORDS)


def after_attempts(count: int) -> Lockout:
    lockout = Lockout()
    for _ in range(count):
        lockout = lockout.after_attempt(NOW)
    return lockout


def test_the_fifth_attempt_locks() -> None:
    assert after_attempts(MAX_FAILED_LOGINS - 1).minutes_left(NOW) == 0
    assert after_attempts(MAX_FAILED_LOGINS).minutes_left(NOW) == 15


@pytest.mark.parametrize(
    ("later", "minutes"), [(timedelta(seconds=1), 15), (timedelta(minutes=14, seconds=1), 1), (LOCKOUT, 0)]
)
def test_the_minutes_left_are_rounded_up(later: timedelta, minutes: int) -> None:
    assert after_attempts(MAX_FAILED_LOGINS).minutes_left(NOW + later) == minutes


def test_after_a_lockout_the_count_starts_anew() -> None:
    assert after_attempts(MAX_FAILED_LOGINS).after_attempt(NOW + LOCKOUT) == Lockout(failures=1)


@given(kind=st.sampled_from(TokenKind), idle=st.timedeltas(timedelta(0), timedelta(days=2)))
def test_no_token_outlives_its_end(kind: TokenKind, idle: timedelta) -> None:
    assert not is_alive(kind, last_used_at=NOW - idle, expires_at=NOW, now=NOW)


@pytest.mark.parametrize(("kind", "is_open"), [(TokenKind.COOKIE, False), (TokenKind.BEARER, True)])
def test_only_a_browsers_session_ends_by_idleness(kind: TokenKind, is_open: bool) -> None:
    ends = NOW + timedelta(hours=1)
    assert is_alive(kind, last_used_at=NOW - IDLE_TIMEOUT, expires_at=ends, now=NOW) is is_open
    almost = NOW - IDLE_TIMEOUT + timedelta(seconds=1)
    assert is_alive(kind, last_used_at=almost, expires_at=ends, now=NOW)


def test_the_last_use_is_written_once_a_minute() -> None:
    assert not is_touch_due(NOW - timedelta(seconds=59), NOW)
    assert is_touch_due(NOW - timedelta(seconds=60), NOW)


def test_the_separate_administrators_see_no_evaluation() -> None:
    figures = [name for name in PERMISSIONS if name.split(".")[0] in {"campaigns", "scores", "progress"}]
    for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
        assert not [name for name in figures if is_allowed(role, name)]


def test_what_gives_and_what_takes_is_never_in_one_hand_of_the_separate_administrators() -> None:
    hands = [
        {name for name in ACCOUNT_RIGHTS if is_allowed(role, name)}
        for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
    ]
    assert hands[0] & hands[1] == set()
    assert hands[0] | hands[1] == ACCOUNT_RIGHTS


@pytest.mark.parametrize("role", Role)
def test_the_separation_takes_account_rights_from_business_roles_only(role: Role) -> None:
    is_office = role in {Role.COUNTY_ADMIN, Role.TOWN_STAFF}
    assert withheld_permissions(role, is_separated=True) == (ACCOUNT_RIGHTS if is_office else set())
    assert withheld_permissions(role, is_separated=False) == set()


@pytest.mark.parametrize(
    ("user_agent", "described"),
    [
        ("Mozilla/5.0 (Linux; Android 13) Chrome/107 MicroMessenger/8.0.30", "wechat.android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17) AppleWebKit Mobile Safari/604", "safari.iphone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537 Edg/120", "edge.windows"),
        ("curl/8", "other.other"),
        ("", "other.other"),
    ],
)
def test_a_device_is_described_coarsely(user_agent: str, described: str) -> None:
    assert describe_client(user_agent) == described


def test_every_device_has_words_for_people() -> None:
    words = [f"client_{word}" for word in (*CLIENTS.values(), "other", "bearer")]
    words += [f"system_{word}" for word in (*SYSTEMS.values(), "other")]
    assert all(text(f"staff_pages.{word}") for word in words)
    assert (
        max(len(client) + 1 + len(system) for client in CLIENTS.values() for system in SYSTEMS.values()) < 32
    )
