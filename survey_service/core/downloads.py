"""Files handed to a browser under a Chinese name."""

from collections.abc import Iterable, Iterator
from typing import IO, cast
from urllib.parse import quote
from zipfile import ZipFile

from flask import Response

PDF_TYPE = "application/pdf"
ZIP_TYPE = "application/zip"


def attachment(content: bytes | Iterable[bytes], *, content_type: str, filename: str) -> Response:
    """Return a file to be saved; the name is written as RFC 6266 asks."""
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
    return response


class _Outbox:
    """What an archive writes, until it is sent on."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._written.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """There is nothing behind it to flush."""

    def take(self) -> bytes:
        content, self._written = b"".join(self._written), []
        return content


def zipped(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a ZIP archive of files by name, holding one of them at a time; they are stored as they are."""
    outbox = _Outbox()
    with ZipFile(cast(IO[bytes], outbox), "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
            yield outbox.take()
    yield outbox.take()
