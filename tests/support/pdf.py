"""Read a PDF as a person with a phone would: its words, and the codes on its pages."""

import re
import subprocess
from collections.abc import Iterator

import zxingcpp


def piped(pdf: bytes, *command: str) -> bytes:
    """Return what a command makes of a PDF."""
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout


def words_of(pdf: bytes) -> str:
    """Return the text of all pages without any spaces."""
    return "".join(piped(pdf, "pdftotext", "-raw", "-", "-").decode().split())


def widest_point(pdf: bytes) -> float:
    """Return how far to the right any word reaches, as a share of its page's width."""
    layout = piped(pdf, "pdftotext", "-bbox", "-", "-").decode()
    width = float(re.findall(r'<page width="([\d.]+)"', layout)[0])
    return max(map(float, re.findall(r'xMax="([\d.]+)"', layout))) / width


def edges_of(pdf: bytes, word: str) -> tuple[float, float]:
    """Return where a word begins and ends, in points from the left."""
    layout = piped(pdf, "pdftotext", "-bbox", "-", "-").decode()
    (found,) = re.findall(rf'xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="[\d.]+">{word}<', layout)
    return float(found[0]), float(found[1])


def pages_of(pdf: bytes, dpi: int) -> Iterator[memoryview]:
    """Yield each page as rows of grey pixels."""
    pixels = piped(pdf, "pdftoppm", "-gray", "-r", str(dpi), "-")
    while pixels:
        _, size, _, pixels = pixels.split(b"\n", 3)
        width, height = map(int, size.split())
        yield memoryview(pixels[: width * height]).cast("B", shape=[height, width])
        pixels = pixels[width * height :]


def codes_on(pdf: bytes, dpi: int) -> list[set[str]]:
    """Return what a phone reads on each page."""
    return [{code.text for code in zxingcpp.read_barcodes(page)} for page in pages_of(pdf, dpi)]
