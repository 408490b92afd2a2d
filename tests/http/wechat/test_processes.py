"""Several web processes: what one learned from WeChat the others know, and a slow one stops none of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from flask import Flask

from survey_service.campaigns.rules import Mode
from survey_service.core.db import Database
from survey_service.serving import THREADS_PER_WORKER
from survey_service.wechat.rules import Provider, Visitor
from survey_service.wechat.sign_in import ACCOUNT_COOKIES, BROWSER_COOKIE, ServiceAccountSignIn
from tests.factories.applications import make_app
from tests.factories.campaigns import World, start_campaign
from tests.http.wechat.phone import WeChatPhone, authorize
from tests.support.patience import PATIENCE_SECONDS
from tests.support.servers import free_port
from tests.support.wechat import FakeWeChat

pytestmark = pytest.mark.usefixtures("frozen_clock")

HALF = THREADS_PER_WORKER // 2

MakeProcess = Callable[[str], Flask]


@pytest.fixture
def make_process(tmp_path: Path, committing_database: Database, wechat: FakeWeChat) -> MakeProcess:
    return lambda redis_url: make_app(tmp_path, committing_database, redis_url=redis_url, **wechat.settings)


@pytest.fixture
def committed(make_process: MakeProcess, redis_url: str) -> World:
    return start_campaign(make_process(redis_url), open_requires="wechat")


def same_browser(phone: WeChatPhone, app: Flask) -> WeChatPhone:
    """Return the phone as another process meets it."""
    twin = WeChatPhone(app.test_client())
    for name in (BROWSER_COOKIE, ACCOUNT_COOKIES[Provider.WECHAT]):
        cookie = phone.client.get_cookie(name)
        if cookie is not None:
            twin.client.set_cookie(name, cookie.value)
    return twin


def test_a_second_callback_may_reach_another_process(
    committed: World, make_process: MakeProcess, redis_url: str, wechat: FakeWeChat
) -> None:
    (posted,) = committed.issue(Mode.OPEN)
    phone = WeChatPhone(committed.app.test_client())
    wechat.next_answers("access_token", {"delay": 0.3})
    back = phone.way_back(posted.code)
    twins = [same_browser(phone, make_process(redis_url)) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda twin: twin.get(back), twins))
    assert [answer.headers["Location"] for answer in answers] == [f"/s/{posted.code}"] * 3
    assert wechat.calls() == ["access_token"]


def test_a_session_of_one_process_is_one_of_all(
    committed: World, make_process: MakeProcess, redis_url: str
) -> None:
    (posted,) = committed.issue(Mode.OPEN)
    phone = WeChatPhone(committed.app.test_client())
    page = phone.scan(posted.code)
    assert same_browser(phone, make_process(redis_url)).send(posted.code, page).status_code == 303


def test_people_sign_in_and_vote_while_redis_is_away(committed: World, make_process: MakeProcess) -> None:
    (posted,) = committed.issue(Mode.OPEN)
    app = make_process(f"redis://127.0.0.1:{free_port()}/0")
    assert WeChatPhone(app.test_client()).vote(posted.code).status_code == 303


def test_without_redis_a_second_callback_to_another_process_begins_anew(
    committed: World, make_process: MakeProcess, wechat: FakeWeChat
) -> None:
    (posted,) = committed.issue(Mode.OPEN)
    phone = WeChatPhone(make_process(f"redis://127.0.0.1:{free_port()}/0").test_client())
    back = phone.way_back(posted.code)
    assert phone.get(back).headers["Location"] == f"/s/{posted.code}"
    twin = same_browser(phone, make_process(f"redis://127.0.0.1:{free_port()}/0"))
    anew = twin.get(back)
    assert anew.headers["Location"].startswith(wechat.url)
    path = authorize(anew.headers["Location"]).removeprefix("http://survey.example")
    assert twin.get(path).headers["Location"] == f"/s/{posted.code}"


def test_no_more_than_half_the_threads_wait_for_a_slow_wechat(
    committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (posted,) = committed.issue(Mode.OPEN)
    all_asked, answers = Barrier(HALF + 1), Event()
    exchange = ServiceAccountSignIn.visitor_of

    def ask_slowly(sign_in: ServiceAccountSignIn, code: str) -> Visitor:
        all_asked.wait()
        assert answers.wait(PATIENCE_SECONDS)
        return exchange(sign_in, code)

    monkeypatch.setattr(ServiceAccountSignIn, "visitor_of", ask_slowly)
    phones = [WeChatPhone(committed.app.test_client()) for _ in range(HALF + 2)]
    backs = [phone.way_back(posted.code) for phone in phones]

    def come_back(number: int) -> int:
        return phones[number].get(backs[number]).status_code

    with ThreadPoolExecutor(len(phones)) as pool:
        waiting = [pool.submit(come_back, number) for number in range(HALF)]
        all_asked.wait(PATIENCE_SECONDS)
        try:
            turned_away = list(pool.map(come_back, range(HALF, len(phones))))
        finally:
            answers.set()
    assert turned_away == [503] * 2
    assert [one.result() for one in waiting] == [303] * HALF
