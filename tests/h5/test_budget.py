"""A voter's page is light enough for a weak network in the hills."""

import gzip
import json

from tests.h5.pages import STATIC, BallotPage, ballot

LARGEST_STATIC_BYTES = 20_000
LARGEST_PAGE_BYTES = 30_000


def compressed_size(name: str) -> int:
    manifest = json.loads((STATIC / "manifest.json").read_text("utf-8"))
    return len(gzip.compress((STATIC / manifest[name]).read_bytes()))


def static_size() -> int:
    return compressed_size("voter.css") + compressed_size("voter.js")


def test_styles_and_scripts_fit() -> None:
    assert static_size() <= LARGEST_STATIC_BYTES


def test_the_whole_page_fits() -> None:
    assert static_size() + len(gzip.compress(ballot(BallotPage()).encode())) <= LARGEST_PAGE_BYTES


def test_every_file_is_there_compressed_too() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_text("utf-8"))
    assert set(manifest) >= {"voter.css", "voter.js", "staff.css", "staff.js", "rapidoc-min.js"}
    for name in manifest.values():
        assert gzip.decompress((STATIC / f"{name}.gz").read_bytes()) == (STATIC / name).read_bytes()
