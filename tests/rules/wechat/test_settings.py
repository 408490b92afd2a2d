"""Settings of a service account."""

from pathlib import Path

import pytest

from survey_service.core.config import WECHAT_API_BASE, WECHAT_OPEN_BASE, load_settings


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SECRET_KEY", "secret")


def test_what_is_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APP_ID", "APP_SECRET", "OPEN_BASE", "API_BASE", "VERIFY_FILES"):
        monkeypatch.setenv(f"WECHAT_{name}", "")
    settings = load_settings()
    assert (settings.wechat_app_id, settings.wechat_app_secret) == (None, "")
    assert (settings.wechat_open_base, settings.wechat_api_base) == (WECHAT_OPEN_BASE, WECHAT_API_BASE)


def test_another_server_can_stand_in_and_the_secret_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "wechat").write_text("from the file\n")
    monkeypatch.setenv("WECHAT_APP_SECRET_FILE", str(tmp_path / "wechat"))
    monkeypatch.setenv("WECHAT_API_BASE", "http://127.0.0.1:8001/")
    settings = load_settings()
    assert settings.wechat_app_secret == "from the file"
    assert settings.wechat_api_base == "http://127.0.0.1:8001"
