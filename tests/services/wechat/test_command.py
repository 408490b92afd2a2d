"""`survey-service check-wechat`, as an operator runs it."""

from pathlib import Path

import pytest

from survey_service.demonstration.fake_wechat import CORP_ID, CORP_SECRET
from tests.support.installation import installation
from tests.support.wechat import FakeWeChat


def check(folder: Path, wechat: FakeWeChat, **changes: str) -> tuple[int, str]:
    settings = {name.upper(): value for name, value in wechat.settings.items()}
    with installation(folder, **settings | changes) as made:
        done = made.run("check-wechat")
        return done.returncode, done.stdout + done.stderr


def test_an_account_that_is_set_up_rightly(tmp_path: Path, wechat: FakeWeChat) -> None:
    code, said = check(tmp_path, wechat)
    assert code == 0, said
    assert "People come back to http://127.0.0.1/wechat/callback." in said
    assert "wecom" not in said


COMPANY = {"WECHAT_APP_ID": "", "WECOM_CORP_ID": CORP_ID, "WECOM_SECRET": CORP_SECRET}


def test_a_company_that_is_set_up_rightly(tmp_path: Path, wechat: FakeWeChat) -> None:
    code, said = check(tmp_path, wechat, **COMPANY, WECOM_API_BASE=wechat.url)
    assert code == 0, said
    assert "wecom knows" in said
    assert "People come back to http://127.0.0.1/wecom/callback." in said


def test_a_missing_address_of_a_company_is_said(tmp_path: Path, wechat: FakeWeChat) -> None:
    wechat.next_answers("getuserinfo", {"errcode": 60020})
    code, said = check(tmp_path, wechat, **COMPANY, WECOM_API_BASE=wechat.url)
    assert code == 1
    assert "address is missing in the application's list" in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"WECHAT_APP_SECRET": "other"}, "WECHAT_APP_SECRET is wrong"),
        ({"WECHAT_APP_ID": "wxother"}, "WECHAT_APP_ID is wrong"),
        ({"WECHAT_APP_SECRET": ""}, "not both set"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, wechat: FakeWeChat, changes: dict[str, str], reason: str
) -> None:
    code, said = check(tmp_path, wechat, **changes)
    assert code == 1
    assert reason in said
    assert "Traceback" not in said


def test_a_missing_address_in_the_list_is_said(tmp_path: Path, wechat: FakeWeChat) -> None:
    wechat.next_answers("stable_token", {"errcode": 40164})
    code, said = check(tmp_path, wechat)
    assert code == 1
    assert "address is missing in the account's list" in said
