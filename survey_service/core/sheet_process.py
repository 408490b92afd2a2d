"""Read one spreadsheet in a process of its own: bytes on standard input, JSON on standard output.

The decoder keeps a sheet as one dense block, so a five-kilobyte file with a cell in the last corner asks
for half a terabyte, and the failed allocation aborts the process. Here that process is not the web server,
and its memory and time are bounded. It is started by path and imports nothing of this package.
"""

import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from io import BytesIO
from tempfile import NamedTemporaryFile

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

_MEMORY_BYTES = 512 * 1024 * 1024
_CPU_SECONDS = 20
_Plain = str | int | float | bool
_Cell = _Plain | date | datetime | time | timedelta


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _plain(cell: _Cell) -> _Plain:
    return cell if isinstance(cell, _Plain) else f"{cell}T00:00"


def _read(content: bytes, most_rows: int, most_columns: int) -> list[list[_Plain]]:
    """Return the first rows of the first visible sheet that has any, counted from the sheet's own row 1."""
    with CalamineWorkbook.from_filelike(BytesIO(content)) as workbook:
        for index, sheet in enumerate(workbook.sheets_metadata):
            if sheet.visible is not SheetVisibleEnum.Visible or sheet.typ is not SheetTypeEnum.WorkSheet:
                continue
            rows = workbook.get_sheet_by_index(index).to_python(skip_empty_area=False, nrows=most_rows)
            if any(cell != "" for row in rows for cell in row):
                return [[_plain(cell) for cell in row[:most_columns]] for row in rows]
    return []


def _is_password_protected(content: bytes) -> bool:
    """Tell it from the suffix of a file: the decoder's own guess of the format hides the reason."""
    for suffix in (".xlsx", ".xls", ".ods"):
        with NamedTemporaryFile(suffix=suffix) as file:
            file.write(content)
            file.flush()
            try:
                CalamineWorkbook.from_path(file.name).close()
            except PasswordError:
                return True
            except CalamineError:
                continue
    return False


def _answer(content: bytes, most_rows: int, most_columns: int) -> dict[str, object]:
    try:
        return {"rows": _read(content, most_rows, most_columns)}
    except CalamineError:
        return {"failure": "password_protected" if _is_password_protected(content) else "not_a_spreadsheet"}


def _main() -> None:
    _limit_resources()
    most_rows, most_columns = (int(argument) for argument in sys.argv[1:])
    json.dump(_answer(sys.stdin.buffer.read(), most_rows, most_columns), sys.stdout)


if __name__ == "__main__":
    _main()
