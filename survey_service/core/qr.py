"""QR codes as SVG and PNG: black on white, crisp at every size, with the quiet zone that scanners ask for."""

import io
from base64 import b64encode
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import groupby

import png as pypng
from qrcode import constants
from qrcode.main import QRCode

QUIET_ZONE = 4
"""Modules of white on each side (ISO/IEC 18004)."""

BULK_MASK = 2
"""One mask for all codes of a batch: the search for the best of eight is four fifths of the work."""

_PIXELS_PER_MODULE = 8

Rows = Sequence[Sequence[bool]]


class ErrorCorrection(Enum):
    """How much of a code may be lost and still be read: about 15, 25 or 30 per cent."""

    MEDIUM = constants.ERROR_CORRECT_M
    QUARTILE = constants.ERROR_CORRECT_Q
    HIGH = constants.ERROR_CORRECT_H


def svg(url: str, *, level: ErrorCorrection = ErrorCorrection.MEDIUM) -> bytes:
    """Draw the URL as one filled path, quiet zone included."""
    return drawn(modules(url, level=level)).encode()


def data_url(url: str) -> str:
    """Draw the URL as an image that stands in its page: what it holds is for nobody else to fetch."""
    return f"data:image/svg+xml;base64,{b64encode(svg(url)).decode()}"


def png(url: str, *, scale: int, level: ErrorCorrection = ErrorCorrection.MEDIUM) -> bytes:
    """Draw the URL with `scale` pixels a module as a PNG of one bit a pixel, quiet zone included."""
    rows = modules(url, level=level)
    pixels = [[not dark for dark in row for _ in range(scale)] for row in rows for _ in range(scale)]
    image = io.BytesIO()
    pypng.Writer(len(pixels), len(pixels), greyscale=True, bitdepth=1).write(image, pixels)
    return image.getvalue()


def modules(url: str, *, level: ErrorCorrection, mask: int | None = None) -> Rows:
    """Return the square of modules, True for dark, quiet zone included.

    `mask` is one of 0 … 7; without it the one with the fewest disturbing patterns is sought.
    """
    code = QRCode(error_correction=level.value, border=QUIET_ZONE, mask_pattern=mask)
    code.add_data(url, optimize=0)
    rows: Rows = code.get_matrix()
    return rows


def drawn(rows: Rows) -> str:
    """Return modules as SVG, one unit wide each; a single path leaves no hairlines between its rows."""
    side = len(rows)
    pixels = side * _PIXELS_PER_MODULE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{pixels}" height="{pixels}" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{"".join(_dark_runs(rows))}"/></svg>'
    )


def _dark_runs(rows: Rows) -> Iterator[str]:
    """Yield three sides of a rectangle for each horizontal run of dark modules; filling closes it."""
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            width = len(list(run))
            if dark:
                yield f"M{x} {y}h{width}v1h-{width}"
            x += width
