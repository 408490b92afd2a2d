"""Files handed to a browser under a Chinese name."""

from urllib.parse import quote

from flask import Response

PDF_TYPE = "application/pdf"


def attachment(content: bytes, *, content_type: str, filename: str) -> Response:
    """Return a file to be saved; the name is written as RFC 6266 asks."""
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
    return response
