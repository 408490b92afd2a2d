"""The client against a WeChat that refuses, is slow, or breaks, over real sockets."""

import time
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from survey_service.demonstration.fake_wechat import APP_ID, APP_SECRET
from survey_service.wechat.client import HttpTransport, NoAnswerError, WeChatClient, WeChatRefusal
from survey_service.wechat.rules import Reaction
from tests.journeys.county import eventually
from tests.support.patience import PATIENCE_SECONDS
from tests.support.wechat import FakeWeChat

SHORT_SECONDS = 0.3

MakeClient = Callable[..., WeChatClient]


@pytest.fixture
def naps() -> list[float]:
    """The pauses that clients took."""
    return []


@pytest.fixture
def make_client(wechat: FakeWeChat, naps: list[float]) -> MakeClient:
    def make(**changes: str) -> WeChatClient:
        account = {"app_id": APP_ID, "app_secret": APP_SECRET} | changes
        return WeChatClient(HttpTransport(wechat.url), sleep=naps.append, **account)

    return make


def refusal_of(call: Callable[[], object]) -> Reaction:
    with pytest.raises(WeChatRefusal) as caught:
        call()
    return caught.value.reaction


def counted(call: str, outcome: str) -> float:
    labels = {"call": call, "outcome": outcome}
    return REGISTRY.get_sample_value("survey_wechat_calls_total", labels) or 0.0


def test_a_token_is_fetched_and_renewed(make_client: MakeClient) -> None:
    client = make_client()
    first, again, forced = client.fetch_token(), client.fetch_token(), client.fetch_token(is_forced=True)
    assert first == again != forced
    assert first.seconds == 7200
    assert client.fetch_page_ticket(forced.value).value


@pytest.mark.parametrize("changes", [{"app_id": "wxother"}, {"app_secret": "other"}])
def test_a_wrong_account_raises_an_alarm_and_is_not_tried_again(
    make_client: MakeClient, wechat: FakeWeChat, changes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("stable_token", "alarm")
    assert refusal_of(make_client(**changes).fetch_token) is Reaction.ALARM
    assert wechat.calls() == ["stable_token"]
    assert counted("stable_token", "alarm") == before + 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_busy_wechat_is_asked_again_in_a_moment(
    make_client: MakeClient, wechat: FakeWeChat, naps: list[float]
) -> None:
    wechat.next_answers("stable_token", {"errcode": -1}, {"errcode": -1})
    assert make_client().fetch_token().value
    assert len(wechat.calls()) == 3
    assert len(naps) == 2
    assert all(0.1 <= nap <= 0.4 for nap in naps)


def test_a_wechat_that_stays_busy_is_given_up(make_client: MakeClient, wechat: FakeWeChat) -> None:
    wechat.next_answers("stable_token", *[{"errcode": -1}] * 5)
    assert refusal_of(make_client().fetch_token) is Reaction.RETRY
    assert len(wechat.calls()) == 3


@pytest.mark.parametrize("errcode", [45009, 45011])
def test_after_a_quota_nothing_is_asked_for_a_while(
    make_client: MakeClient, wechat: FakeWeChat, errcode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, start = make_client(), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: start)
    wechat.next_answers("stable_token", {"errcode": errcode}, {"errcode": errcode})
    assert [refusal_of(client.fetch_token) for _ in range(3)] == [Reaction.BACK_OFF] * 3
    assert wechat.calls() == ["stable_token"]
    monkeypatch.setattr(time, "monotonic", lambda: start + 16)
    assert refusal_of(client.fetch_token) is Reaction.BACK_OFF
    assert len(wechat.calls()) == 2
    # The second pause is twice as long.
    monkeypatch.setattr(time, "monotonic", lambda: start + 45)
    assert refusal_of(client.fetch_token) is Reaction.BACK_OFF
    assert len(wechat.calls()) == 2
    monkeypatch.setattr(time, "monotonic", lambda: start + 47)
    assert client.fetch_token().value


@pytest.mark.parametrize(
    "answer",
    [
        {"body": ""},
        {"body": "<html>"},
        {"body": "[]"},
        {"body": '{"errcode":"x"}'},
        {"body": "{}"},
        {"body": "[" * 50_000},
        {"body": "x" * 70_000},
        {"status": 502},
        {"status": 302},
        {"is_cut": True},
    ],
)
def test_what_is_no_answer_is_a_refusal(
    make_client: MakeClient, wechat: FakeWeChat, answer: dict[str, object]
) -> None:
    wechat.next_answers("stable_token", answer)
    assert refusal_of(make_client().fetch_token) is Reaction.FAIL


@pytest.mark.parametrize("answer", [{"drip": PATIENCE_SECONDS}, {"delay": PATIENCE_SECONDS}])
def test_the_whole_answer_has_to_come_in_time(
    make_client: MakeClient, wechat: FakeWeChat, answer: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("survey_service.wechat.client.ANSWER_SECONDS", SHORT_SECONDS)
    wechat.next_answers("stable_token", answer)
    start = time.monotonic()
    assert refusal_of(make_client().fetch_token) is Reaction.FAIL
    assert time.monotonic() - start < PATIENCE_SECONDS
    # A call that is heard of later would be one of the next test.
    eventually(wechat.calls, ["stable_token"])


def test_where_nobody_listens_the_words_of_the_error_are_left_out(deaf_port: int) -> None:
    transport = HttpTransport(f"http://127.0.0.1:{deaf_port}")
    with pytest.raises(NoAnswerError, match=r"^ConnectionRefusedError$") as caught:
        transport("GET", "/sns/oauth2/access_token?secret=s", None)
    assert caught.value.__cause__ is None


def test_a_silent_wechat_is_left_alone_after_a_while(
    make_client: MakeClient, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, start = make_client(), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: start)
    wechat.next_answers("stable_token", *[{"is_cut": True}] * 3)
    assert [refusal_of(client.fetch_token) for _ in range(4)] == [Reaction.FAIL] * 3 + [Reaction.BACK_OFF]
    assert len(wechat.calls()) == 3


def test_no_words_of_wechats_reach_the_log(
    make_client: MakeClient, wechat: FakeWeChat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    wechat.next_answers(
        "access_token", {"body": '{"errcode":40029,"errmsg":"invalid code: c0de"}'}, {"body": "c0de"}
    )
    for _ in range(2):
        refusal_of(lambda: make_client().exchange_code("c0de"))
    assert caplog.records
    assert "c0de" not in caplog.text
    assert APP_SECRET not in caplog.text
