"""Invent what villagers write: templates with the noise of real letters."""

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from survey_service.opinions.rules import Category, Topic

_DIALECT = {"没有": "无", "不知道": "唔知", "他们": "伊人", "老人": "老大人", "晚上": "暝昏", "小孩": "奴囝"}
"""Words of the Chaozhou dialect, as they are written by people who write as they speak."""
_TYPOS = {"的": "得", "修": "休", "再": "在", "垃圾": "拉圾", "补偿": "补尝", "申请": "伸请", "堵": "睹"}
_SURNAMES, _NAMES = "陈林黄张李郑王吴刘蔡", ("建国", "秀英", "志强", "阿妹", "锡明", "惠卿", "木生", "丽君")
_NOISE_SHARE, _PHONE_SHARE = 0.25, 0.12
_CHINESE_DIGITS = "零一二三四五六七八九"
_FULL_WIDTH_DIGITS = "０１２３４５６７８９"


@dataclass(frozen=True)
class Written:
    """A text, what it is, and which sentence it was made from."""

    text: str
    category: Category
    topic: Topic | None
    theme: int


def read_words() -> Mapping[str, Any]:
    """Return the templates and what is filled in."""
    file = files("survey_service.demonstration").joinpath("opinion_texts.toml")
    return tomllib.loads(file.read_text("utf-8"))


def write_texts(rng: random.Random, number: int) -> Iterator[Written]:
    """Yield so many texts; a few themes come again and again, as they do."""
    words = read_words()
    themes = words["themes"]
    weights = [1 / (place + 2) for place in range(len(themes))]
    for _ in range(number):
        chosen = rng.choices(range(len(themes)), weights)[0]
        theme = themes[chosen]
        text = _noisy(rng, _fill(rng, words, rng.choice(theme["texts"])))
        yield Written(text, Category(theme["category"]), Topic(theme["topic"]), chosen)


def _fill(rng: random.Random, words: Mapping[str, Any], template: str) -> str:
    said: str = rng.choice(words["starts"]) + template + rng.choice(["，", "。", "，", " ", "！"])
    said += rng.choice(words["ends"])
    if rng.random() < _PHONE_SHARE:
        said += rng.choice(words["phones"])
    return said.format(
        place=rng.choice(words["places"]),
        who=rng.choice(words["people"]),
        time=rng.choice(words["times"]),
        number=rng.randint(2, 9),
        phone=_phone(rng),
        name=rng.choice(_SURNAMES) + rng.choice(_NAMES),
    )


def _phone(rng: random.Random) -> str:
    """Invent a mobile number, in one of the ways in which people write them; 1 000 … is nobody's."""
    digits = f"1{rng.choice('3578')}{rng.randint(0, 9)}0000{rng.randint(0, 9999):04}"
    shapes: Sequence[str] = (
        digits,
        digits,
        f"{digits[:3]} {digits[3:7]} {digits[7:]}",
        f"{digits[:3]}-{digits[3:7]}-{digits[7:]}",
        digits.translate(str.maketrans("0123456789", _FULL_WIDTH_DIGITS)),
        digits.translate(str.maketrans("0123456789", _CHINESE_DIGITS)),
    )
    return rng.choice(shapes)


def _noisy(rng: random.Random, text: str) -> str:
    for found, written in (*_DIALECT.items(), *_TYPOS.items()):
        if found in text and rng.random() < _NOISE_SHARE:
            text = text.replace(found, written, 1)
    if rng.random() < _NOISE_SHARE:
        # Numbers stay whole: nobody cries out in the middle of his own.
        place = rng.randrange(len(text) // 2)
        text = text[:place] + rng.choice(["，", "！！", "", "…", " ", "啊", "😡"]) + text[place:]
    return text
