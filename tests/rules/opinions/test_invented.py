"""The invented opinions are many, realistic in their noise, and hold nobody's data once redacted."""

import random
import re
from collections import Counter

from survey_service.demonstration.opinion_texts import write_texts
from survey_service.demonstration.opinions import OPINIONS
from survey_service.opinions.flags import Flag, raised_flags
from survey_service.opinions.grouping import find_groups
from survey_service.opinions.redaction import MASK, redact
from survey_service.opinions.rules import Category, is_meaningful

TEXTS = [one.text for one in write_texts(random.Random(1), OPINIONS)]


def test_there_are_enough_of_every_kind() -> None:
    assert len(TEXTS) >= 300
    kinds = Counter(one.category for one in write_texts(random.Random(1), OPINIONS))
    assert set(kinds) == set(Category)
    assert all(map(is_meaningful, TEXTS))


def test_every_phone_number_in_them_is_hidden() -> None:
    redacted = [redact(text).text for text in TEXTS]
    assert sum(MASK in text for text in redacted) >= 20
    written = re.compile(r"[1１一幺][3578３５７８三五七八][\d０-９零一二三四五六七八九 -]{8,}")
    assert [text for text in redacted if written.search(text)] == []


def test_they_repeat_themselves_and_speak_of_danger() -> None:
    groups = find_groups(enumerate(TEXTS))
    assert sum(len(group.members) for group in groups) >= 30
    assert sum(Flag.SAFETY in raised_flags(text) for text in TEXTS) >= 10
