"""What WeChat asks for, and what a state proves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.wechat.rules import (
    ERRORS,
    LONGEST_STATE,
    STATE_LIFE,
    Provider,
    Reaction,
    State,
    authorize_url,
    issue_state,
    known_error,
    page_signature,
    provider_of_browser,
    read_lease,
    read_state,
    read_verification_files,
    read_visitor,
)

KEY, BROWSER, NOW = b"k" * 32, b"b" * 32, datetime(2026, 11, 21, 1, tzinfo=UTC)
STATE = State(NOW, "/s/7K2M9QXW3T5NA")


def test_the_signature_of_a_page_is_that_of_the_test_vector() -> None:
    signature = page_signature(
        ticket="sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
        nonce="Wm3WZYTPz0wzccnW",
        timestamp=1414587457,
        url="http://mp.weixin.qq.com?params=value",
    )
    assert signature == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_the_authorize_address_keeps_wechats_order() -> None:
    url = authorize_url(
        open_base="https://open.weixin.qq.com",
        app_id="wx1",
        redirect_uri="https://ping.example/wechat/callback",
        state="ab12",
    )
    assert url == (
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1"
        "&redirect_uri=https%3A%2F%2Fping.example%2Fwechat%2Fcallback"
        "&response_type=code&scope=snsapi_base&state=ab12#wechat_redirect"
    )


@pytest.mark.parametrize("is_second_try", [False, True])
def test_a_state_comes_back_as_it_went(is_second_try: bool) -> None:
    state = State(NOW, STATE.target, is_second_try)
    written = issue_state(KEY, state, browser=BROWSER)
    assert read_state(KEY, written, browser=BROWSER, now=NOW) == state


def test_wechat_takes_every_state() -> None:
    written = issue_state(KEY, STATE, browser=BROWSER)
    assert written.isascii()
    assert written.isalnum()
    assert len(written) <= LONGEST_STATE
    with pytest.raises(ValueError, match="too long"):
        issue_state(KEY, State(NOW, "/" + "x" * 60), browser=BROWSER)


def test_a_state_lives_for_five_minutes() -> None:
    written = issue_state(KEY, STATE, browser=BROWSER)
    late = NOW + STATE_LIFE + timedelta(seconds=1)
    assert read_state(KEY, written, browser=BROWSER, now=NOW + STATE_LIFE) is not None
    assert read_state(KEY, written, browser=BROWSER, now=late) is None
    assert read_state(KEY, written, browser=BROWSER, now=NOW - timedelta(minutes=2)) is None


def test_a_state_of_another_browser_or_installation_is_none() -> None:
    written = issue_state(KEY, STATE, browser=BROWSER)
    assert read_state(KEY, written, browser=b"c" * 32, now=NOW) is None
    assert read_state(b"l" * 32, written, browser=BROWSER, now=NOW) is None


@given(st.text(max_size=200))
def test_nonsense_is_no_state(written: str) -> None:
    assert read_state(KEY, written, browser=BROWSER, now=NOW) is None


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_byte_of_a_state_can_be_changed(place: int, change: int) -> None:
    raw = bytearray.fromhex(issue_state(KEY, STATE, browser=BROWSER))
    raw[place % len(raw)] ^= change
    assert read_state(KEY, raw.hex(), browser=BROWSER, now=NOW) is None


def test_every_error_of_the_domain_has_its_reaction() -> None:
    expected = {
        Reaction.RESTART: {40029, 42003, 40163},
        Reaction.REFRESH: {40001, 40014, 42001},
        Reaction.ALARM: {40013, 40125, 40164, 40243, 60020, 40037, 41030, 47003},
        Reaction.BACK_OFF: {45009, 45011},
        Reaction.RETRY: {-1},
        Reaction.DECLINED: {43101},
        Reaction.FAIL: {40003},
    }
    for reaction, codes in expected.items():
        assert {known_error(code, has_token=True).reaction for code in codes} == {reaction}
    assert set(ERRORS) == set().union(*expected.values())
    assert known_error(99999, has_token=True).reaction is Reaction.FAIL


def test_where_no_token_was_sent_there_is_none_to_renew() -> None:
    assert known_error(40001, has_token=False).reaction is Reaction.ALARM


@pytest.mark.parametrize(("answer", "is_virtual"), [({}, False), ({"is_snapshotuser": 1}, True)])
def test_a_visitor_is_read(answer: dict[str, object], is_virtual: bool) -> None:
    visitor = read_visitor({"openid": "o1", **answer})
    assert (visitor.openid, visitor.is_virtual) == ("o1", is_virtual)


@pytest.mark.parametrize("answer", [{}, {"openid": ""}, {"openid": None}, {"openid": 5}, {"openid": ["o"]}])
def test_an_answer_without_a_visitor_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="openid"):
        read_visitor(answer)


@pytest.mark.parametrize("answer", [{}, {"access_token": "t"}, {"access_token": "t", "expires_in": "7200"}])
def test_an_answer_without_a_token_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="access_token"):
        read_lease(answer, "access_token")


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Mozilla/5.0 MicroMessenger/8.0.47", Provider.WECHAT),
        ("Mozilla/5.0 wxwork/4.1.0 MicroMessenger/7.0.1", Provider.WECOM),
        ("Mozilla/5.0 Chrome/116", None),
        ("", None),
    ],
)
def test_a_providers_browser_is_told_by_its_name(user_agent: str, expected: Provider | None) -> None:
    assert provider_of_browser(user_agent) is expected


def test_verification_files_hold_what_their_names_say() -> None:
    files = read_verification_files("MP_verify_aB3.txt, WW_verify_x9.txt,")
    assert files == {"MP_verify_aB3.txt": "aB3", "WW_verify_x9.txt": "x9"}
    assert read_verification_files("") == {}


@pytest.mark.parametrize(
    "name", ["MP_verify_../a.txt", "robots.txt", "MP_verify_.txt", "MP_verify_a.txt.txt"]
)
def test_other_names_are_no_verification_files(name: str) -> None:
    with pytest.raises(ValueError, match="is no MP_verify"):
        read_verification_files(name)
