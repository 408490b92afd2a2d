"""The voter's way: scan, WeChat, back, ballot; who counts once, and who is turned away."""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from sqlalchemy import func, select

from survey_service.ballots.models import Ballot, Participation
from survey_service.campaigns.rules import Mode
from survey_service.campaigns.service import close_campaign
from survey_service.core.digests import DIGEST_BYTES
from survey_service.core.rate_limits import RateLimit
from survey_service.demonstration.fake_wechat import APP_ID, APP_SECRET, VIRTUAL, openid_of
from survey_service.wechat.rules import Provider
from survey_service.wechat.sign_in import ACCOUNT_COOKIES, BROWSER_COOKIE, LONGEST_CODE, MOST_ACCOUNTS
from tests.factories.campaigns import NOW, World, start_campaign
from tests.http.wechat.phone import WeChatPhone, authorize
from tests.support.wechat import FakeWeChat

pytestmark = pytest.mark.usefixtures("frozen_clock")

MakePhone = Callable[[], WeChatPhone]


@pytest.fixture
def code(world: World) -> str:
    return world.issue(Mode.OPEN)[0].code


def count(world: World) -> int:
    with world.app.extensions["database"].reading() as session:
        participations = session.scalar(select(func.count()).select_from(Participation))
        ballots = session.scalar(select(func.count()).select_from(Ballot))
    assert participations == ballots
    return ballots or 0


def test_a_scan_leads_to_wechat_and_back_to_a_ballot(world: World, phone: WeChatPhone, code: str) -> None:
    page = phone.scan(code)
    assert (page.status_code, page.request.path, page.request.query_string) == (200, f"/s/{code}", b"")
    assert "一个微信号只计一次" in page.text
    sent = phone.send(code, page)
    assert sent.status_code == 303
    assert phone.get(sent.headers["Location"]).status_code == 200
    with world.app.extensions["database"].reading() as session:
        assert session.scalars(select(Ballot.mode)).one() == "open"


def test_the_way_to_wechat_has_wechats_order(phone: WeChatPhone, wechat: FakeWeChat, code: str) -> None:
    url = phone.start(code)
    assert url.startswith(f"{wechat.url}/connect/oauth2/authorize?")
    assert url.endswith("#wechat_redirect")
    query = parse_qsl(urlsplit(url).query)
    assert [name for name, _ in query] == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert dict(query)["redirect_uri"] == "http://survey.example/wechat/callback"


def test_a_second_scan_says_that_one_has_answered(phone: WeChatPhone, code: str) -> None:
    phone.vote(code)
    again = phone.scan(code)
    assert again.status_code == 200
    assert "这个微信号已经交过一份" in again.text


def test_one_person_on_two_phones_counts_once(world: World, make_phone: MakePhone, code: str) -> None:
    first, second = make_phone(), make_phone()
    assert first.vote(code).status_code == 303
    # The other phone shows the form: that somebody has voted is told by nothing but a ballot.
    page = second.scan(code)
    assert "总体评价" in page.text
    refused = second.send(code, page)
    assert refused.status_code == 409
    assert "这个微信号已经交过一份" in refused.text
    assert count(world) == 1


def test_a_refusal_does_not_stand_in_the_way_of_the_next(
    world: World, make_phone: MakePhone, wechat: FakeWeChat, code: str
) -> None:
    first, second = make_phone(), make_phone()
    first.vote(code)
    second.scan(code)
    refused = second.post(code, second.open(code).get_json()["ticket"])
    assert refused.status_code == 409
    wechat.hand_phone_to("李大叔")
    assert second.vote(code).status_code == 303
    assert count(world) == 2


def test_two_people_on_one_phone_count_twice(
    world: World, phone: WeChatPhone, wechat: FakeWeChat, code: str
) -> None:
    assert phone.vote(code).status_code == 303
    wechat.hand_phone_to("李大叔")
    assert phone.vote(code).status_code == 303
    assert count(world) == 2


def test_who_has_answered_does_not_stand_in_the_way_of_the_next(
    world: World, phone: WeChatPhone, wechat: FakeWeChat, code: str
) -> None:
    phone.vote(code)
    assert "已经交过一份" in phone.scan(code).text
    wechat.hand_phone_to("李大叔")
    assert phone.vote(code).status_code == 303
    assert count(world) == 2


