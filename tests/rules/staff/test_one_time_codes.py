"""One-time codes: the vectors of RFC 6238, the window, and what an authenticator reads."""

from datetime import UTC, datetime, timedelta

import pytest

from survey_service.staff.one_time_codes import (
    SECRET_BYTES,
    code_of_step,
    enrolment_uri,
    manual_key,
    matching_step,
    new_secret,
    step_at,
)

RFC_SECRET = b"12345678901234567890"
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, eight_digits: str) -> None:
    step = step_at(datetime.fromtimestamp(seconds, UTC))
    assert code_of_step(RFC_SECRET, step) == eight_digits[-6:]


@pytest.mark.parametrize(
    ("seconds", "is_right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_be_half_a_minute_wrong(seconds: int, is_right: bool) -> None:
    code = code_of_step(RFC_SECRET, step_at(NOON + timedelta(seconds=seconds)))
    assert (matching_step(RFC_SECRET, code, now=NOON, after=0) is not None) is is_right


def test_no_step_serves_twice_and_none_before_it() -> None:
    step = step_at(NOON)
    for used in (step, step - 1):
        code = code_of_step(RFC_SECRET, used)
        assert matching_step(RFC_SECRET, code, now=NOON, after=step) is None


@pytest.mark.parametrize("nonsense", ["", "12345", "1234567", "ü" * 6, "一二三四五六"])
def test_nonsense_matches_nothing(nonsense: str) -> None:
    assert matching_step(RFC_SECRET, nonsense, now=NOON, after=0) is None


def test_what_a_phone_is_given() -> None:
    assert manual_key(RFC_SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    uri = enrolment_uri(RFC_SECRET, username="zhang.san", issuer="群众评议")
    assert uri.startswith("otpauth://totp/%E7%BE%A4%E4%BC%97%E8%AF%84%E8%AE%AE%3Azhang.san?secret=GEZDGNBV")
    assert len(new_secret()) == SECRET_BYTES
