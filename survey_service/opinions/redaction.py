"""Hide what points at a person in a text, before anybody near that person reads it.

Found are mobile and landline numbers, ID card numbers, bank cards, and names that follow words such as
“我叫”: in full-width and Chinese digits, spaced, hyphenated, mixed. A masked text is as long as the text
was, so that a place in one is a place in the other, also for what people mark by hand.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MASK = "＊"


class PersonalData(StrEnum):
    """What was found; `MARKED` is what a person marked by hand."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    ID_CARD = "id_card"
    BANK_CARD = "bank_card"
    NAME = "name"
    MARKED = "marked"


@dataclass(frozen=True)
class Finding:
    """Personal data at `start` to `end` (exclusive), in characters of the text."""

    kind: PersonalData
    start: int
    end: int


@dataclass(frozen=True)
class Redaction:
    """A masked text and what was hidden in it, from left to right, without overlaps."""

    text: str
    found: tuple[Finding, ...]


def redact(text: str) -> Redaction:
    """Return a text with its personal data masked."""
    found = [*_numbers(text), *_names(text)]
    if not found:
        return Redaction(text, ())
    found.sort(key=lambda finding: finding.start)
    return Redaction(mask(text, ((one.start, one.end) for one in found)), tuple(found))


def mask(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text of the same length with the given spans (start, exclusive end) hidden.

    What lies outside the text is nothing to hide.
    """
    characters = list(text)
    for start, end in spans:
        inside = range(max(0, start), min(end, len(characters)))
        characters[inside.start : max(inside.start, inside.stop)] = MASK * len(inside)
    return "".join(characters)


_CHINESE = "〇○零洞一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_CHINESE_VALUES = "0000" + "123456789" + "1" + "123456789"
_FULL_WIDTH = "０１２３４５６７８９"
_CIRCLED = "⓪①②③④⑤⑥⑦⑧⑨"
_X = "xXｘＸ×"
_VALUES = {
    **dict(zip(map(ord, _CHINESE), _CHINESE_VALUES, strict=True)),
    **{ord(digit): str(value) for row in (_FULL_WIDTH, _CIRCLED) for value, digit in enumerate(row)},
    **dict.fromkeys(map(ord, _X), "X"),
}
_WESTERN = f"0-9{_FULL_WIDTH}{_CIRCLED}"
_DIGIT = f"{_WESTERN}{_CHINESE}"
_INVISIBLE = "\u200b-\u200f\u2060\ufe0f\u20e3\ufeff"
_BETWEEN = rf"[ \t\xa0\u3000\-－—–‐‑―_~·・•*…()（）{_INVISIBLE}]"
# A point stands inside a phone number only between longer parts: 13.5 is an amount.
_GAP = rf"(?:{_BETWEEN}{{0,3}}|\.(?=[{_DIGIT}]{{3}}))"
_RUN = re.compile(rf"[{_DIGIT}](?:{_GAP}[{_DIGIT}]){{6,}}(?:{_BETWEEN}{{0,2}}[{_X}])?")
_ATOM = re.compile(rf"[{_WESTERN}]+|[{_CHINESE}]+|[{_X}]")

_MOBILE = re.compile(r"(?:(?:00)?86|0)?1[3-9]\d{9}")
_AREA_AND_NUMBER = re.compile(r"(?:(?:00)?86)?0(?:10|2\d|[3-9]\d{2})[2-8]\d{6,7}")
_LOCAL_NUMBER = re.compile(r"[2-8]\d{6,7}")
_ID_CARD = re.compile(r"[1-8]\d{5}(?:18|19|20)\d{9}[\dX]")
_OLD_ID_CARD = re.compile(r"[1-8]\d{14}")
_BANK_CARD = re.compile(r"[34569]\d{14,18}")
_BANK_ACCOUNT = re.compile(r"\d{12,21}")
_GLUED = re.compile(r"(?:1[3-9]\d{9}|[1-8]\d{5}(?:19|20)\d{9}[\dX])+")

_PHONE_WORDS = re.compile(r"电话|座机|手机|号码|联系|打给|拨打|固话|来电")
_ID_WORDS = re.compile(r"身份证|证号|证件")
_BANK_WORDS = re.compile(r"卡号|银行|账号|帐号|账户|帐户|存折|折子|信用社|农商|[农工建中]行|邮储|一卡通|打款")
_UNIT = re.compile(r"\s*(?:[元块万亿亩米斤吨度人户平㎡%％]|公里|公斤|千瓦|立方)")
_WORDS_BEFORE, _WORDS_AFTER = 12, 6
"""How far from a number a word stands that says what it is, in characters."""

_DATE = re.compile(r"(?:19|20)\d{2} (?:0?[1-9]|1[0-2]) (?:0?[1-9]|[12]\d|3[01])(?!\d)")
_YEARS = re.compile(r"(?:19|20)\d{2} (?:19|20)\d{2}(?!\d)")
_MOST_DIGITS = 21
"""No number of one kind is longer: a bank account of 21."""
_FEWEST_DIGITS = 7


@dataclass(frozen=True)
class _Atom:
    """Digits of one script that stand together."""

    digits: str
    start: int
    end: int


def _numbers(text: str) -> Iterator[Finding]:
    for run in _RUN.finditer(text):
        atoms = [
            _Atom(found[0].translate(_VALUES), found.start(), found.end())
            for found in _ATOM.finditer(text, run.start(), run.end())
        ]
        yield from _read_run(text, atoms)


def _read_run(text: str, atoms: Sequence[_Atom]) -> Iterator[Finding]:
    """Read the longest number that begins at each atom, from left to right."""
    at = 0
    while at < len(atoms):
        taken, finding = _dated(atoms, at) or _longest(text, atoms, at)
        if finding is not None:
            yield finding
        at += taken


def _dated(atoms: Sequence[_Atom], at: int) -> tuple[int, None] | None:
    """Return how many atoms are a date or a span of years, or None.

    Digits of two scripts that touch are one number: 1900一01〇000 is no day.
    """
    shape, end = "", atoms[at].start
    for atom in atoms[at : at + 4]:
        shape += " " * (atom.start > end) + atom.digits
        end = atom.end
    if _DATE.match(shape):
        return 3, None
    return (2, None) if _YEARS.match(shape) else None


def _longest(text: str, atoms: Sequence[_Atom], at: int) -> tuple[int, Finding | None]:
    """Return how many atoms are a number, and which; one atom where they are none."""
    start = atoms[at].start
    best: tuple[int, Finding | None] = (1, None)
    digits = ""
    for count, atom in enumerate(atoms[at:], 1):
        digits += atom.digits
        if len(digits) > _MOST_DIGITS and count > 1:
            break
        if len(digits) >= _FEWEST_DIGITS and (kind := _kind_of(digits, text, start, atom.end)) is not None:
            best = count, Finding(kind, start, atom.end)
    return best


def _kind_of(digits: str, text: str, start: int, end: int) -> PersonalData | None:
    if _MOBILE.fullmatch(digits) or (len(digits) > _MOST_DIGITS and _GLUED.fullmatch(digits)):
        return PersonalData.MOBILE
    words = text[max(0, start - _WORDS_BEFORE) : end + _WORDS_AFTER]
    if _is_id_card(digits, words):
        return PersonalData.ID_CARD
    if _is_bank_card(digits, words):
        return PersonalData.BANK_CARD
    is_landline = _is_landline(digits, words) and not _UNIT.match(text, end)
    return PersonalData.LANDLINE if is_landline else None


def _is_id_card(digits: str, words: str) -> bool:
    if _ID_CARD.fullmatch(digits) and _is_day(digits[6:14]):
        # With a wrong digit it still points at its owner, where the words say what it is.
        return has_id_checksum(digits) or _ID_WORDS.search(words) is not None
    return _OLD_ID_CARD.fullmatch(digits) is not None and _ID_WORDS.search(words) is not None


def _is_bank_card(digits: str, words: str) -> bool:
    if _BANK_CARD.fullmatch(digits) and has_luhn_checksum(digits):
        return True
    return _BANK_ACCOUNT.fullmatch(digits) is not None and _BANK_WORDS.search(words) is not None


def _is_landline(digits: str, words: str) -> bool:
    if _AREA_AND_NUMBER.fullmatch(digits):
        return True
    return _LOCAL_NUMBER.fullmatch(digits) is not None and _PHONE_WORDS.search(words) is not None


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
"""Weights and check characters of GB 11643-1999 (ISO 7064, MOD 11-2)."""


def has_id_checksum(digits: str) -> bool:
    """Tell whether 18 characters end like an ID card number."""
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=False))
    return digits[-1] == _ID_CHECKS[total % 11]


_DOUBLED = "0246813579"
"""The sum of the digits of twice a digit."""


def has_luhn_checksum(digits: str) -> bool:
    """Tell whether digits end like a card number (ISO/IEC 7812-1)."""
    doubled = sum(int(_DOUBLED[int(digit)]) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[::-2]))) % 10 == 0


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_HAN = "\u4e00-\u9fff"
_NAMED = re.compile(
    rf"(?:我叫|我名叫|本人叫|名字[叫是]|姓名[:：是]?\s*|本人姓名[:：]?\s*)"
    rf"([{_SURNAMES}][{_HAN}]{{1,2}}?)(?=[^{_HAN}]|是|家|住|今年|的|我|$)"
)


def _names(text: str) -> Iterator[Finding]:
    for found in _NAMED.finditer(text):
        yield Finding(PersonalData.NAME, *found.span(1))
