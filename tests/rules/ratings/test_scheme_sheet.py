"""A scheme as a workbook and as text: there and back, and every fault with its cell."""

from typing import Any

import pytest

from survey_service.core.spreadsheet import read_cells
from survey_service.ratings.documents import InvalidScheme, read_document
from survey_service.ratings.presets import PRESETS, presets
from survey_service.ratings.scheme_sheet import read_scheme_sheet, write_scheme_sheet
from survey_service.ratings.scheme_words import words_sheet
from survey_service.ratings.scheme_writing import write_scheme
from tests.rules.ratings.schemes import documented_example


@pytest.mark.parametrize("code", PRESETS)
def test_a_scheme_goes_into_a_workbook_and_comes_back(code: str) -> None:
    document = presets()[code]
    found = read_scheme_sheet(cells_of(code))
    assert sorted(found.pop("assumptions")) == sorted(document["assumptions"])
    assert found == {key: value for key, value in document.items() if key != "assumptions"}


@pytest.mark.parametrize("code", PRESETS)
def test_a_scheme_is_written_as_text_and_read_again(code: str) -> None:
    document = presets()[code]
    found = read_document(write_scheme(document))
    assert sorted(found.pop("assumptions")) == sorted(document["assumptions"])
    assert found == {key: value for key, value in document.items() if key != "assumptions"}


def test_the_example_of_the_page_comes_back_from_a_workbook() -> None:
    document = read_document(documented_example())
    assert read_scheme_sheet(read_cells(write_scheme_sheet(document))) == document


Cells = list[list[Any]]


def cells_of(code: str) -> Cells:
    return read_cells(write_scheme_sheet(presets()[code]))


def change(cells: Cells, column: str, word: str, target: str, value: str) -> str:
    """Write into the row whose column holds a word; returns the cell."""
    place, into = ord(column) - ord("A"), ord(target) - ord("A")
    number = next(number for number, row in enumerate(cells) if len(row) > place and row[place] == word)
    cells[number] += [""] * (into + 1 - len(cells[number]))
    cells[number][into] = value
    return f"{target}{number + 1}"


@pytest.mark.parametrize(
    ("column", "word", "target", "value"),
    [
        ("B", "较好", "C", "95"),
        ("A", "plan", "C", "nobody"),
        ("A", "plan", "C", "plan"),
        ("A", "plan", "D", "many"),
        ("B", "党支部自评", "D", "emperor"),
        ("A", "名称", "A", "什么"),
    ],
)
def test_what_is_wrong_names_its_cell(column: str, word: str, target: str, value: str) -> None:
    cells = cells_of("township-classification")
    cell = change(cells, column, word, target, value)
    with pytest.raises(InvalidScheme) as found:
        read_scheme_sheet(cells)
    assert list(found.value.errors) == [cell]


def test_indicators_that_stand_above_each_other_in_a_ring_are_refused() -> None:
    cells = cells_of("township-classification")
    change(cells, "A", "plan", "C", "rules")
    change(cells, "A", "rules", "C", "plan")
    with pytest.raises(InvalidScheme) as found:
        read_scheme_sheet(cells)
    assert all("绕了一圈" in sentences[0] for sentences in found.value.errors.values())


def test_another_workbook_is_told_to_be_another() -> None:
    with pytest.raises(InvalidScheme) as found:
        read_scheme_sheet([["a", "b"], [1, 2]])
    assert "【基本】" in found.value.errors["A1"][0]


def test_the_words_of_every_closed_list_are_explained_on_a_sheet_of_their_own() -> None:
    explained = {row[1] for row in words_sheet().rows}
    assert {"person", "self_assessment", "town", "renormalize", "checklist", "veto", "community"} <= explained
