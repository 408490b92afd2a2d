"""Codes: what they are made of, which mistakes are found, and what is understood of what people type."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.entrances.codes import (
    ALPHABET,
    CODE_LENGTH,
    code_of_slot,
    grouped,
    normalize,
    random_code,
    read_symbols,
    symbols,
)

KEY = bytes(range(32))
CODE = "JWEHV1YJHGNT4"
PLACES = range(CODE_LENGTH)
NOT_ZERO = ALPHABET[1:]

codes = st.builds(code_of_slot, st.just(KEY), serial=st.integers(0, 2**64 - 1), issue=st.integers(0, 99))


def with_symbols(**at: str) -> str:
    """Return the code of zeros with other symbols at some places, such as `p3="K"`."""
    return "".join(at.get(f"p{place}", "0") for place in PLACES)


def added(one: str, other: str) -> str:
    """Return the sum of two codes as vectors over the field: symbol by symbol, without carry."""
    pairs = zip(one, other, strict=True)
    return "".join(ALPHABET[ALPHABET.index(a) ^ ALPHABET.index(b)] for a, b in pairs)


def is_valid(code: str) -> bool:
    return normalize(code) == code


def test_the_alphabet_leaves_out_what_looks_alike() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)


def test_a_printed_code_can_be_derived_again_by_every_later_version() -> None:
    assert code_of_slot(KEY, serial=386, issue=1) == CODE


def test_key_serial_and_issue_each_change_the_code() -> None:
    others = {
        code_of_slot(KEY[::-1], serial=386, issue=1),
        code_of_slot(KEY, serial=387, issue=1),
        code_of_slot(KEY, serial=386, issue=2),
        CODE,
    }
    assert len(others) == 4


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        code_of_slot(b"short", serial=1, issue=1)


def test_random_codes_are_valid_and_differ() -> None:
    drawn = {random_code() for _ in range(200)}
    assert len(drawn) == 200
    assert all(map(is_valid, drawn))


@given(codes)
def test_every_code_is_valid_in_itself_and_as_people_see_it(code: str) -> None:
    assert is_valid(code)
    assert normalize(grouped(code)) == code


# The three tests that follow prove that no single wrong symbol and no swap of two passes: sums of valid codes
# are valid, so a mistake passes exactly when the difference that it makes is valid, whatever the code was.


@given(codes, codes)
def test_the_sum_of_two_codes_is_a_code(one: str, other: str) -> None:
    assert is_valid(added(one, other))


def test_no_difference_in_one_symbol_is_valid() -> None:
    differences = [with_symbols(**{f"p{place}": symbol}) for place in PLACES for symbol in NOT_ZERO]
    assert len(differences) == 13 * 31
    assert not any(map(is_valid, differences))


def test_no_difference_that_a_swap_makes_is_valid() -> None:
    differences = [
        with_symbols(**{f"p{left}": symbol, f"p{right}": symbol})
        for left, right in combinations(PLACES, 2)
        for symbol in NOT_ZERO
    ]
    assert len(differences) == 78 * 31
    assert not any(map(is_valid, differences))


@given(codes, st.sampled_from(PLACES), st.sampled_from(ALPHABET))
def test_a_wrong_symbol_is_found(code: str, place: int, symbol: str) -> None:
    typed = code[:place] + symbol + code[place + 1 :]
    assert is_valid(typed) == (typed == code)


@pytest.mark.parametrize(
    "typed",
    [
        "jwehv1yjhgnt4",
        "JWEH-V1YJ-HGNT4",
        "  JWEH V1YJ HGNT4\n",
        "ＪＷＥＨ－ｖ１ｙｊ　ｈｇｎｔ４",
        "JWEH—V1YJ–HGNT4",
        "JWEH\N{MINUS SIGN}V1YJ\N{NON-BREAKING HYPHEN}HGNT4",
        "JWEH\N{ZERO WIDTH SPACE}V1YJ\N{NO-BREAK SPACE}HGNT4",
        "JWEHUIYJHGNT4",
        "jwehulyjhgnt4",
    ],
)
def test_what_people_type_is_understood(typed: str) -> None:
    assert normalize(typed) == CODE


@pytest.mark.parametrize(("typed", "read"), [("iIlL", "1111"), ("oO0", "000"), ("uUvV", "VVVV")])
def test_look_alikes_are_read_as_what_was_meant(typed: str, read: str) -> None:
    assert read_symbols(typed, len(read)) == read


@pytest.mark.parametrize(
    "typed",
    [
        "",
        CODE[:-1],
        CODE + "0",
        CODE[:-1] + "N",
        CODE[:-1] + "?",
        CODE[:-1] + "三",
        CODE[:-1] + "\ud800",
        CODE[:-1] + "\0",
        "JWEH/V1YJ/HGNT4",
        CODE + " " * 100,
        "K" * 1_000_000,
    ],
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert normalize(typed) is None


@given(st.text())
def test_any_text_is_either_a_code_or_none(typed: str) -> None:
    code = normalize(typed)
    assert code is None or is_valid(code)


def test_symbols_write_the_first_bits() -> None:
    assert symbols(b"\xff\xff", 3) == "ZZZ"
    assert symbols(bytes([0b00001_000, 0b10_00011_0]), 3) == "123"


def test_symbols_need_enough_bits() -> None:
    with pytest.raises(ValueError, match="do not fill"):
        symbols(b"\0" * 8, 13)
