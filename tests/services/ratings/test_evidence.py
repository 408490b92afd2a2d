"""What a file is, its bytes decide."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from survey_service.ratings.evidence import is_link, recognize_evidence


def archive(*names: str) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"MZ\x90\x00",
        b"GIF89a",
        b"PK\x03\x04 no archive",
        archive("evil.exe"),
        archive("word/document.xml", "word/vbaProject.bin"),
        archive("xl/workbook.xml", "xl/vbaProject.bin"),
    ],
)
def test_pages_programs_and_macros_are_no_evidence(content: bytes) -> None:
    assert recognize_evidence(content) is None


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"%PDF-1.7", "pdf"),
        (archive("word/document.xml"), "wordprocessingml.document"),
        (archive("xl/workbook.xml"), "spreadsheetml.sheet"),
    ],
)
def test_photos_and_documents_are(content: bytes, ending: str) -> None:
    assert (recognize_evidence(content) or "").endswith(ending)


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://village.example/notice?page=2", True),
        ("http://village.example", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//village.example", False),
        ("https://a b", False),
        ("https://a\u0000b", False),
    ],
)
def test_links_lead_to_pages(url: str, is_one: bool) -> None:
    assert is_link(url) is is_one
