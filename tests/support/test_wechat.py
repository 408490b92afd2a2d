"""The fake WeChat keeps to the protocol as the domain describes it."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from survey_service.demonstration.fake_wechat import APP_ID, APP_SECRET, CORP_ID, CORP_SECRET, VIRTUAL
from tests.support.patience import PATIENCE_SECONDS
from tests.support.wechat import USER_AGENT, FakeWeChat


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def asked(**changes: str) -> dict[str, str]:
    return {
        "appid": APP_ID,
        "redirect_uri": "http://survey.example/wechat/callback",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "ab12",
    } | changes


def authorize(wechat: FakeWeChat, query: str, *, user_agent: str = USER_AGENT) -> tuple[int, str]:
    """Open the authorize page; return its status, and where it leads or what it says."""
    url = f"{wechat.url}/connect/oauth2/authorize?{query}"
    request = urllib.request.Request(url, headers={"User-Agent": user_agent})
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=PATIENCE_SECONDS) as page:
            return 200, page.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers["Location"]


def code_for(wechat: FakeWeChat, **changes: str) -> str:
    _, url = authorize(wechat, urlencode(asked(**changes)))
    return parse_qs(urlsplit(url).query)["code"][0]


def get(wechat: FakeWeChat, path: str, **query: str) -> Any:
    with urllib.request.urlopen(f"{wechat.url}{path}?{urlencode(query)}", timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


def exchange(wechat: FakeWeChat, code: str, **changes: str) -> Any:
    account = {"appid": APP_ID, "secret": APP_SECRET, "grant_type": "authorization_code"} | changes
    return get(wechat, "/sns/oauth2/access_token", code=code, **account)


def test_the_page_leads_back_with_a_code_and_the_state(wechat: FakeWeChat) -> None:
    status, url = authorize(wechat, urlencode(asked()))
    assert status == 302
    assert url.startswith("http://survey.example/wechat/callback?code=")
    assert url.endswith("&state=ab12")


def test_outside_wechat_the_page_is_a_dead_end(wechat: FakeWeChat) -> None:
    status, page = authorize(wechat, urlencode(asked()), user_agent="Mozilla/5.0")
    assert status == 200
    assert "请在微信客户端打开链接" in page


@pytest.mark.parametrize(
    "query",
    [
        urlencode(dict(reversed(asked().items()))),
        urlencode(asked(state="a_b")),
        urlencode(asked(state="a" * 129)),
        urlencode(asked(scope="snsapi_userinfo")),
        urlencode(asked(appid="wxother")),
        urlencode(asked(redirect_uri="/wechat/callback")),
        "",
    ],
)
def test_a_wrong_link_leads_nowhere(wechat: FakeWeChat, query: str) -> None:
    status, page = authorize(wechat, query)
    assert status == 200
    assert "参数错误" in page or "Scope" in page


def test_a_code_is_good_once(wechat: FakeWeChat) -> None:
    code = code_for(wechat)
    first, again = exchange(wechat, code), exchange(wechat, code)
    assert first["openid"].startswith("o")
    assert "is_snapshotuser" not in first
    assert again["errcode"] == 40163


def test_codes_and_tokens_grow_old(wechat: FakeWeChat) -> None:
    code = code_for(wechat)
    wechat.wish("expire")
    assert exchange(wechat, code)["errcode"] == 42003


@pytest.mark.parametrize(
    ("changes", "errcode"), [({"appid": "wxother"}, 40013), ({"secret": "other"}, 40125), ({}, 40029)]
)
def test_strangers_are_refused(wechat: FakeWeChat, changes: dict[str, str], errcode: int) -> None:
    assert exchange(wechat, "invented", **changes)["errcode"] == errcode


def test_who_looks_at_a_snapshot_is_virtual(wechat: FakeWeChat) -> None:
    wechat.hand_phone_to(VIRTUAL)
    assert exchange(wechat, code_for(wechat))["is_snapshotuser"] == 1


def test_where_nobody_holds_the_phone_the_page_asks(wechat: FakeWeChat) -> None:
    wechat.hand_phone_to(None)
    status, page = authorize(wechat, urlencode(asked()))
    assert status == 200
    assert "李大叔" in page


def test_a_company_names_its_members(wechat: FakeWeChat) -> None:
    wechat.hand_phone_to("wang.xiaomei")
    token = get(wechat, "/cgi-bin/gettoken", corpid=CORP_ID, corpsecret=CORP_SECRET)["access_token"]
    code = code_for(wechat, appid=CORP_ID)
    who = [get(wechat, "/cgi-bin/auth/getuserinfo", access_token=token, code=code) for _ in range(2)]
    assert (who[0]["errcode"], who[0]["userid"]) == (0, "wang.xiaomei")
    assert who[1]["errcode"] == 40163
    assert exchange(wechat, code_for(wechat, appid=CORP_ID))["errcode"] == 40029


def test_a_stranger_to_the_company_has_an_openid_only(wechat: FakeWeChat) -> None:
    wechat.hand_phone_to(VIRTUAL)
    token = get(wechat, "/cgi-bin/gettoken", corpid=CORP_ID, corpsecret=CORP_SECRET)["access_token"]
    who = get(wechat, "/cgi-bin/auth/getuserinfo", access_token=token, code=code_for(wechat, appid=CORP_ID))
    assert "userid" not in who
    assert who["openid"]
