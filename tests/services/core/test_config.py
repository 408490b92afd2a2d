"""Secrets come from the environment or from files, and old ones for as long as one says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from survey_service.core.config import load_settings

KEYS = ("DATABASE_URL", "MASTER_KEY", "MASTER_KEY_PREVIOUS", "SECRET_KEY_PREVIOUS", "AUDIT_WEBHOOK_SECRET")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*KEYS, "SECRET_KEY", "SECRET_KEY_PREVIOUS_UNTIL", "REQUIRE_SECOND_FACTOR"):
        for variable in (name, f"{name}_FILE"):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def test_every_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in KEYS:
        (tmp_path / name).write_text(f"content of {name}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("SECRET_KEY_PREVIOUS_UNTIL", "2026-11-23T08:00+08:00")
    settings = load_settings()
    assert settings.database_url == "content of DATABASE_URL"
    assert settings.master_key == "content of MASTER_KEY"
    assert settings.master_key_previous == "content of MASTER_KEY_PREVIOUS"
    assert settings.audit_webhook_secret == "content of AUDIT_WEBHOOK_SECRET"
    assert settings.earlier_secret is not None
    assert settings.earlier_secret.secret_key == "content of SECRET_KEY_PREVIOUS"
    assert settings.earlier_secret.until == datetime(2026, 11, 23, tzinfo=UTC)


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MASTER_KEY", "here")
    monkeypatch.setenv("MASTER_KEY_FILE", str(tmp_path / "nowhere"))
    assert load_settings().master_key == "here"


@pytest.mark.parametrize("until", ["", "tomorrow", "2026-11-23T08:00"])
def test_an_earlier_key_needs_an_end(monkeypatch: pytest.MonkeyPatch, until: str) -> None:
    monkeypatch.setenv("SECRET_KEY_PREVIOUS", "old")
    monkeypatch.setenv("SECRET_KEY_PREVIOUS_UNTIL", until)
    with pytest.raises(ValueError, match=r"isoformat|offset"):
        load_settings()


def test_the_first_start_makes_its_own_key_and_no_two_are_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = load_settings().secret_key
    assert load_settings().secret_key == first
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "other"))
    assert load_settings().secret_key != first


@pytest.mark.parametrize(
    ("given", "roles"),
    [("", set()), ("auditor", {"auditor"}), ("auditor, town_staff,", {"auditor", "town_staff"})],
)
def test_roles_that_need_a_second_factor(
    monkeypatch: pytest.MonkeyPatch, given: str, roles: set[str]
) -> None:
    monkeypatch.setenv("REQUIRE_SECOND_FACTOR", given)
    assert load_settings().require_second_factor == roles
