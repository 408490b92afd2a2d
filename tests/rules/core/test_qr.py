"""QR codes: another program reads from them what was put in."""

import re

import png as pypng
import pytest
import zxingcpp

from survey_service.core.qr import BULK_MASK, QUIET_ZONE, ErrorCorrection, drawn, modules, png, svg

URL = "https://pingyi.example.gov.cn/s/7K2M9QXW3T5NA"
RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-\3(?=M|\")")
PIXELS_PER_MODULE = 4

Pixels = list[bytes]


def pixels_of_png(image: bytes) -> Pixels:
    _, _, rows, info = pypng.Reader(bytes=image).asDirect()
    assert (info["greyscale"], info["bitdepth"]) == (True, 1)
    return [bytes(255 * bit for bit in row) for row in rows]


def pixels_of_svg(image: bytes) -> Pixels:
    """Paint the runs of our own SVG on white."""
    document = image.decode()
    side = int(re.findall(r'viewBox="0 0 (\d+) \1"', document)[0])
    light = [[True] * side for _ in range(side)]
    for x, y, width in (map(int, run) for run in RUN.findall(document)):
        light[y][x : x + width] = [False] * width
    return [bytes(255 * one for one in row for _ in range(4)) for row in light for _ in range(4)]


def read(pixels: Pixels) -> zxingcpp.Barcode:
    picture = memoryview(b"".join(pixels)).cast("B", shape=[len(pixels), len(pixels[0])])
    [code] = zxingcpp.read_barcodes(picture)
    return code


@pytest.mark.parametrize("url", [URL, "http://192.168.1.5:8000/s/7K2M9QXW3T5NA", URL + "?from=" + "a" * 300])
def test_svg_and_png_are_read(url: str) -> None:
    assert read(pixels_of_svg(svg(url))).text == url
    assert read(pixels_of_png(png(url, scale=PIXELS_PER_MODULE))).text == url


@pytest.mark.parametrize(("level", "letter"), list(zip(ErrorCorrection, "MQH", strict=True)))
def test_the_level_is_in_the_code(level: ErrorCorrection, letter: str) -> None:
    assert read(pixels_of_svg(svg(URL, level=level))).ec_level == letter


def test_medium_is_the_least() -> None:
    assert read(pixels_of_svg(svg(URL))).ec_level == "M"
    assert read(pixels_of_png(png(URL, scale=PIXELS_PER_MODULE))).ec_level == "M"


def test_codes_with_the_bulk_mask_are_read() -> None:
    rows = modules(URL, level=ErrorCorrection.MEDIUM, mask=BULK_MASK)
    assert read(pixels_of_svg(drawn(rows).encode())).text == URL


def test_svg_and_png_show_the_same_modules() -> None:
    assert pixels_of_svg(svg(URL)) == pixels_of_png(png(URL, scale=PIXELS_PER_MODULE))


def test_a_white_quiet_zone_is_around() -> None:
    margin = QUIET_ZONE * PIXELS_PER_MODULE
    rows = pixels_of_png(png(URL, scale=PIXELS_PER_MODULE))
    columns = list(map(bytes, zip(*rows, strict=True)))
    for side in (rows, columns):
        assert set(b"".join(side[:margin] + side[-margin:])) == {255}
        assert 0 in side[margin]


def test_the_svg_has_no_more_than_two_paths() -> None:
    document = svg(URL)
    assert document.count(b"<path") == 2
    assert len(document) < 5_000