def test_a_ballot_under_way_keeps_its_person_when_the_phone_is_handed_on(
    world: World, phone: WeChatPhone, wechat: FakeWeChat, code: str
) -> None:
    waiting = phone.scan(code)
    wechat.hand_phone_to("李大叔")
    with time_machine.travel(NOW + timedelta(minutes=3), tick=False):
        assert phone.vote(code).status_code == 303
        assert phone.send(code, waiting).status_code == 303
    assert count(world) == 2


def test_the_page_asks_wechat_again_after_a_while(phone: WeChatPhone, code: str) -> None:
    phone.scan(code)
    assert phone.get(f"/s/{code}").status_code == 200
    with time_machine.travel(NOW + timedelta(minutes=3), tick=False):
        assert phone.get(f"/s/{code}").status_code == 303


def test_other_campaigns_are_other_ballots(world: World, phone: WeChatPhone, code: str) -> None:
    (other,) = start_campaign(world.app, open_requires="wechat").issue(Mode.OPEN)
    assert [phone.vote(one).status_code for one in (code, other.code)] == [303, 303]


def test_the_api_leads_to_the_sign_in_and_knows_who_came_back(
    world: World, phone: WeChatPhone, code: str
) -> None:
    refused = phone.open(code)
    assert (refused.status_code, refused.get_json()["code"]) == (401, "sign_in_required")
    phone.scan(urlsplit(refused.get_json()["sign_in_url"]).path.removeprefix("/s/"))
    opened = phone.open(code).get_json()
    assert opened["mode"] == "open"
    assert phone.post(code, opened["ticket"]).status_code == 201
    again = phone.post(code, phone.open(code).get_json()["ticket"])
    assert (again.status_code, again.get_json()["code"]) == (409, "already_submitted")
    assert count(world) == 1


def test_a_ticket_serves_the_account_that_opened_it(
    make_phone: MakePhone, wechat: FakeWeChat, code: str
) -> None:
    first, second = make_phone(), make_phone()
    first.scan(code)
    ticket = first.open(code).get_json()["ticket"]
    wechat.hand_phone_to("李大叔")
    second.scan(code)
    answers = [second.post(code, ticket), make_phone().post(code, ticket)]
    assert [answer.get_json()["code"] for answer in answers] == ["bad_ticket", "bad_ticket"]


def test_a_callback_may_come_twice(phone: WeChatPhone, wechat: FakeWeChat, code: str) -> None:
    back = phone.way_back(code)
    answers = [phone.get(back) for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == [f"/s/{code}"] * 2
    assert wechat.calls() == ["access_token"]


def test_a_callback_may_come_several_times_at_once(
    world: World, phone: WeChatPhone, make_phone: MakePhone, wechat: FakeWeChat, code: str
) -> None:
    wechat.next_answers("access_token", {"delay": 0.3})
    back = phone.way_back(code)
    browser = phone.client.get_cookie(BROWSER_COOKIE)
    assert browser is not None
    twins = [make_phone() for _ in range(4)]
    for twin in twins:
        twin.client.set_cookie(BROWSER_COOKIE, browser.value)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda twin: twin.get(back), twins))
    assert [answer.status_code for answer in answers] == [303] * 4
    assert wechat.calls() == ["access_token"]


@pytest.mark.parametrize("errcode", [40029, 42003, 40163])
def test_a_spent_code_begins_the_way_anew_once(
    phone: WeChatPhone, wechat: FakeWeChat, code: str, errcode: int
) -> None:
    wechat.next_answers("access_token", {"errcode": errcode})
    anew = phone.get(phone.way_back(code))
    assert anew.headers["Location"].startswith(wechat.url)
    parts = urlsplit(authorize(anew.headers["Location"]))
    assert phone.get(f"{parts.path}?{parts.query}").headers["Location"] == f"/s/{code}"


def test_the_way_is_begun_anew_no_more_than_once(phone: WeChatPhone, wechat: FakeWeChat, code: str) -> None:
    wechat.next_answers("access_token", {"errcode": 40029}, {"errcode": 40029})
    anew = phone.get(phone.way_back(code))
    parts = urlsplit(authorize(anew.headers["Location"]))
    refused = phone.get(f"{parts.path}?{parts.query}")
    assert refused.status_code == 503
    assert f'href="/s/{code}"' in refused.text


