"""Who may see what, and the arithmetic of turnout."""

import pytest

from survey_service.campaigns.rules import RaterClass, State
from survey_service.mass_evaluation.verdicts import Turnout
from survey_service.reports.rules import (
    add_turnouts,
    count_eligible,
    is_released_to,
    is_staff_page,
    may_see_live_parts,
    may_see_parts,
)
from survey_service.staff.rules import Role

OTHERS = [role for role in Role if role is not Role.BRANCH_SECRETARY]


@pytest.mark.parametrize("state", list(State))
def test_a_rated_party_waits_for_the_closing_and_an_auditor_for_the_seal(state: State) -> None:
    assert is_released_to(Role.BRANCH_SECRETARY, state) is (state in {State.CLOSED, State.SEALED})
    assert is_released_to(Role.AUDITOR, state) is (state is State.SEALED)
    assert all(is_released_to(role, state) for role in OTHERS if role is not Role.AUDITOR)


@pytest.mark.parametrize(
    ("returned", "eligible", "is_shown"),
    [(1, 9, False), (1, 10, True), (7, 10, True), (8, 10, False), (12, 10, False), (5, None, False)],
)
def test_a_rated_party_sees_parts_only_where_they_name_nobody(
    returned: int, eligible: int | None, is_shown: bool
) -> None:
    turnout = Turnout(returned, eligible)
    assert may_see_parts(Role.BRANCH_SECRETARY, turnout) is is_shown
    assert all(may_see_parts(role, turnout) for role in OTHERS)
    assert [role for role in Role if not may_see_live_parts(role)] == [Role.BRANCH_SECRETARY]


def test_one_unknown_number_makes_the_sum_unknown() -> None:
    classes = [RaterClass.VILLAGER, RaterClass.PARTY_MEMBER]
    assert count_eligible({"villager": 3, "party_member": 4, "veteran_cadre": 9}, classes) == 7
    assert count_eligible({"villager": 3, "party_member": None}, classes) is None
    assert count_eligible({"villager": 3}, classes) is None


def test_turnouts_add_up() -> None:
    assert add_turnouts([]) == Turnout(0, 0)
    assert add_turnouts([Turnout(1, 4), Turnout(2, 5)]) == Turnout(3, 9)
    assert add_turnouts([Turnout(1, None), Turnout(2, 5)]) == Turnout(3, None)


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("/staff/campaigns?after=3", True),
        ("/staff", False),
        ("/staffing/", False),
        ("//evil.example/staff/", False),
        ("https://evil.example/staff/", False),
        ("/staff/\\evil.example", False),
        ("/staff/\r\nLocation: x", False),
    ],
)
def test_only_own_pages_are_led_to(address: str, is_own: bool) -> None:
    assert is_staff_page(address) is is_own
