"""How the codes of a village are parted into PDFs."""

import pytest

from survey_service.print_runs.rules import PrintSplit, SerialRange, part_serials

GROUPS = (SerialRange("一组", 1, 3, 3), SerialRange("二组", 4, 6, 3))


def test_a_village_is_one_part() -> None:
    parts = part_serials(range(1, 8), GROUPS, split=PrintSplit.VILLAGE, most=10)
    assert parts == [SerialRange("", 1, 7, 7)]


def test_groups_are_parts_in_their_order_and_what_belongs_to_none_comes_by_itself() -> None:
    parts = part_serials(range(1, 8), GROUPS, split=PrintSplit.GROUP, most=10)
    assert parts == [*GROUPS, SerialRange("", 7, 7, 1)]


def test_revoked_serials_leave_a_gap() -> None:
    parts = part_serials([2, 3, 5], GROUPS, split=PrintSplit.GROUP, most=10)
    assert parts == [SerialRange("一组", 2, 3, 2), SerialRange("二组", 5, 5, 1)]


@pytest.mark.parametrize("number", [1, 9, 10, 11, 19, 20, 21, 101])
def test_what_is_large_is_parted_evenly(number: int) -> None:
    parts = part_serials(range(1, number + 1), (), split=PrintSplit.VILLAGE, most=10)
    assert [serial for part in parts for serial in range(part.first, part.last + 1)] == list(
        range(1, number + 1)
    )
    sizes = {part.count for part in parts}
    assert max(sizes) <= 10
    assert max(sizes) - min(sizes) <= 1


def test_nothing_makes_no_part() -> None:
    assert part_serials([], GROUPS, split=PrintSplit.GROUP, most=10) == []
