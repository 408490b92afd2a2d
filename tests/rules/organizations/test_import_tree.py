"""How rows fit together and into the tree."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.organizations.import_rows import ImportRow
from survey_service.organizations.import_tree import Known, check_tree
from survey_service.organizations.rules import OrganizationKind, ProblemKind

KINDS = {"S": "city", "C": "county", "T": "town", "V": "village", "M": "community", "B": "branch"}


def kind_of(code: str) -> OrganizationKind:
    return OrganizationKind(KINDS[code[0]])


def rows_of(*pairs: str) -> list[ImportRow]:
    """Rows from "child<parent"; the first letter of a code is its kind, the first row has number 2."""
    rows = []
    for number, pair in enumerate(pairs, 2):
        code, _, parent = pair.partition("<")
        rows.append(ImportRow(number, code, code, parent, kind_of(code)))
    return rows


KNOWN: Mapping[str, Known] = {
    code: Known(number, code, kind_of(code), parent, path)
    for number, code, parent, path in [
        (1, "S", "", "/1/"),
        (2, "C1", "S", "/1/2/"),
        (3, "C2", "S", "/1/3/"),
        (4, "T1", "C1", "/1/2/4/"),
        (5, "V1", "T1", "/1/2/4/5/"),
    ]
}


def found(
    rows: list[ImportRow], known: Mapping[str, Known] = KNOWN, within: str | None = None
) -> dict[int, list[str]]:
    problems = check_tree(rows, known, within_path=within)
    return {number: [problem.kind.value for problem in some] for number, some in problems.items()}


def test_a_whole_tree_has_no_problem() -> None:
    assert found(rows_of("S", "C<S", "T<C", "V<T", "M<T", "B<V", "B2<M"), {}) == {}


def test_children_may_stand_before_their_parents_and_under_known_ones() -> None:
    assert found(rows_of("V9<T9", "T9<C1", "B9<V1")) == {}


def test_a_parent_that_is_nowhere() -> None:
    assert found(rows_of("V9<T8")) == {2: [ProblemKind.PARENT_UNKNOWN]}


def test_duplicates_name_each_other() -> None:
    problems = check_tree(rows_of("V9<T1", "V8<T1", "V9<T1"), KNOWN, within_path=None)
    assert {number: some[0].values["other"] for number, some in problems.items()} == {2: 4, 4: 2}


@pytest.mark.parametrize("pair", ["V9<C1", "T9<T1", "C9<T1", "S9<C1", "V9<V1"])
def test_a_parent_of_the_wrong_kind(pair: str) -> None:
    assert found(rows_of(pair)) == {2: [ProblemKind.PARENT_KIND]}


@pytest.mark.parametrize("code", ["V9", "M9", "B9"])
def test_only_the_upper_levels_may_be_roots(code: str) -> None:
    assert found(rows_of(code)) == {2: [ProblemKind.PARENT_MISSING]}


def test_an_empty_parent_leaves_a_known_organization_where_it_is() -> None:
    assert found(rows_of("V1", "C1")) == {}


def test_a_kind_must_suit_the_children_that_the_file_does_not_name() -> None:
    rows = [ImportRow(2, "T1", "T1", "C1", OrganizationKind.COUNTY)]
    assert found(rows) == {2: [ProblemKind.PARENT_KIND, ProblemKind.CHILD_KIND]}


@pytest.mark.parametrize(
    ("pairs", "rows"),
    [
        (["T9<T9"], [2]),
        (["T9<T8", "T8<T9"], [2, 3]),
        (["C1<T1"], [2]),
        (["V7<V8", "V8<V9", "V9<V7"], [2, 3, 4]),
    ],
)
def test_cycles_also_through_the_database(pairs: list[str], rows: list[int]) -> None:
    problems = found(rows_of(*pairs))
    assert [number for number, kinds in problems.items() if ProblemKind.CYCLE in kinds] == rows


def test_a_cycle_is_written_out_from_the_row_itself_and_long_ones_are_cut() -> None:
    ring = rows_of(*(f"V{number}<V{(number + 1) % 9}" for number in range(9)))
    [problem] = [one for one in check_tree(ring, {}, within_path=None)[4] if one.kind is ProblemKind.CYCLE]
    assert problem.values["codes"] == "V2 → V3 → V4 → V5 → V6 → V7 → …"


def test_unreadable_parents_and_kinds_cause_no_further_problems() -> None:
    rows = [ImportRow(2, "V9", "V9", None, OrganizationKind.VILLAGE), ImportRow(3, "B9", "B9", "V9", None)]
    assert found(rows, within="/1/2/") == {}


@pytest.mark.parametrize(
    ("pair", "is_allowed"),
    [
        ("C1<S", True),
        ("C1", True),
        ("T1<C1", True),
        ("T9<C1", True),
        ("V1<T1", True),
        ("C2<S", False),
        ("T9<C2", False),
        ("T1<C2", False),
        ("C9", False),
        ("S", False),
    ],
)
def test_a_staff_member_imports_only_inside_the_own_sub_tree(pair: str, is_allowed: bool) -> None:
    problems = found(rows_of(pair), within="/1/2/")
    assert ([ProblemKind.OUT_OF_SCOPE.value] in problems.values()) is not is_allowed


codes = st.sampled_from(["S", "C1", "C2", "C3", "T1", "T2", "T3", "V1", "V2", "B1", "B2"])


@given(st.dictionaries(codes, st.one_of(codes, st.just(""))))
def test_a_tree_without_problems_has_no_cycle_and_only_known_parents(parents: dict[str, str]) -> None:
    rows = rows_of(*(f"{code}<{parent}" for code, parent in parents.items()))
    if check_tree(rows, KNOWN, within_path=None):
        return
    after = {code: one.parent_code for code, one in KNOWN.items()} | {
        code: parent for code, parent in parents.items() if parent or code not in KNOWN
    }
    for code in after:
        for _ in range(7):
            code = after[code] if code else ""
        assert code == ""


@given(st.dictionaries(codes, st.one_of(codes, st.just(""))))
def test_an_import_within_a_sub_tree_leaves_everything_else_in_its_place(parents: dict[str, str]) -> None:
    rows = rows_of(*(f"{code}<{parent}" for code, parent in parents.items()))
    if check_tree(rows, KNOWN, within_path="/1/2/"):
        return
    for code, parent in parents.items():
        inside = {"C1", "T1", "V1"} | (parents.keys() - KNOWN.keys())
        assert code in inside
        assert parent in inside or not parent or (code, parent) == ("C1", "S")
