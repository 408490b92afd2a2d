"""What stands for a person of a provider's: nothing that the provider or a neighbour could know."""

from pathlib import Path

from survey_service.core.privacy import Keyring
from survey_service.wechat.rules import Provider, Visitor
from survey_service.wechat.sign_in import SignIn
from tests.factories.applications import make_settings

OPENID = "oAbCdEfGhIjKlMnOpQrStUvWxYz0"


class OnePerson(SignIn):
    """A provider at which every code stands for the same person."""

    def visitor_of(self, code: str) -> Visitor:
        return Visitor(OPENID, is_virtual=False)

    def check(self) -> None:
        return


def account(
    folder: Path, *, provider: Provider = Provider.WECHAT, app_id: str = "wx1", master_key: str = "master"
) -> str:
    keyring = Keyring(secret_key="secret", master_key=master_key)
    sign_in = OnePerson(make_settings(folder), keyring, provider=provider, app_id=app_id)
    return sign_in.account_of("code", browser=b"browser") or ""


def test_a_person_is_another_one_at_each_account_provider_and_installation(tmp_path: Path) -> None:
    found = {
        account(tmp_path),
        account(tmp_path, app_id="wx2"),
        account(tmp_path, provider=Provider.WECOM),
        account(tmp_path, master_key="another"),
    }
    assert len(found) == 4
    assert account(tmp_path) in found


def test_an_account_holds_no_part_of_the_openid(tmp_path: Path) -> None:
    assert OPENID[:4].encode().hex() not in account(tmp_path)
