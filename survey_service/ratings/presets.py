"""The schemes that come with the program: the five published systems, each in a file of its own."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from survey_service.ratings.documents import read_document

PRESETS = (
    "raoping-centre-star",
    "shuocheng-secretary-star",
    "feicheng-branch-star",
    "township-classification",
    "fuzhou-standard",
)


def preset_text(code: str) -> str:
    """Return the file of a preset as it is written."""
    return files("survey_service.ratings").joinpath("schemes", f"{code}.yaml").read_text("utf-8")


@cache
def presets() -> Mapping[str, dict[str, Any]]:
    """Return the documents of all presets by code."""
    return {code: read_document(preset_text(code)) for code in PRESETS}
