"""From the bytes of an uploaded file to the cells of a sheet: CSV, XLSX, XLS and ODS."""

import csv
import json
import subprocess
import sys
from enum import StrEnum
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from survey_service.core.sheet_rows import Cell

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_ROWS = 50_000
"""A province has 20,000 villages and communities."""
MAX_COLUMNS = 50
MAX_UNPACKED_BYTES = 200 * 1024 * 1024

_ZIP = b"PK\x03\x04"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BEFORE_MARKUP = b"\xef\xbb\xbf \t\r\n"
_DELIMITERS = ",;\t"
_SAMPLE_LENGTH = 4096
_MOST_SECONDS = 30
_SHEET_PROCESS = Path(__file__).with_name("sheet_process.py")

Cells = list[list[Cell]]


class FileFailure(StrEnum):
    """Why a file cannot be read at all; the sentence is `sheets.file_<value>`."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    NOT_A_SPREADSHEET = "not_a_spreadsheet"
    PASSWORD_PROTECTED = "password_protected"  # noqa: S105  # The name of a failure, no secret.
    DAMAGED = "damaged"
    BROKEN_QUOTES = "broken_quotes"


class UnreadableSheetError(Exception):
    """The file as a whole cannot be read; `values` fill the sentence of the failure."""

    def __init__(self, failure: FileFailure, **values: object) -> None:
        self.failure = failure
        self.values = values
        super().__init__(failure)


def read_cells(content: bytes) -> Cells:
    """Return the cells of the first visible sheet, row 1 first; empty cells are "", dates are text.

    The bytes decide what a file is; many a CSV is called .xls. Raises UnreadableSheetError.
    """
    if not content.strip():
        raise UnreadableSheetError(FileFailure.EMPTY)
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableSheetError(FileFailure.TOO_LARGE, most=MAX_FILE_BYTES // 1024**2)
    if content.startswith((_ZIP, _COMPOUND_FILE)):
        rows = _read_workbook(content)
    elif content.lstrip(_BEFORE_MARKUP).startswith(b"<"):
        # Older office systems export web pages under the name .xls.
        raise UnreadableSheetError(FileFailure.NOT_A_SPREADSHEET)
    else:
        rows = _read_csv(_decode(content))
    if len(rows) > MAX_ROWS:
        raise UnreadableSheetError(FileFailure.TOO_MANY_ROWS, most=MAX_ROWS)
    return rows


def _read_workbook(content: bytes) -> Cells:
    if content.startswith(_ZIP):
        _refuse_zip_bomb(content)
    command = [sys.executable, "-I", str(_SHEET_PROCESS), str(MAX_ROWS + 1), str(MAX_COLUMNS)]
    try:
        finished = subprocess.run(  # noqa: S603  # The command is our own file, the content goes in by a pipe.
            command, input=content, capture_output=True, timeout=_MOST_SECONDS, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise UnreadableSheetError(FileFailure.DAMAGED) from error
    answer = json.loads(finished.stdout)
    if failure := answer.get("failure"):
        raise UnreadableSheetError(FileFailure(failure))
    rows: Cells = answer["rows"]
    return rows


def _refuse_zip_bomb(content: bytes) -> None:
    """Look at the sizes that the archive declares; false ones end at the limits of the other process."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except BadZipFile as error:
        raise UnreadableSheetError(FileFailure.DAMAGED) from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise UnreadableSheetError(FileFailure.DAMAGED)


def _decode(content: bytes) -> str:
    """Decode what Excel, WPS and programs write: UTF-8 or UTF-16 with a mark, UTF-8, GB18030."""
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "gb18030"):
        try:
            decoded = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in decoded:
            return decoded
    raise UnreadableSheetError(FileFailure.NOT_A_SPREADSHEET)


def _read_csv(decoded: str) -> Cells:
    sample = decoded[:_SAMPLE_LENGTH]
    delimiter = max(_DELIMITERS, key=sample.count)
    reader = csv.reader(StringIO(decoded, newline=""), delimiter=delimiter, strict=True)
    try:
        return [list(row[:MAX_COLUMNS]) for row, _ in zip(reader, range(MAX_ROWS + 1), strict=False)]
    except csv.Error as error:
        raise UnreadableSheetError(FileFailure.BROKEN_QUOTES, line=reader.line_num) from error
