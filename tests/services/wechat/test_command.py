"""`survey-service check-wechat`: what it says of accounts and of companies, set up rightly or not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from survey_service import cli
from survey_service.core.db import Database
from survey_service.demonstration.fake_wechat import CORP_ID, CORP_SECRET
from tests.factories.applications import make_app
from tests.support.wechat import FakeWeChat

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(
    tmp_path: Path,
    sqlite_database: Database,
    wechat: FakeWeChat,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Check:
    """Run the command; returns its end and all that an operator sees."""

    def run(**changes: str) -> tuple[int, str]:
        monkeypatch.setattr(
            cli, "_app", lambda: make_app(tmp_path, sqlite_database, **wechat.settings | changes)
        )
        done = CliRunner().invoke(cli.main, ["check-wechat"], catch_exceptions=False)
        return done.exit_code, done.output + caplog.text

    return run


def test_an_account_that_is_set_up_rightly(check: Check) -> None:
    code, said = check()
    assert code == 0, said
    assert "People come back to http://survey.example/wechat/callback." in said
    assert "wecom" not in said


COMPANY = {"wechat_app_id": None, "wecom_corp_id": CORP_ID, "wecom_secret": CORP_SECRET}


def test_a_company_that_is_set_up_rightly(check: Check, wechat: FakeWeChat) -> None:
    code, said = check(**COMPANY, wecom_api_base=wechat.url)
    assert code == 0, said
    assert "wecom knows" in said
    assert "People come back to http://survey.example/wecom/callback." in said


def test_a_missing_address_of_a_company_is_said(check: Check, wechat: FakeWeChat) -> None:
    wechat.next_answers("getuserinfo", {"errcode": 60020})
    code, said = check(**COMPANY, wecom_api_base=wechat.url)
    assert code == 1
    assert "address is missing in the application's list" in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wechat_app_secret": "other"}, "WECHAT_APP_SECRET is wrong"),
        ({"wechat_app_id": "wxother"}, "WECHAT_APP_ID is wrong"),
        ({"wechat_app_secret": ""}, "not both set"),
    ],
)
def test_what_is_wrong_is_said(check: Check, changes: dict[str, str], reason: str) -> None:
    code, said = check(**changes)
    assert code == 1
    assert reason in said


def test_a_missing_address_in_the_list_is_said(check: Check, wechat: FakeWeChat) -> None:
    wechat.next_answers("stable_token", {"errcode": 40164})
    code, said = check()
    assert code == 1
    assert "address is missing in the account's list" in said
