"""One holder of the token for all threads and processes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from survey_service.core.privacy import Keyring
from survey_service.demonstration.fake_wechat import APP_ID, APP_SECRET, TEMPLATE_ID, openid_of
from survey_service.wechat.client import HttpTransport, WeChatClient, WeChatRefusal
from survey_service.wechat.rules import Message, Reaction
from survey_service.wechat.store import MemoryStore, RedisStore, Store
from survey_service.wechat.tokens import ServiceAccountTokens
from tests.support.wechat import FakeWeChat

PROCESSES = 4

MakeHolder = Callable[[], ServiceAccountTokens]


@pytest.fixture(params=["threads", "processes"])
def make_holder(request: pytest.FixtureRequest, wechat: FakeWeChat) -> MakeHolder:
    """Holders as the threads of one process share them, and as processes that share Redis."""
    shared, url = MemoryStore(), ""
    if request.param == "processes":
        url = request.getfixturevalue("redis_url")
    keyring = Keyring(secret_key="secret", master_key="master")

    def make() -> ServiceAccountTokens:
        store: Store = RedisStore(url, name=APP_ID, keyring=keyring) if url else shared
        client = WeChatClient(HttpTransport(wechat.url), app_id=APP_ID, app_secret=APP_SECRET)
        return ServiceAccountTokens(client, store)

    return make


def test_all_holders_have_one_token_that_was_fetched_once(
    make_holder: MakeHolder, wechat: FakeWeChat
) -> None:
    wechat.next_answers("stable_token", {"delay": 0.2})
    with ThreadPoolExecutor(PROCESSES) as pool:
        tokens = list(pool.map(lambda holder: holder.token(), [make_holder() for _ in range(PROCESSES)]))
    assert len(set(tokens)) == 1
    assert wechat.calls() == ["stable_token"]


def test_the_page_ticket_is_fetched_once(make_holder: MakeHolder, wechat: FakeWeChat) -> None:
    with ThreadPoolExecutor(PROCESSES) as pool:
        holders = [make_holder() for _ in range(PROCESSES)]
        tickets = list(pool.map(lambda holder: holder.page_ticket(), holders))
    assert len(set(tickets)) == 1
    assert wechat.calls() == ["stable_token", "getticket"]


def test_a_refused_token_is_renewed_once_for_all(make_holder: MakeHolder, wechat: FakeWeChat) -> None:
    first, second = make_holder(), make_holder()
    assert first.token() == second.token()
    wechat.wish("expire")
    assert first.page_ticket() == second.page_ticket()
    assert wechat.calls() == ["stable_token", "getticket", "stable_token", "getticket"]


def test_where_wechat_gives_the_refused_token_again_a_new_one_is_forced(
    make_holder: MakeHolder, wechat: FakeWeChat
) -> None:
    holder = make_holder()
    holder.token()
    wechat.next_answers("getticket", {"errcode": 42001})
    assert holder.page_ticket()
    assert wechat.calls() == ["stable_token", "getticket", "stable_token", "stable_token", "getticket"]


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_token_that_is_refused_again_is_given_up(
    make_holder: MakeHolder, wechat: FakeWeChat, errcode: int
) -> None:
    wechat.next_answers("getticket", {"errcode": errcode}, {"errcode": errcode})
    with pytest.raises(WeChatRefusal) as caught:
        make_holder().page_ticket()
    assert caught.value.reaction is Reaction.REFRESH
    assert wechat.calls().count("getticket") == 2


ANSWERED = Message(
    TEMPLATE_ID, {"thing1": "您的意见有了答复", "date2": "2026年11月22日"}, page="http://survey.example/o"
)


def test_a_message_goes_to_who_has_subscribed_once_for_each_consent(
    make_holder: MakeHolder, wechat: FakeWeChat
) -> None:
    holder, openid = make_holder(), openid_of(APP_ID, "张阿婆")
    wechat.wish("subscribe", person="张阿婆")
    holder.send_message(openid, ANSWERED)
    sent = {"touser": openid, "page": ANSWERED.page} | ANSWERED.fields
    assert wechat.wish("calls")["messages"] == [sent]
    with pytest.raises(WeChatRefusal) as caught:
        holder.send_message(openid, ANSWERED)
    assert caught.value.reaction is Reaction.DECLINED
    assert wechat.wish("calls")["messages"] == [sent]


def test_a_message_is_sent_with_a_new_token_where_the_last_is_refused(
    make_holder: MakeHolder, wechat: FakeWeChat
) -> None:
    holder = make_holder()
    holder.token()
    wechat.wish("expire")
    wechat.wish("subscribe", person="张阿婆")
    holder.send_message(openid_of(APP_ID, "张阿婆"), ANSWERED)
    assert wechat.calls() == ["stable_token", "bizsend", "stable_token", "bizsend"]
    assert len(wechat.wish("calls")["messages"]) == 1


@pytest.mark.parametrize(
    ("openid", "changes", "reaction"),
    [
        ("nobody", {}, Reaction.FAIL),
        ("o1", {"template_id": "other"}, Reaction.ALARM),
        ("o1", {"fields": {"thing1": "您的意见有了答复"}}, Reaction.ALARM),
        ("o1", {"fields": ANSWERED.fields | {"thing1": "很" * 21}}, Reaction.ALARM),
        ("o1", {}, Reaction.DECLINED),
    ],
)
def test_a_message_that_is_refused_is_not_sent_again(
    make_holder: MakeHolder, wechat: FakeWeChat, openid: str, changes: dict[str, Any], reaction: Reaction
) -> None:
    with pytest.raises(WeChatRefusal) as caught:
        make_holder().send_message(openid, replace(ANSWERED, **changes))
    assert caught.value.reaction is reaction
    assert wechat.calls() == ["stable_token", "bizsend"]