@pytest.mark.parametrize(
    "answer", [{"errcode": 40125}, {"errcode": 45011}, {"body": "<html>"}, {"status": 502}, {"is_cut": True}]
)
def test_where_wechat_fails_the_page_offers_other_ways(
    phone: WeChatPhone, wechat: FakeWeChat, code: str, answer: dict[str, object]
) -> None:
    wechat.next_answers("access_token", answer)
    refused = phone.get(phone.way_back(code))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
    assert "明白信" in refused.text
    assert f'href="/s/{code}"' in refused.text


def test_a_virtual_person_is_turned_away_kindly(
    world: World, phone: WeChatPhone, wechat: FakeWeChat, code: str
) -> None:
    wechat.hand_phone_to(VIRTUAL)
    back = phone.way_back(code)
    answers = [phone.get(back) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert "使用完整服务" in answers[0].text
    assert phone.client.get_cookie(ACCOUNT_COOKIES[Provider.WECHAT]) is None


def test_a_state_of_another_browser_is_refused(phone: WeChatPhone, make_phone: MakePhone, code: str) -> None:
    back = phone.way_back(code)
    victim = make_phone()
    victim.start(code)
    refused = victim.get(back)
    assert refused.status_code == 403
    assert victim.client.get_cookie(ACCOUNT_COOKIES[Provider.WECHAT]) is None


def test_a_browser_that_we_have_not_named_brings_nothing_back(phone: WeChatPhone, code: str) -> None:
    back = phone.way_back(code)
    browser = phone.client.get_cookie(BROWSER_COOKIE)
    assert browser is not None
    for forged in (browser.value.partition(".")[0] + "." + "A" * 22, ""):
        phone.client.set_cookie(BROWSER_COOKIE, forged)
        assert phone.get(back).status_code == 403
    phone.client.set_cookie(BROWSER_COOKIE, browser.value)
    assert phone.get(back).status_code == 303


def test_a_state_is_refused_after_five_minutes(phone: WeChatPhone, code: str) -> None:
    back = phone.way_back(code)
    with time_machine.travel(NOW + timedelta(minutes=5, seconds=1), tick=False):
        assert phone.get(back).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        *("", "code=x", "state=00", "code=x&state=00", "code=x&state=%00", "code=&state={}"),
        *("openid=o1&state={}", f"code={'x' * (LONGEST_CODE + 1)}&state={{}}"),
    ],
)
def test_what_did_not_come_from_us_is_refused(
    phone: WeChatPhone, wechat: FakeWeChat, code: str, query: str
) -> None:
    state = dict(parse_qsl(urlsplit(phone.start(code)).query))["state"]
    assert phone.get(f"/wechat/callback?{query.format(state)}").status_code == 403
    assert wechat.calls() == []


def test_a_refused_callback_ends_no_session(phone: WeChatPhone, code: str) -> None:
    page = phone.scan(code)
    assert phone.get("/wechat/callback?code=x&state=00").status_code == 403
    assert phone.get(f"/s/{code}").status_code == 200
    assert phone.send(code, page).status_code == 303


def test_an_openid_from_outside_is_no_openid(world: World, phone: WeChatPhone, code: str) -> None:
    openid = openid_of(APP_ID, "张阿婆")
    headers = {"X-WX-OPENID": openid, "X-Openid": openid}
    answers = [
        phone.client.get(f"/api/v1/entrances/{code}?openid={openid}", headers=headers),
        phone.client.post(f"/api/v1/entrances/{code}/ballots", json={"ticket": "x", "openid": openid}),
    ]
    for forged in (openid, openid.encode().hex(), "AAAA.AAAA", "0" * 64):
        phone.client.set_cookie(ACCOUNT_COOKIES[Provider.WECHAT], forged)
        phone.client.set_cookie("openid", openid)
        answers.append(phone.open(code))
    assert {answer.status_code for answer in answers} == {400, 401}
    assert count(world) == 0


def test_an_openid_in_the_body_changes_nothing(world: World, phone: WeChatPhone, code: str) -> None:
    phone.scan(code)
    ticket = phone.open(code).get_json()["ticket"]
    forged = [phone.post(code, ticket, openid=openid_of(APP_ID, name)) for name in ("甲", "乙")]
    assert [answer.status_code for answer in forged] == [201, 409]
    assert count(world) == 1


