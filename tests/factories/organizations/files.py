"""Spreadsheets as bytes, the good and the bad."""

import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter import Workbook

HEADINGS = ("code", "name", "parent_code", "kind")
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def csv_text(*rows: Sequence[object], headings: Sequence[str] = HEADINGS, delimiter: str = ",") -> str:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in (headings, *rows))


def csv_file(*rows: Sequence[object], headings: Sequence[str] = HEADINGS) -> bytes:
    return csv_text(*rows, headings=headings).encode()


def xlsx_file(rows: Sequence[Sequence[object]], *, merged_title: str = "") -> bytes:
    """Write cells as they are: numbers as numbers, which is how Excel spoils codes."""
    buffer = BytesIO()
    with Workbook(buffer) as workbook:
        sheet = workbook.add_worksheet()
        if merged_title:
            sheet.merge_range(0, 0, 0, 5, merged_title)
        for number, row in enumerate(rows, 1 if merged_title else 0):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def sparse_xlsx() -> bytes:
    """A few kilobytes whose two cells stand in opposite corners of the sheet."""
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData></worksheet>'
    return replace_parts(xlsx_file([HEADINGS]), {"xl/worksheets/sheet1.xml": sheet.encode()})


def replace_parts(xlsx: bytes, parts: Mapping[str, bytes]) -> bytes:
    """Return an archive in which some entries have other contents."""
    buffer = BytesIO()
    with ZipFile(BytesIO(xlsx)) as source, ZipFile(buffer, "w", ZIP_DEFLATED, compresslevel=1) as target:
        for name in source.namelist():
            target.writestr(name, parts.get(name, source.read(name)))
    return buffer.getvalue()


def zip_bomb() -> bytes:
    """A workbook of some hundred kilobytes that unpacks to 201 MB."""
    sheet = xlsx_file([HEADINGS])
    return replace_parts(sheet, {"xl/worksheets/sheet1.xml": b" " * 201 * 1024 * 1024})


def encrypted_xlsx() -> bytes:
    """The frame in which Excel wraps a workbook with a password: a compound file with two streams."""
    streams = ("EncryptionInfo", "EncryptedPackage")
    header = struct.pack("<8s16x5H6x9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
                         0, 1, 1, 0, 4096, _END, 0, _END, 0)  # fmt: skip
    sectors = struct.pack("<109I", 0, *[_FREE] * 108) + struct.pack("<128I", _FAT, _END, *[_FREE] * 126)
    directory = _entry("Root Entry", 5, child=1) + _entry(streams[0], 2, right=2) + _entry(streams[1], 2)
    return header + sectors + directory.ljust(512, b"\0")


def _entry(name: str, kind: int, *, child: int = _FREE, right: int = _FREE) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return struct.pack("<64sHBBIII36xIQ", encoded, len(encoded), kind, 1, _FREE, right, child, _END, 0)


def ods_file(rows: Sequence[Sequence[str]]) -> bytes:
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    namespace = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{namespace}:office:1.0" xmlns:table="{namespace}:table:1.0" '
        f'xmlns:text="{namespace}:text:1.0"><office:body><office:spreadsheet><table:table table:name="A">'
        f"{cells}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        archive.writestr("META-INF/manifest.xml", manifest)
    return buffer.getvalue()
