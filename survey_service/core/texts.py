"""The catalogue of user-facing sentences: `text("voter.submit")` reads `submit` in `voter.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGE = "zh_Hans"


@cache
def _catalogue(topic: str) -> Mapping[str, str]:
    return tomllib.loads(files("survey_service.texts").joinpath(LANGUAGE, f"{topic}.toml").read_text("utf-8"))


def has_text(key: str) -> bool:
    """Tell whether the catalogue has a sentence."""
    topic, name = key.split(".", 1)
    return name in _catalogue(topic)


def text(key: str, **values: object) -> str:
    """Return the sentence `topic.name` with its placeholders filled.

    Raises KeyError when the catalogue lacks the sentence, so that a missing one is found by the first test.
    """
    topic, name = key.split(".", 1)
    sentence = _catalogue(topic)[name]
    return sentence.format(**values) if values else sentence
