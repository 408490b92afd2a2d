"""From the bytes of a file to its cells."""

from collections.abc import Callable

import pytest

from survey_service.core import spreadsheet
from survey_service.core.spreadsheet import FileFailure, UnreadableSheetError, read_cells
from tests.factories.organizations.files import (
    HEADINGS,
    csv_text,
    encrypted_xlsx,
    ods_file,
    replace_parts,
    sparse_xlsx,
    xlsx_file,
    zip_bomb,
)

ROW = ("445122109000", "汤溪镇", "445122000000", "town")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_every_encoding_and_with_every_delimiter(encoding: str, delimiter: str) -> None:
    content = csv_text(ROW, delimiter=delimiter).encode(encoding)
    assert read_cells(content) == [list(HEADINGS), list(ROW)]


def test_csv_rows_keep_their_numbers_over_blank_lines_and_old_line_ends() -> None:
    assert read_cells(b"code,name\r\rA,B\r") == [["code", "name"], [], ["A", "B"]]


def test_xlsx_gives_numbers_as_numbers_and_dates_as_no_code() -> None:
    content = xlsx_file([HEADINGS, (445122109000, "汤溪镇", 445122000000.0, True)], merged_title="组织表")
    assert read_cells(content)[2][:4] == [
        445122109000.0,
        "汤溪镇",
        445122000000.0,
        True,
    ]


def test_rows_above_and_left_of_the_data_are_kept() -> None:
    cells = read_cells(xlsx_file([(), (), ("", "", "code")]))
    assert cells == [["", "", ""], ["", "", ""], ["", "", "code"]]


def test_ods_is_read() -> None:
    assert read_cells(ods_file([HEADINGS, ROW])) == [list(HEADINGS), list(ROW)]


def damaged_xlsx() -> bytes:
    return xlsx_file([HEADINGS, ROW])[:-200]


def not_xml_inside() -> bytes:
    return replace_parts(xlsx_file([HEADINGS]), {"xl/workbook.xml": b"<broken"})


@pytest.mark.parametrize(
    ("make", "failure"),
    [
        (lambda: b"", FileFailure.EMPTY),
        (lambda: b" \r\n", FileFailure.EMPTY),
        (lambda: PNG, FileFailure.NOT_A_SPREADSHEET),
        (lambda: "<html><table>区划代码".encode(), FileFailure.NOT_A_SPREADSHEET),
        (lambda: b"\xff\xfe\x00", FileFailure.NOT_A_SPREADSHEET),
        (lambda: b'code,name\n"A,B\n', FileFailure.BROKEN_QUOTES),
        (encrypted_xlsx, FileFailure.PASSWORD_PROTECTED),
        (damaged_xlsx, FileFailure.DAMAGED),
        (not_xml_inside, FileFailure.NOT_A_SPREADSHEET),
        (zip_bomb, FileFailure.DAMAGED),
    ],
)
def test_an_unreadable_file_is_refused_with_its_reason(
    make: Callable[[], bytes], failure: FileFailure
) -> None:
    with pytest.raises(UnreadableSheetError) as refusal:
        read_cells(make())
    assert refusal.value.failure is failure


def test_a_sheet_that_asks_for_half_a_terabyte_ends_only_the_process_that_reads_it() -> None:
    with pytest.raises(UnreadableSheetError) as refusal:
        read_cells(sparse_xlsx())
    assert refusal.value.failure is FileFailure.DAMAGED


def test_an_archive_that_lies_about_its_size_meets_the_limits_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_UNPACKED_BYTES", 2**40)
    with pytest.raises(UnreadableSheetError):
        read_cells(zip_bomb())


def test_size_and_rows_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 3)
    for content in (b"a\n" * 4, xlsx_file([["a"]] * 4)):
        with pytest.raises(UnreadableSheetError) as refusal:
            read_cells(content)
        assert refusal.value.failure is FileFailure.TOO_MANY_ROWS
    with pytest.raises(UnreadableSheetError) as refusal:
        read_cells(b"a" * (spreadsheet.MAX_FILE_BYTES + 1))
    assert refusal.value.failure is FileFailure.TOO_LARGE
