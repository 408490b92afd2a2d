"""Which parts of a total are withheld, and when a part may be looked at anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.core.disclosure import Withholding, is_step_due, withhold_addends, withhold_parts

SMALL, COMPLEMENTARY = Withholding.SMALL_CELL, Withholding.COMPLEMENTARY
counts = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 12))
cells = st.integers(3, 6)


@pytest.mark.parametrize(
    ("released", "standing", "is_due"),
    [(0, 4, False), (0, 5, True), (5, 9, False), (5, 10, True), (10, 6, False), (10, 5, True), (7, 7, False)],
)
def test_a_step_takes_as_many_ballots_as_a_cell(released: int, standing: int, is_due: bool) -> None:
    assert is_step_due(released=released, standing=standing, min_cell=5) is is_due


@pytest.mark.parametrize(
    ("counts", "withheld"),
    [
        ({"a": 20, "b": 30}, {}),
        ({"a": 20, "b": 0}, {}),
        ({"a": 20, "b": 2}, {"b": SMALL, "a": COMPLEMENTARY}),
        ({"a": 20, "b": 2, "c": 9}, {"b": SMALL, "c": COMPLEMENTARY}),
        ({"a": 20, "b": 2, "c": 2}, {"b": SMALL, "c": SMALL, "a": COMPLEMENTARY}),
        ({"a": 20, "b": 2, "c": 3}, {"b": SMALL, "c": SMALL}),
        ({"a": 2}, {"a": SMALL}),
        ({}, {}),
    ],
)
def test_a_small_part_takes_others_with_it(counts: dict[str, int], withheld: dict[str, Withholding]) -> None:
    assert withhold_parts(counts, 5) == withheld


def test_a_part_named_small_is_withheld_whatever_its_size() -> None:
    assert withhold_parts({"a": 20, "b": 30}, 5, {"b"}) == {"b": SMALL}


@given(counts=counts, min_cell=cells)
def test_what_is_left_of_a_total_never_concerns_few(counts: dict[str, int], min_cell: int) -> None:
    withheld = withhold_parts(counts, min_cell)
    left = sum(counts[key] for key in withheld)
    assert left == 0 or left >= min_cell or set(withheld) == {key for key in counts if counts[key]}
    assert not any(0 < counts[key] < min_cell for key in counts.keys() - withheld.keys())


@given(counts=counts, min_cell=cells)
def test_nothing_is_withheld_where_nothing_is_small(counts: dict[str, int], min_cell: int) -> None:
    big = {key: count + min_cell for key, count in counts.items()}
    assert withhold_parts(big, min_cell) == {}


@pytest.mark.parametrize(
    ("small", "sums", "withheld"),
    [
        ("", [{"i": 9, "j": 7}], {}),
        ("i", [{"i": 2, "j": 7, "k": 6}], {"i": SMALL, "k": COMPLEMENTARY}),
        ("ij", [{"i": 2, "j": 3, "k": 6}], {"i": SMALL, "j": SMALL}),
        ("i", [{"i": 2}], {"i": SMALL}),
        ("i", [{"j": 9, "k": 7}], {"i": SMALL}),
        (
            "i",
            [{"i": 2, "j": 7, "k": 6}, {"i": 2, "j": 7}],
            {"i": SMALL, "k": COMPLEMENTARY, "j": COMPLEMENTARY},
        ),
    ],
)
def test_no_sum_lacks_exactly_one_addend(
    small: str, sums: list[dict[str, int]], withheld: dict[str, Withholding]
) -> None:
    assert withhold_addends(small, sums) == withheld


@given(small=st.sets(st.sampled_from("abcdefg")), sums=st.lists(counts, max_size=4))
def test_every_sum_hides_none_or_several_of_its_addends(small: set[str], sums: list[dict[str, int]]) -> None:
    withheld = withhold_addends(small, sums)
    assert small <= withheld.keys()
    assert all(len(one) == 1 or len(one.keys() & withheld.keys()) != 1 for one in sums)
