"""What is hidden from a text, and what is not: by a table of cases, and for texts that nobody thought of."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.opinions.flags import WORDS, Flag, flagging_words, raised_flags
from survey_service.opinions.redaction import (
    MASK,
    PersonalData,
    has_id_checksum,
    has_luhn_checksum,
    mask,
    redact,
)

MOBILE, LANDLINE, ID_CARD, BANK_CARD, NAME = list(PersonalData)[:5]

HIDDEN = [
    ("请打13812345678找我", MOBILE, "13812345678"),
    ("１３８１２３４５６７８", MOBILE, "１３８１２３４５６７８"),
    ("138 1234 5678", MOBILE, "138 1234 5678"),
    ("138-1234-5678。", MOBILE, "138-1234-5678"),
    ("138—1234—5678", MOBILE, "138—1234—5678"),
    ("138.1234.5678", MOBILE, "138.1234.5678"),
    ("1 3 8 1 2 3 4 5 6 7 8", MOBILE, "1 3 8 1 2 3 4 5 6 7 8"),
    ("138\u200b1234\u200b5678", MOBILE, "138\u200b1234\u200b5678"),
    ("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8", MOBILE, "1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8"),
    ("①③⑧①②③④⑤⑥⑦⑧", MOBILE, "①③⑧①②③④⑤⑥⑦⑧"),
    ("电话一三八一二三四五六七八", MOBILE, "一三八一二三四五六七八"),
    ("幺三八幺二三四五六七八", MOBILE, "幺三八幺二三四五六七八"),
    ("壹叁捌壹贰叁肆伍陆柒捌", MOBILE, "壹叁捌壹贰叁肆伍陆柒捌"),
    ("一3八1二３四5六7八", MOBILE, "一3八1二３四5六7八"),
    ("一三八 一二三四 五六七八", MOBILE, "一三八 一二三四 五六七八"),
    ("+8613812345678", MOBILE, "8613812345678"),
    ("013812345678", MOBILE, "013812345678"),
    ("1900一01〇000", MOBILE, "1900一01〇000"),
    ("1381234567813987654321", MOBILE, "1381234567813987654321"),
    ("2024-01-15 13812345678", MOBILE, "13812345678"),
    ("座机0595-87654321", LANDLINE, "0595-87654321"),
    ("(010)87654321", LANDLINE, "010)87654321"),
    ("家里电话87654321", LANDLINE, "87654321"),
    ("8765 4321是我家座机", LANDLINE, "8765 4321"),
    ("11010519491231002X", ID_CARD, "11010519491231002X"),
    ("11010519491231002x", ID_CARD, "11010519491231002x"),
    ("１１０１０５１９４９１２３１００２Ｘ", ID_CARD, "１１０１０５１９４９１２３１００２Ｘ"),
    ("110105 19491231 002 X", ID_CARD, "110105 19491231 002 X"),
    ("一一〇一〇五一九四九一二三一〇〇二x", ID_CARD, "一一〇一〇五一九四九一二三一〇〇二x"),
    ("身份证110105194912310021", ID_CARD, "110105194912310021"),
    ("身份证号110105491231002", ID_CARD, "110105491231002"),
    ("4111 1111 1111 1111", BANK_CARD, "4111 1111 1111 1111"),
    ("４１１１１１１１１１１１１１１１", BANK_CARD, "４１１１１１１１１１１１１１１１"),
    ("农商银行卡号6222021234567890123", BANK_CARD, "6222021234567890123"),
    ("我叫王建国，住在三组", NAME, "王建国"),
    ("姓名：李梅 三组", NAME, "李梅"),
]

SHOWN = [
    "修路花了13800000元，欠工钱3200000元",
    "投资87654321元",
    "2024-01-15到2024-11-30",
    "2023.12.01-2024.11.30",
    "2019-2024 137户",
    "1998-10-12 180元",
    "1985.12.13 1986",
    "面积1320.5 850 1200",
    "13.5 20.8 100.66 12.5",
    "二〇二四年三月一日",
    "一一对应，三三两两，九九八十一",
    "1、2、3、4、5、6、7、8、9、10、11",
    "电话费涨了1200元",
    "12345打不通，110、119都来过",
    "拨款3200000元",
    "110105194912310021",
    "6222021234567890124",
    "户号1350012345678",
    "三组12号2单元501",
    "我叫他来，他不来；我叫人修路",
    "",
    "😀😀",
]


@pytest.mark.parametrize(("text", "kind", "hidden"), HIDDEN)
def test_personal_data_are_hidden(text: str, kind: PersonalData, hidden: str) -> None:
    redaction = redact(text)
    assert [one.kind for one in redaction.found] == [kind]
    assert redaction.text == text.replace(hidden, MASK * len(hidden))


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_nobodys_stays(text: str) -> None:
    assert redact(text).text == text


def test_several_findings_stand_in_order() -> None:
    redaction = redact("我叫王建国，电话13812345678、13987654321，卡4111111111111111")
    assert [one.kind for one in redaction.found] == [NAME, MOBILE, MOBILE, BANK_CARD]
    assert redaction.text.count(MASK) == 3 + 11 + 11 + 16


_SCRIPTS = ["0123456789", "０１２３４５６７８９", "〇一二三四五六七八九", "零幺贰叁肆伍陆柒捌玖"]
_GAPS = ["", "", "", " ", "-", "－", "\u3000", "\u200b"]
_AROUND = st.text(st.sampled_from("我家路灯坏了，请，。！ab\n"), max_size=12)
_MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@st.composite
def _written(draw: st.DrawFn, digits: str) -> str:
    # Parted like a day, 1990-5-20-1234 is read as one.
    gaps = _GAPS[:3] if digits.startswith("19") else _GAPS
    parts = [draw(st.sampled_from(_SCRIPTS))[int(digit)] + draw(st.sampled_from(gaps)) for digit in digits]
    return "".join(parts).strip("".join(_GAPS))


@given(st.data(), _MOBILES, _AROUND, _AROUND)
def test_a_mobile_number_is_found_however_it_is_written(
    data: st.DataObject, digits: str, before: str, after: str
) -> None:
    written = data.draw(_written(digits))
    redaction = redact(before + written + after)
    assert redaction.text == before + MASK * len(written) + after


@given(st.from_regex(r"[1-6][0-9]{5}19[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}", fullmatch=True))
def test_exactly_one_check_character_makes_an_id_card(digits: str) -> None:
    right = [character for character in "0123456789X" if has_id_checksum(digits + character)]
    assert len(right) == 1
    found = redact(f"证{digits}{right[0].lower()}。").found
    assert [(one.kind, one.start, one.end) for one in found] == [(ID_CARD, 1, 19)]


@given(st.from_regex(r"62[0-9]{13,16}", fullmatch=True))
def test_exactly_one_check_digit_makes_a_bank_card(digits: str) -> None:
    assert sum(has_luhn_checksum(digits + character) for character in "0123456789") == 1


@given(st.text(max_size=200))
def test_a_redaction_has_the_places_of_its_text(text: str) -> None:
    redaction = redact(text)
    assert len(redaction.text) == len(text)
    assert redaction.text == mask(text, ((one.start, one.end) for one in redaction.found))
    assert all(one.end <= other.start for one, other in pairwise(redaction.found))
    assert all(0 <= one.start < one.end for one in redaction.found)


@given(st.text(st.sampled_from("138〇一二三 -１３８电话x"), max_size=60))
def test_what_was_redacted_needs_no_second_look(text: str) -> None:
    once = redact(text).text
    assert not [one for one in redact(once).found if MASK in once[one.start : one.end]]


@pytest.mark.parametrize(
    ("spans", "masked"),
    [
        ([(1, 3)], "甲＊＊丁"),
        ([(-5, 1), (3, 99)], "＊乙丙＊"),
        ([(2, 2), (9, 12), (3, 1)], "甲乙丙丁"),
        ([], "甲乙丙丁"),
    ],
)
def test_people_mark_by_hand(spans: list[tuple[int, int]], masked: str) -> None:
    assert mask("甲乙丙丁", spans) == masked


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("我家是危房", {Flag.SAFETY}),
        ("再不管我就不想活了", {Flag.THREAT}),
        ("支书贪污修路款，路边山 洪冲了", {Flag.SENSITIVE, Flag.SAFETY}),
        ("路灯坏了", set()),
    ],
)
def test_words_raise_flags(text: str, flags: set[Flag]) -> None:
    assert raised_flags(text) == flags
    assert all(flagging_words(text, flag) for flag in flags)


@pytest.mark.parametrize("flag", list(Flag))
def test_each_list_has_words_of_two_characters_and_more_once(flag: Flag) -> None:
    assert len(set(WORDS[flag])) == len(WORDS[flag]) > 0
    assert all(len(word) >= 2 for word in WORDS[flag])