def test_a_cookie_of_another_purpose_is_no_account(
    phone: WeChatPhone, make_phone: MakePhone, code: str
) -> None:
    phone.start(code)
    browser = phone.client.get_cookie(BROWSER_COOKIE)
    assert browser is not None
    stranger = make_phone()
    stranger.client.set_cookie(ACCOUNT_COOKIES[Provider.WECHAT], browser.value)
    assert stranger.open(code).status_code == 401


def test_the_openid_stays_on_the_server(phone: WeChatPhone, code: str) -> None:
    back = phone.get(phone.way_back(code))
    (cookie,) = back.headers.getlist("Set-Cookie")
    assert "; HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    payload = cookie.split("=", 1)[1].split(".", 1)[0]
    openid = openid_of(APP_ID, "张阿婆")
    sent = f"{back.headers}{back.text}".encode() + urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    assert [word for word in (openid, openid.encode().hex()) if word.encode() in sent] == []


def test_outside_wechat_the_page_offers_the_other_ways(phone: WeChatPhone, code: str) -> None:
    page = phone.client.get(f"/s/{code}", headers={"User-Agent": "Mozilla/5.0 Chrome/116"})
    assert page.status_code == 401
    assert "Location" not in page.headers
    assert f"/api/v1/entrances/{code}.png" in page.text
    for words in ("微信", "参评码", "纸质测评表", "上门"):
        assert words in page.text
    assert "connect/oauth2" not in page.text


def test_the_browser_of_the_company_is_outside_wechat(phone: WeChatPhone, code: str) -> None:
    phone.user_agent = "Mozilla/5.0 wxwork/4.1.0 MicroMessenger/7.0.1"
    assert phone.get(f"/s/{code}").status_code == 401


def test_a_closed_campaign_asks_nobody_to_sign_in(world: World, phone: WeChatPhone, code: str) -> None:
    with world.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW - timedelta(hours=1))
    assert phone.get(f"/s/{code}").status_code == 410


def test_household_codes_ask_for_no_wechat(world: World, phone: WeChatPhone) -> None:
    (household,) = world.issue()
    assert phone.get(f"/s/{household.code}").status_code == 200
    assert phone.client.get_cookie(ACCOUNT_COOKIES[Provider.WECHAT]) is None


def test_codes_that_are_invented_are_slowed_down(phone: WeChatPhone, wechat: FakeWeChat, code: str) -> None:
    state = dict(parse_qsl(urlsplit(phone.start(code)).query))["state"]
    statuses = [phone.get(f"/wechat/callback?code=invented{n}&state={state}").status_code for n in range(62)]
    assert (statuses[0], statuses[-1]) == (303, 429)
    assert len(wechat.calls()) <= 61


def test_what_is_wechats_fault_slows_nobody_down(
    world: World, phone: WeChatPhone, wechat: FakeWeChat, code: str
) -> None:
    world.app.extensions[Provider.WECHAT].failures = RateLimit(count=1, seconds=60)
    wechat.next_answers("access_token", *[{"errcode": 40125}] * 3)
    assert [phone.get(phone.way_back(code)).status_code for _ in range(3)] == [503] * 3


def test_a_phone_remembers_a_household_and_no_queue(
    phone: WeChatPhone, wechat: FakeWeChat, code: str
) -> None:
    for number in range(MOST_ACCOUNTS + 1):
        wechat.hand_phone_to(f"第{number}人")
        assert phone.vote(code).status_code == 303
    cookie = phone.client.get_cookie(ACCOUNT_COOKIES[Provider.WECHAT])
    assert cookie is not None
    payload = cookie.value.split(".")[0]
    assert len(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) == 5 + MOST_ACCOUNTS * DIGEST_BYTES


def test_no_log_names_a_code_a_state_or_an_openid(
    phone: WeChatPhone, wechat: FakeWeChat, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    wechat.next_answers("access_token", {"errcode": 40125}, {"is_cut": True})
    backs = [phone.way_back(code) for _ in range(3)]
    for back in backs:
        phone.get(back)
    secrets = [value for back in backs for _, value in parse_qsl(urlsplit(back).query)]
    secrets += [openid_of(APP_ID, "张阿婆"), APP_SECRET]
    assert [word for word in secrets if word in caplog.text] == []
    assert "WECHAT_APP_SECRET is wrong" in caplog.text
